import { describe, expect, it } from "vitest";
import type { Job } from "../../jobs/job.ts";
import { madeOutputs } from "./made-outputs.ts";

/** A finished job, as far as its pictures go. */
function finished(pipeline: string, report: object, params: object = {}): Job {
  return { pipeline, params, result: { schema: 1, report } } as unknown as Job;
}

const CONVERTED = { pictures: 1799, durationSeconds: 59.966_5, widthPixels: 1280, heightPixels: 720 };
const RUNG = { framesPerSecond: 25, codecs: ["avc1.64001f", "mp4a.40.2"], averageBitsPerSecond: 2_100_000 };

describe("the pictures that a job made", () => {
  it("are told by a conversion's result, however its times were rounded", () => {
    expect(madeOutputs(finished("convert", CONVERTED, { to: "vp9" }))).toEqual([
      { codec: "vp9", widthPixels: 1280, heightPixels: 720, framesPerSecond: 30, kilobitsPerSecond: null },
    ]);
    const copied = finished("convert", { ...CONVERTED, pictures: null }, { to: "h264" });
    expect(madeOutputs(copied)).toMatchObject([{ framesPerSecond: null }]);
  });

  it("are a package's rungs, each once, without its sound", () => {
    const variants = [
      { ...RUNG, name: "720p-2000", resolution: "1280x720" },
      { ...RUNG, name: "720p-2000 + surround", resolution: "1280x720", averageBitsPerSecond: 2_400_000 },
      { ...RUNG, name: "720p-av1", resolution: "1280x720", codecs: ["mp4a.40.2", "av01.0.05M.08"] },
      { ...RUNG, name: "audio", resolution: null, codecs: ["mp4a.40.2"] },
    ];
    const outputs = madeOutputs(finished("hls", { variants }));
    expect(outputs?.map(({ codec, heightPixels }) => [codec, heightPixels])).toEqual([
      ["h264", 720],
      ["av1", 720],
    ]);
    expect(outputs?.[1]).toMatchObject({ widthPixels: 1280, framesPerSecond: 25, kilobitsPerSecond: 2100 });
  });

  it.each([
    ["repair", CONVERTED, {}],
    ["convert", { ...CONVERTED, widthPixels: null }, { to: "vp9" }],
    ["convert", CONVERTED, { to: "mpeg2" }],
    ["hls", {}, {}],
  ])("are not known of %s with %j and %j", (pipeline, report, params) => {
    expect(madeOutputs(finished(pipeline, report, params))).toBeUndefined();
  });
});
