import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMedia } from "./ladder.fixture.ts";
import { createPackages, type Packaged } from "./package.fixture.ts";
import { loudness, shownSeconds } from "./played.fixture.ts";

const packages = createPackages();

/** 4 s of pictures of which the last one is held for 3 s, with a tone as long as all that. */
function heldClip(name: string): string {
  const short = packages.encode(`short-${name}`, "testsrc2=s=160x90:r=25:d=4", ["-f", "lavfi", "-i", "sine=d=6.9"]);
  const held = join(packages.root, name);
  // By the order of decoding: the last picture decoded is the last one shown.
  const last = "setts=pts=PTS:dts=DTS:duration=if(eq(N\\,99)\\,3/TB\\,DURATION)";
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", short, "-c", "copy", "-bsf:v", last, held]);
  return held;
}

function listedSeconds({ folder, main }: Packaged): readonly number[] {
  return main.variants.map(({ uri }) => {
    const { segments } = readMedia(join(folder, uri));
    return segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  });
}

/** 2 s of pictures, 5 s of sound. */
function longSounding(name: string): string {
  const clip = packages.encode(`clip-of-${name}.mp4`, "testsrc2=s=160x90:r=25:d=2", ["-f", "lavfi", "-i", "sine=d=5"]);
  const path = join(packages.root, name);
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", clip, "-c", "copy", path]);
  return path;
}

describe("a last picture that lasts", () => {
  it.each([
    [120, { codecs: ["h264", "av1"] }],
    [2, {}],
  ])("is held for as long as the recording does, spans of %i s, %j", async (spanSeconds, settings) => {
    const made = await packages.make(heldClip(`held-${spanSeconds}.mp4`), settings, undefined, { spanSeconds });
    expect([made.report.durationSeconds, made.failed]).toEqual([expect.closeTo(99 / 25 + 3, 3), []]);
    for (const seconds of listedSeconds(made)) expect(Math.abs(seconds - (99 / 25 + 3))).toBeLessThan(0.02);
  });

  it.each([120, 2])("is the last one that decodes, held to the end, spans of %i s", async (spanSeconds) => {
    const whole = packages.encode("whole.mp4", "testsrc2=s=160x90:r=25:d=6", ["-f", "lavfi", "-i", "sine=d=6"]);
    const spoilt = join(packages.root, `spoilt-${spanSeconds}.mp4`);
    // Slices of the last 2 s of which nothing is left but their headers' first byte.
    const noise = "noise=amount='if(gte(n\\,100)\\,1\\,0)'";
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", whole, "-c", "copy", "-bsf:v", noise, spoilt]);
    const shown = shownSeconds(spoilt);
    const made = await packages.make(spoilt, {}, undefined, { spanSeconds });
    expect([made.report.durationSeconds, made.failed]).toEqual([expect.closeTo(6, 2), []]);
    expect(made.report.pictures).toBe(shown.length);
    for (const seconds of listedSeconds(made)) expect(Math.abs(seconds - 6)).toBeLessThan(0.02);
  });

  it("is held no longer than an hour, and whatever ticks the recording counts", async () => {
    const short = packages.encode("two.mp4", "testsrc2=s=160x90:r=25:d=2");
    const held = join(packages.root, "held-day.mp4");
    const last = "setts=pts=PTS:dts=DTS:duration=if(eq(N\\,49)\\,2147483647\\,DURATION)";
    const fine = ["-video_track_timescale", "500000"];
    // One change at a time: some versions of ffmpeg count the filter's ticks before the change of clocks, some behind it.
    const counted = join(packages.root, "two-fine.mp4");
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", short, "-c", "copy", ...fine, counted]);
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", counted, "-c", "copy", "-bsf:v", last, ...fine, held]);
    const made = await packages.make(held, { thumbnails: false });
    expect(made.report.findings.join(" ")).toMatch(
      /shown for 694\.97 s less than in the recording: 3600 s are the longest/,
    );
    for (const seconds of listedSeconds(made)) expect(seconds).toBeCloseTo(49 / 25 + 3600, 3);
  });

  it("may be the only one, of so few bits and pictures a second that they round to nothing", async () => {
    const short = packages.encode("one.mp4", "color=s=160x90:r=25:d=0.04");
    const held = join(packages.root, "held-one.mp4");
    const last = "setts=pts=PTS:dts=DTS:duration=2400/TB";
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", short, "-c", "copy", "-bsf:v", last, held]);
    const made = await packages.make(held, { thumbnails: false });
    expect([made.report.durationSeconds, made.failed]).toEqual([2400, []]);
    expect(new Set(made.main.variants.map(({ framesPerSecond }) => framesPerSecond))).toEqual(new Set([0.001]));
  });

  it("is not held in MPEG-TS, which the report says, and what of the sound that costs", async () => {
    const made = await packages.make(heldClip("held-ts.mp4"), { segments: "ts" });
    expect(made.failed).toEqual([]);
    const findings = made.report.findings.join(" ");
    expect(findings).toContain("shown for 2.96 s less than in the recording: MPEG-TS");
    expect(findings).toMatch(/2\.9\d s of sound track 0 behind the last picture were left out/);
    for (const seconds of listedSeconds(made)) expect(Math.abs(seconds - 4)).toBeLessThan(0.02);
  });
});

describe("sound that lasts longer than the pictures", () => {
  it.each(["mp4", "mkv"])("has the last picture held until it ends, %s", async (container) => {
    const path = longSounding(`long.${container}`);
    const made = await packages.make(path);
    const { report, main, folder, failed } = made;
    expect([report.durationSeconds, failed]).toEqual([expect.closeTo(5, 1), []]);
    expect(report.findings.join(" ")).toMatch(/held for 3\.0\d s more than in the recording, until the sound ends/);
    expect(report.findings.join(" ")).not.toContain("left out");
    for (const seconds of listedSeconds(made)) expect(Math.abs(seconds - report.durationSeconds)).toBeLessThan(0.025);
    expect(loudness(join(folder, main.renditions[0]?.uri ?? ""), 4)).toBeGreaterThan(-30);
  });

  it("is left out of MPEG-TS, which the report says", async () => {
    const { report } = await packages.make(longSounding("long-ts.mp4"), { segments: "ts" });
    expect(report.durationSeconds).toBeCloseTo(2, 1);
    expect(report.findings.join(" ")).toMatch(/3\.0\d s of sound track 0 behind the last picture were left out/);
  });

  it("is left out where it lasts for longer than a segment leaves room, which the report says", async () => {
    const path = packages.encode("song.mp4", "testsrc2=s=160x90:r=25:d=2", ["-f", "lavfi", "-i", "sine=d=12"]);
    const { report, failed } = await packages.make(path);
    expect([report.durationSeconds, failed]).toEqual([expect.closeTo(2, 1), []]);
    expect(report.findings.join(" ")).toMatch(/10\.0\d s of sound track 0 behind the last picture were left out/);
    expect(report.rules.shouldsFailed).toBe(0);
  });

  it("is kept of the track that ends soon where another one lasts for long", async () => {
    const path = join(packages.root, "two-ends.mp4");
    const inputs = ["testsrc2=s=160x90:r=25:d=2", "sine=d=5", "sine=d=14"].flatMap((each) => [
      "-f",
      "lavfi",
      "-i",
      each,
    ]);
    const maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a"];
    const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...inputs, ...maps, ...codecs, path]);
    const { report, failed } = await packages.make(path);
    expect([report.durationSeconds, failed]).toEqual([expect.closeTo(5, 1), []]);
    expect(report.findings.join(" ")).toMatch(/ [89]\.\d\d s of sound track 1 behind the last picture were left out/);
  });

  it("is not believed in where only the container tells of it", async () => {
    const path = longSounding("lying.mp4");
    // The sound's mdhd: an hour in place of 5 s.
    const bytes = readFileSync(path);
    const at = bytes.lastIndexOf("mdhd") + 4;
    bytes.writeUInt32BE(3600 * bytes.readUInt32BE(at + 12), at + 16);
    writeFileSync(path, bytes);
    const { report } = await packages.make(path);
    expect(report.durationSeconds).toBeCloseTo(5, 1);
  });
});
