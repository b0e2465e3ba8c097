import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { comparePictures } from "../convert/compare.ts";
import { type Pictures, readMedia } from "../convert/read-media.ts";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { flipTimes } from "../support/flip-times.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();
const SECONDS = 8;
const ALL = { lost: [], doubled: [], backwards: [], outputCount: SECONDS * 25 };
const FINDING = "tell a wrong time, as where bits flipped: shown where the neighbours leave a gap.";

/** A capture whose pictures are stored in the order of decoding, a key picture each second, and its pictures. */
function capture(name: string, codec: readonly string[]): string {
  const path = join(packages.root, name);
  const inputs = ["-f", "lavfi", "-i", `testsrc2=s=160x120:r=25:d=${SECONDS}`];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...inputs, ...codec, "-g", "25", path]);
  return path;
}

describe.each([
  ["H.264 with B-frames", ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-sc_threshold", "0"]],
  [
    "H.264 that tells no times of decoding",
    ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-sc_threshold", "0"],
  ],
  ["MPEG-2", ["-c:v", "mpeg2video", "-b:v", "1M", "-bf", "2"]],
])("a capture of %s some of whose pictures tell times minutes and seconds off", (what, codec) => {
  const name = what.replaceAll(/\W/g, "-");
  const flipped = join(packages.root, `${name}-flipped.ts`);
  let pictures: Pictures;

  beforeAll(async () => {
    const whole = capture(`${name}.ts`, codec);
    ({ pictures } = await readMedia(whole));
    // 6 minutes, 6 and 13 hours, and 1.5 s, on or back as the bit was; a key picture among them.
    flipTimes(whole, flipped, [
      [50, 25],
      [77, 31],
      [103, 17],
      [110, 32],
    ]);
  });

  it("becomes a package with all of them at the right times", async () => {
    const { report, failed, main, folder } = await packages.make(flipped, { thumbnails: false }, undefined, {
      spanSeconds: 3,
    });
    expect({ pictures: report.pictures, failed }).toEqual({ pictures: ALL.outputCount, failed: [] });
    expect(report.durationSeconds).toBeCloseTo(SECONDS, 2);
    expect(report.findings).toContain(`4 pictures ${FINDING}`);
    const shown = await readMedia(join(folder, main.variants[0]?.uri ?? "", "..", "media.mp4"));
    const comparison = comparePictures(pictures, shown.pictures);
    expect(comparison).toMatchObject(ALL);
    expect(comparison.spacingErrorMs).toBeLessThan(0.1);
  });

  it("is converted whole, and not copied", async () => {
    const output = join(packages.root, `${name}.mp4`);
    const { status, output: said, error } = await reelmill(["convert", flipped, "--to", "h264", "-o", output]);
    expect({ status, error }).toMatchObject({ status: 0 });
    expect(said).toContain(`4 pictures ${FINDING}`);
    expect(said.includes("cannot be copied: all were encoded")).toBe(what.startsWith("H.264"));
    const comparison = comparePictures(pictures, (await readMedia(output)).pictures);
    expect(comparison).toMatchObject(ALL);
    expect(comparison.spacingErrorMs).toBeLessThan(0.1);
  });
});
