import { describe, expect, it } from "vitest";
import { createRegistry } from "../../pipelines/registry.ts";
import { describeVariant, describeWorkload } from "./describe-workload.ts";
import { unexamined } from "./examined-file.ts";

const FILE = { bytes: 1000, seconds: 10, widthPixels: 1920, heightPixels: 1080, framesPerSecond: 50 };

const resolve = (pipeline: string, params: object) => createRegistry().get(pipeline).parseParams(params);
const converted = (params: object) =>
  describeWorkload("convert", resolve("convert", { input: "uploads/a", to: "h264", ...params }), [FILE]).outputs[0];

describe("what a job's cost depends on", () => {
  it.each([
    ["convert", { input: "a", to: "av1" }, "av1"],
    ["convert", { input: "a", to: "av1", speed: "fast" }, "av1 fast"],
    ["convert", { input: "a", to: "h264", preset: "slow" }, "h264 slow"],
    ["hls", { input: "a" }, "h264"],
    ["hls", { input: "a", codecs: ["h264", "hevc"], speed: "fast" }, "h264+hevc fast"],
    ["hls", { input: "a", ladder: { rungs: [{ height: 360, kbps: 500 }] } }, "h264+ladder of 1"],
    ["repair", { inputs: ["a"] }, ""],
    ["repair", { inputs: ["a"], engine: "untrunc" }, "untrunc"],
  ])("are the pipeline %s and what of %j takes its time", (pipeline, params, variant) => {
    expect(describeVariant(pipeline, resolve(pipeline, params))).toBe(variant);
  });

  it("are pictures as large as the conversion makes them", () => {
    expect(converted({})).toMatchObject({ codec: "h264", widthPixels: 1920, heightPixels: 1080, framesPerSecond: 50 });
    expect(converted({ height: 540 })).toMatchObject({ widthPixels: 960, heightPixels: 540 });
    expect(converted({ height: 2160 })).toMatchObject({ widthPixels: 1920, heightPixels: 1080 });
    expect(converted({ height: 2160, upscale: true })).toMatchObject({ widthPixels: 3840, heightPixels: 2160 });
    expect(converted({ frameRate: "30000/1001" })?.framesPerSecond).toBeCloseTo(29.97, 2);
  });

  it("are the rungs of a package, or its codecs where the recording's size is not known", () => {
    const params = resolve("hls", { input: "uploads/a" });
    const { outputs } = describeWorkload("hls", params, [FILE]);
    expect(outputs.map(({ heightPixels }) => heightPixels)).toEqual([1080, 1080, 720, 720, 540, 432, 432, 360, 234]);
    expect(outputs[0]).toMatchObject({ kilobitsPerSecond: 7800, framesPerSecond: 50 });
    expect(describeWorkload("hls", params, [unexamined(5)]).outputs).toMatchObject([{ heightPixels: null }]);
  });

  it("are no pictures for repairs, and nothing that is known of params of another version", () => {
    expect(describeWorkload("repair", { inputs: ["a"] }, [FILE, FILE])).toMatchObject({ variant: "", outputs: [] });
    expect(describeWorkload("convert", { to: "mpeg2" }, [FILE])).toMatchObject({ variant: "unknown", outputs: [] });
  });
});
