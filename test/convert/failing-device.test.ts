import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import type { StageContext, TaskResult } from "../../src/jobs/pipeline.ts";
import type { ConversionReport } from "../../src/pipelines/convert/conversion.ts";
import { convertFile } from "../../src/pipelines/convert/convert-file.ts";
import { CONVERT_SETTINGS } from "../../src/pipelines/convert/options.ts";
import { convertPipeline } from "../../src/pipelines/convert/pipeline.ts";
import { deviceIn, type FakeDevice } from "./failing-device.fixture.ts";

/** An encoder that uses all cores is given spans of five minutes. */
const SECONDS = 610;
const FINDING =
  /^h264_nvenc failed at its work: ffmpeg stopped with status 1: .*the device was lost\. libx264 is used instead, from the first picture on\.$/;

let folder: string;
let source: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-device-"));
  source = join(folder, "source.mp4");
  const pictures = `testsrc2=s=64x48:r=2:d=${SECONDS}`;
  const coding = "-c:v libx264 -preset ultrafast -crf 30 -g 20 -pix_fmt yuv420p".split(" ");
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-f", "lavfi", "-i", pictures, ...coding, source]);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function convert(device: FakeDevice, output: string, settings: object = {}): Promise<ConversionReport> {
  return convertFile({
    input: source,
    output,
    settings: CONVERT_SETTINGS.parse({
      to: "h264",
      hardware: "nvenc",
      preset: "ultrafast",
      reencode: true,
      ...settings,
    }),
    environment: device.environment,
    cores: 2,
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

function countPictures(path: string): number {
  const args = ["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path];
  return Number(execFileSync("ffprobe", args, { encoding: "utf8" }).replace(",", ""));
}

describe("a device that fails in the middle of its work", () => {
  it("does all of it where it does not fail", async () => {
    const { own, device } = await deviceIn(folder, "sound", { failsAt: "never" });
    const report = await convert(device, join(own, "out.mp4"));
    expect(report.encoder).toMatch(/^h264_nvenc/);
    expect(report.findings.join()).not.toContain("failed");
    expect(device.encodes()).toHaveLength(3);
  });

  it("is not asked again, and every picture comes from the software encoder", async () => {
    const { own, device } = await deviceIn(folder, "lost", { failsAt: "h264_nvenc" });
    const report = await convert(device, join(own, "out.mp4"));
    expect(report).toMatchObject({ pictures: 2 * SECONDS, spans: 3, encoder: "libx264, -crf 23, preset ultrafast" });
    expect(report.findings).toContainEqual(expect.stringMatching(FINDING));
    expect(report.findings.join()).not.toContain(folder);
    // Two spans are begun at once; the third is not tried.
    expect(device.encodes().length).toBeLessThan(3);
    expect(countPictures(join(own, "out.mp4"))).toBe(2 * SECONDS);
  });

  it("gives way where what it wrote does not decode", async () => {
    const { own, device } = await deviceIn(folder, "spoilt", { failsAt: "never", spoilsPictures: true });
    const report = await convert(device, join(own, "out.mp4"));
    expect(report).toMatchObject({ pictures: 2 * SECONDS, encoder: "libx264, -crf 23, preset ultrafast" });
    expect(report.findings.join(" ")).toMatch(/h264_nvenc failed at its work: What was encoded does not decode: /);
  });

  it("gives way where a quality is searched", async () => {
    const { own, device } = await deviceIn(folder, "search", { failsAt: "h264_nvenc" });
    const report = await convert(device, join(own, "out.mp4"), { targetSize: "3MB" });
    expect(report.findings).toContainEqual(expect.stringMatching(FINDING));
    expect(report.encoder).toMatch(/^libx264/);
    expect(device.encodes().length).toBeLessThan(3);
  });

  it("is not blamed where software fails as well: its fault is told", async () => {
    const { own, device } = await deviceIn(folder, "both", { failsAt: "h264_nvenc", softwareFails: true });
    await expect(convert(device, join(own, "out.mp4"))).rejects.toMatchObject({
      code: "FFMPEG_FAILED",
      message: expect.stringContaining("out of luck"),
    });
  });

  it("leaves a job's other tasks theirs, and what it made is made again before joining", async () => {
    const { own, device } = await deviceIn(folder, "job", { failsAt: "start_pts=" });
    const { result, faults } = await runJob(own, device);
    expect(faults).toEqual([
      null,
      expect.stringContaining("device was lost"),
      expect.stringContaining("device was lost"),
    ]);
    expect(result.report).toMatchObject({ pictures: 2 * SECONDS, encoder: "libx264, -crf 23, preset ultrafast" });
    expect(result.report.findings).toContainEqual(expect.stringMatching(FINDING));
    expect(JSON.stringify(result)).not.toContain(folder);
    expect(device.encodes()).toHaveLength(3);
    expect(countPictures(join(own, "objects", result.output))).toBe(2 * SECONDS);
  });
});

interface JobResult {
  readonly output: string;
  readonly report: ConversionReport;
}

/** Runs all stages of a job; gives its result and each span's fault, in their order. */
async function runJob(own: string, device: FakeDevice): Promise<{ result: JobResult; faults: readonly unknown[] }> {
  const store = join(own, "objects");
  mkdirSync(join(store, "uploads"), { recursive: true });
  copyFileSync(source, join(store, "uploads", "source.mp4"));
  const work = join(own, "work");
  mkdirSync(work);
  const context: StageContext = {
    jobId: "job",
    objects: createLocalObjectStore({ root: store, mounts: {} }),
    workFolder: async () => work,
    log: createLogger({ format: "json", level: "error", write: () => undefined }),
    signal: new AbortController().signal,
    environment: device.environment,
    clock: systemClock,
    onProgress: () => undefined,
    checkpoint: null,
    saveCheckpoint: async () => undefined,
  };
  const given = { input: "uploads/source.mp4", to: "h264", hardware: "nvenc", preset: "ultrafast", reencode: true };
  const params = convertPipeline.parseParams(given);
  const results: TaskResult<Json, Json>[] = [];
  for (const { input } of await convertPipeline.plan(params, context)) {
    results.push({ status: "succeeded", input, output: await convertPipeline.work(params, input, context) });
  }
  const result = (await convertPipeline.finish(params, results, context)) as unknown as JobResult;
  const spans = results as unknown as { input: { index: number }; output: { deviceFault: string | null } }[];
  const inOrder = spans.toSorted((a, b) => a.input.index - b.input.index);
  return { result, faults: inOrder.map(({ output }) => output.deviceFault) };
}
