import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { detectFeatures } from "../../src/ffmpeg/features.ts";
import { requireFfmpeg } from "../../src/ffmpeg/programs.ts";
import { chooseMetric } from "../../src/ffmpeg/score.ts";
import type { ConversionReport, SearchReport } from "../../src/pipelines/convert/conversion.ts";
import { convertFile } from "../../src/pipelines/convert/convert-file.ts";
import { CONVERT_SETTINGS } from "../../src/pipelines/convert/options.ts";
import { reelmill } from "../e2e/workplace.fixture.ts";

const SECONDS = 80;
const RATE = 10;

/** Between its samples, of which there are three of 20 s, there is much that they do not tell of. */
const TREACHEROUS = "noise=alls=70:allf=t:enable='between(t,24,29)+between(t,51,56)'";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-targets-"));
  makeSource("even.mp4", "noise=alls=8:allf=t:all_seed=1");
  makeSource("treacherous.mp4", TREACHEROUS);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makeSource(name: string, filter: string): void {
  const pictures = `testsrc2=s=192x108:r=${RATE}:d=${SECONDS},${filter}`;
  const inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", `sine=d=${SECONDS}`];
  const coding = "-c:v libx264 -preset ultrafast -crf 12 -pix_fmt yuv420p -c:a aac -b:a 64k".split(" ");
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...inputs, ...coding, join(folder, name)]);
}

interface Converted {
  readonly report: ConversionReport;
  readonly output: string;
  /** What was told before the whole was encoded, and the phases up to then and behind. */
  readonly announced: readonly SearchReport[];
  readonly phases: readonly string[];
}

async function convert(source: string, settings: object): Promise<Converted> {
  const output = join(folder, `${source}.${JSON.stringify(settings).replaceAll(/\W/g, "")}.mp4`);
  const announced: SearchReport[] = [];
  const phases: string[] = [];
  const note = (phase: string): void => {
    if (phases.at(-1) !== phase) phases.push(phase);
  };
  const report = await convertFile({
    input: join(folder, source),
    output,
    settings: CONVERT_SETTINGS.parse({ to: "h264", preset: "ultrafast", ...settings }),
    environment: process.env,
    cores: 2,
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: (_fraction, phase) => note(phase),
    onSearched: (search) => {
      announced.push(search);
      note("announced");
    },
  });
  return { report, output, announced, phases };
}

function measureSsim(output: string, source: string): number {
  const graph = "[0:v]setpts=N[a];[1:v]setpts=N[b];[a][b]ssim";
  const args = ["-i", output, "-i", join(folder, source), "-lavfi", graph, "-f", "null", "-"];
  const script = 'exec ffmpeg -nostdin -hide_banner "$@" 2>&1';
  const printed = execFileSync("sh", ["-c", script, "sh", ...args], { encoding: "utf8" });
  return Number(/ All:([\d.]+)/.exec(printed)?.[1]);
}

describe("a quality that is searched", () => {
  it("reaches the score asked for, tells what to expect beforehand, and what came of it", async () => {
    const { report, output, announced, phases } = await convert("even.mp4", { targetQuality: 0.95 });
    const { search, score } = report;
    expect(phases).toEqual(["looking", "searching", "announced", "encoding", "checking"]);
    expect(announced).toMatchObject([{ quality: search?.quality, sampledSeconds: 60 }]);
    expect(search?.trials.length).toBeLessThanOrEqual(8);
    expect(search?.aim).toEqual({ kind: "quality", metric: "ssim", score: 0.95 });
    expect(search?.predicted.score).toBeGreaterThanOrEqual(0.95);
    expect(Math.abs((score?.value ?? 0) - (search?.predicted.score ?? 1))).toBeLessThan(0.004);
    expect(Math.abs(measureSsim(output, "even.mp4") - 0.95)).toBeLessThan(0.006);
    expect(Math.abs(report.outputBytes / (search?.predicted.bytes ?? 1) - 1)).toBeLessThan(0.1);
    expect(search?.predicted.seconds).toBeGreaterThan(0);
  }, 120_000);

  it("reaches a size: not more, and not much less", async () => {
    const { report, output } = await convert("even.mp4", { targetSize: "2MB" });
    expect(statSync(output).size).toBe(report.outputBytes);
    expect(report.outputBytes).toBeLessThanOrEqual(2_000_000);
    expect(report.outputBytes).toBeGreaterThan(1_800_000);
    expect(report.search?.correctedQuality).toBeNull();
    expect(report.checks).toContainEqual(expect.objectContaining({ name: "size", status: "passed" }));
  }, 120_000);

  it("is corrected where the samples promised too little", async () => {
    const { report, output } = await convert("treacherous.mp4", { targetSize: "1500kB", verify: "none" });
    expect(report.search?.predicted.bytes).toBeLessThanOrEqual(1_500_000);
    expect(report.search?.correctedQuality).toBeGreaterThan(report.search?.quality ?? 0);
    expect(statSync(output).size).toBeLessThanOrEqual(1_500_000);
    expect(statSync(output).size).toBeGreaterThan(900_000);
    expect(report.encoder).toContain(`-crf ${report.search?.correctedQuality},`);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  }, 120_000);

  it("is not needed where a recording that fits is small enough", async () => {
    const { report } = await convert("even.mp4", { targetSize: "1GB", preset: undefined });
    expect(report).toMatchObject({ encoder: "copy", search: null });
  }, 60_000);

  it("is compared on the pictures that come out, filters and all", async () => {
    const { report } = await convert("even.mp4", { quality: 20, score: true, height: 54, frameRate: "5" });
    expect(report.pictures).toBe((SECONDS * RATE) / 2);
    const { filters } = await detectFeatures(await requireFfmpeg(process.env));
    const metric = chooseMetric(filters);
    expect(report.score?.metric).toBe(metric);
    expect(report.score?.value).toBeGreaterThan(metric === "ssim" ? 0.93 : 30);
    expect(report.score?.sampledSeconds).toBe(60);
  }, 60_000);
});

describe("the command line", () => {
  const of = async (switches: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    await reelmill(["convert", join(folder, "even.mp4"), "--to", "h264", ...switches], environment);

  it.each([
    [["--quality", "20", "--target-size", "1MB"], /--quality and --target-size exclude each other/],
    [["--target-quality", "0.9", "--target-size", "1MB"], /--target-quality and --target-size exclude each other/],
    [["--target-size", "much"], /--target-size: "much" must be like 700MB/],
    [["--target-quality", "5"], /--target-quality: 5 must be an SSIM .* or a VMAF/],
    [["--audio", "copy", "--audio-bitrate", "96"], /--audio-bitrate is of sound that is encoded, but --audio is copy/],
    [["--audio", "none", "--audio-tracks", "1"], /--audio-tracks names sound to take, but --audio is none/],
    [["--upscale"], /--upscale has no size to reach: neither --width is given, nor --height is/],
    [["--score", "--verify", "none"], /--score cannot be measured where --verify is none/],
  ])("refuses %j", async (switches, problem) => {
    const { status, error } = await of(switches);
    expect(status).toBe(2);
    expect(error).toMatch(problem);
  });

  it("reaches a size that has no room for sound as large as it may be, but for what it is", async () => {
    const inputs = [
      "-f",
      "lavfi",
      "-i",
      "testsrc2=s=192x108:r=10:d=20",
      "-f",
      "lavfi",
      "-i",
      "anullsrc=r=8000:cl=mono",
    ];
    const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-t", "20"];
    execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...inputs, ...coding, join(folder, "silent.mov")]);
    // 320 kB at 128 kbit/s.
    const { output } = await convert("silent.mov", { targetSize: "150kB", reencode: true });
    expect(statSync(output).size).toBeLessThanOrEqual(150_000);
    expect(statSync(output).size).toBeGreaterThan(100_000);
  });

  it("names what sound takes where a size is below it", async () => {
    const { status, error } = await of(["--target-size", "100kB"]);
    expect(status).toBe(1);
    expect(error).toMatch(/--target-size is 100 kB, but sound alone takes about .*TARGET_UNREACHABLE/);
  });

  it("names the best score where more is asked for", async () => {
    const { status, error } = await of(["--target-quality", "0.99999", "--preset", "ultrafast"]);
    expect(status).toBe(1);
    expect(error).toMatch(/--target-quality is SSIM .*best quality of libx264 \(1\) .*TARGET_UNREACHABLE/);
  }, 60_000);

  it("asks for an SSIM where the ffmpeg has no VMAF", async () => {
    const without = join(folder, "ffmpeg-without-vmaf");
    writeFileSync(without, '#!/bin/sh\nffmpeg "$@" | grep -v libvmaf\n');
    chmodSync(without, 0o755);
    const { status, error } = await of(["--target-quality", "95"], { REELMILL_FFMPEG: without });
    expect(status).toBe(1);
    expect(error).toMatch(
      /--target-quality is 95, a VMAF score, but this ffmpeg has no filter libvmaf.*FILTER_MISSING/,
    );
  });
});
