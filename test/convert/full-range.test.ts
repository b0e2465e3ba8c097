import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { colourTags } from "../support/pixels.ts";
import { makeFullRamp, offLimitedRamp } from "../support/ramp.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-full-range-"));
const at = (name: string): string => join(folder, name);
const VP9 = "libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 0 -crf 5";
const H264 = "libx264 -preset ultrafast -crf 5";
const TOLD = "The pictures' full range of values becomes the limited one, which every player takes.";

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ["vp9.webm", VP9, "hevc", []],
  ["vp9.webm", VP9, "h264", ["--width", "160"]],
  ["vp9.webm", VP9, "h264", ["--deinterlace", "on", "--bit-depth", "8"]],
  ["h264.mkv", H264, "hevc", ["--bit-depth", "10"]],
] as const)(
  "full range of %s (%s) becomes the limited one as %s %j, and the report says so",
  async (name, codec, to, switches) => {
    const output = at(`${name}-${to}-${switches.length}.mp4`);
    makeFullRamp(at(name), codec);
    const args = [
      "convert",
      at(name),
      "--to",
      to,
      "--preset",
      "ultrafast",
      "--quality",
      "10",
      ...switches,
      "-o",
      output,
    ];
    const { status, output: said, error } = await reelmill(args);
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(said).toContain(TOLD);
    expect(colourTags(output)["color_range"]).not.toBe("pc");
    expect(offLimitedRamp(output)).toBeLessThan(4);
  },
);

it("is no reason to encode what may be copied", async () => {
  makeFullRamp(at("full.webm"), VP9);
  const { status, output: said } = await reelmill(["convert", at("full.webm"), "--to", "vp9", "-o", at("copied.webm")]);
  expect([status, said.includes("copied"), said.includes(TOLD)]).toEqual([0, true, false]);
  expect(colourTags(at("copied.webm"))["color_range"]).toBe("pc");
});
