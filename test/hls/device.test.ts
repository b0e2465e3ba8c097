import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import { requireFfmpeg } from "../../src/ffmpeg/programs.ts";
import type { StageContext, TaskResult } from "../../src/jobs/pipeline.ts";
import { HLS_SETTINGS, type PackageReport, packageFile } from "../../src/pipelines/hls/index.ts";
import { hlsPipeline } from "../../src/pipelines/hls/pipeline.ts";
import { planPackage } from "../../src/pipelines/hls/plan.ts";
import { deviceIn, type FakeDevice } from "../convert/failing-device.fixture.ts";

const PICTURES = 125;
const SETTINGS = { preset: "ultrafast", ladder: { rungs: [90, 45].map((height) => ({ height, kbps: height })) } };
const FELL_BACK =
  /^h264_nvenc failed at its work: .*the device was lost\. libx264 is used instead, from the first picture on\.$/;

let folder: string;
let source: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-hls-device-"));
  source = join(folder, "source.mp4");
  const coding = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p".split(" ");
  const pictures = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-frames:v", String(PICTURES)];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, ...coding, source]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pack(device: FakeDevice, output: string, settings: object = {}, spanSeconds?: number): Promise<PackageReport> {
  return packageFile({
    ...{ input: source, output, spanSeconds },
    settings: HLS_SETTINGS.parse({ ...SETTINGS, ...settings }),
    environment: device.environment,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

describe("rungs of a device", () => {
  it("are made by NVENC where it is there, with key pictures where they belong", async () => {
    const { own, device } = await deviceIn(folder, "sound", { failsAt: "never" });
    const report = await pack(device, join(own, "out"));
    expect(report).toMatchObject({ pictures: PICTURES, encoder: "h264_nvenc, preset p5" });
    expect(report.findings.join()).not.toContain("failed");
    expect(device.encodes()).toHaveLength(1);
    const [arguments_ = ""] = device.encodes();
    expect(arguments_).toMatch(/-c:v h264_nvenc -b:v 90k -preset p5 -maxrate \S+ -bufsize \S+ -bf 0 -g 9999 /);
    expect(arguments_).toContain("-rc vbr -forced-idr 1 -no-scenecut 1");
  });

  it("are not asked of it where it is off", async () => {
    const { own, device } = await deviceIn(folder, "off", { failsAt: "never" });
    const report = await pack(device, join(own, "out"), { hardware: "off" });
    expect(report.encoder).toBe("libx264, preset ultrafast");
    expect(device.encodes()).toEqual([]);
  });

  it("are made by software where it fails", async () => {
    const { own, device } = await deviceIn(folder, "lost", { failsAt: "h264_nvenc" });
    const report = await pack(device, join(own, "out"));
    expect(report).toMatchObject({ pictures: PICTURES, encoder: "libx264, preset ultrafast" });
    expect(report.findings).toContainEqual(expect.stringMatching(FELL_BACK));
    expect(report.findings.join()).not.toContain(folder);
  });

  it("are made by software where it sets key pictures of its own", async () => {
    const { own, device } = await deviceIn(folder, "undisciplined", { failsAt: "never", setsOwnKeys: true });
    const report = await pack(device, join(own, "out"));
    expect(report.encoder).toBe("libx264, preset ultrafast");
    expect(report.findings.join(" ")).toMatch(/h264_nvenc failed at its work: \S+ has 13 key pictures, not 3\./);
  });

  it("are made by software where what it wrote does not decode", async () => {
    const { own, device } = await deviceIn(folder, "spoilt", { failsAt: "never", spoilsPictures: true });
    const report = await pack(device, join(own, "out"));
    expect(report.encoder).toBe("libx264, preset ultrafast");
    expect(report.findings.join(" ")).toMatch(/h264_nvenc failed at its work: \S+ does not decode: /);
  });

  it("leave the fault to software where that fails as well", async () => {
    const { own, device } = await deviceIn(folder, "both", { failsAt: "h264_nvenc", softwareFails: true });
    await expect(pack(device, join(own, "out"))).rejects.toMatchObject({
      code: "FFMPEG_FAILED",
      message: expect.stringContaining("out of luck"),
    });
  });

  it("take a preset of the device's, and leave other codecs theirs", async () => {
    const { device } = await deviceIn(folder, "preset", { failsAt: "never" });
    const tools = await requireFfmpeg(device.environment);
    const settings = HLS_SETTINGS.parse({ codecs: ["h264", "hevc"], preset: "p7" });
    const { encoders } = await planPackage(source, settings, { tools, signal: new AbortController().signal });
    expect(encoders).toMatchObject([
      {
        name: "h264_nvenc",
        preset: "p7",
        device: { family: "nvenc" },
        fallback: { name: "libx264", preset: "medium" },
      },
      { name: "libx265", preset: "medium", device: null, fallback: null },
    ]);
  });

  it("come from software in all spans where the device fails at one", async () => {
    const { own, device } = await deviceIn(folder, "span", { failsAt: "span-00001" });
    const report = await pack(device, join(own, "out"), {}, 2);
    expect(report).toMatchObject({ pictures: PICTURES, encoder: "libx264, preset ultrafast" });
    // Of three spans it made the first, failed at the second, and was not asked for the third.
    expect(device.encodes()).toHaveLength(2);
  });

  it("come from software in all spans of a job where the device fails at one", async () => {
    const { own, device } = await deviceIn(folder, "job-span", { failsAt: "span-00001" });
    const long = join(own, "long.mp4");
    const pictures = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=5:d=125"];
    execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, "-c:v", "libx264", "-preset", "ultrafast", long]);
    const result = await runJob(own, device, long);
    expect(result.report).toMatchObject({ pictures: 625, encoder: "libx264, preset ultrafast" });
    expect(device.encodes()).toHaveLength(2);
  });

  it("are replaced in a job, too, whose result tells of it", async () => {
    const { own, device } = await deviceIn(folder, "job", { failsAt: "h264_nvenc" });
    const result = await runJob(own, device, source);
    expect(result.report).toMatchObject({ pictures: PICTURES, encoder: "libx264, preset ultrafast" });
    expect(result.report.findings).toContainEqual(expect.stringMatching(FELL_BACK));
    expect(JSON.stringify(result)).not.toContain(folder);
  });
});

/** Runs all stages of a job; gives its result. */
async function runJob(own: string, device: FakeDevice, input: string): Promise<{ readonly report: PackageReport }> {
  const [store, work] = [join(own, "objects"), join(own, "work")];
  mkdirSync(join(store, "uploads"), { recursive: true });
  copyFileSync(input, join(store, "uploads", "source.mp4"));
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
  const params = hlsPipeline.parseParams({ input: "uploads/source.mp4", ...SETTINGS });
  const results: TaskResult<Json, Json>[] = [];
  for (const task of await hlsPipeline.plan(params, context)) {
    const output = await hlsPipeline.work(params, task.input, context);
    results.push({ status: "succeeded", input: task.input, output });
  }
  const result = await hlsPipeline.finish(params, results, context);
  return result as unknown as { readonly report: PackageReport };
}
