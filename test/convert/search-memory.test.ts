import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import type { ConversionPlan } from "../../src/pipelines/convert/conversion.ts";
import { convertPipeline } from "../../src/pipelines/convert/pipeline.ts";
import { readPlan } from "../../src/pipelines/job-parts.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-search-memory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const objects = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });
const INPUT = "uploads/clip.mp4";

/** Plans a job of its own; gives what it kept, each time that it did. */
async function plan(jobId: string, checkpoint: Json, stopAfter = Number.POSITIVE_INFINITY): Promise<readonly Json[][]> {
  const kept: Json[][] = [];
  const stopping = new AbortController();
  const workFolder = join(folder, `work-${jobId}`);
  mkdirSync(workFolder, { recursive: true });
  const params = convertPipeline.parseParams({ input: INPUT, to: "h264", preset: "ultrafast", targetSize: "60kB" });
  const context = {
    ...{ jobId, objects, signal: stopping.signal, clock: systemClock, environment: { PATH: process.env["PATH"] } },
    workFolder: async () => workFolder,
    log: createLogger({ format: "json", level: "error", write: () => undefined }),
    onProgress: () => undefined,
    checkpoint,
    saveCheckpoint: async (value: Json) => {
      kept.push(structuredClone(value) as Json[]);
      if (kept.length === stopAfter) stopping.abort();
    },
  };
  const planning = convertPipeline.plan(params, context);
  if (stopAfter === Number.POSITIVE_INFINITY) await planning;
  else await expect(planning).rejects.toMatchObject({ code: "ABORTED" });
  return kept;
}

async function trialsOf(jobId: string): Promise<readonly { readonly quality: number; readonly bytes: number }[]> {
  return (await readPlan<ConversionPlan>(objects, jobId)).search?.trials ?? [];
}

it("goes on with the trials that a search has which was cut short", async () => {
  const clip = join(folder, "clip.mp4");
  const pictures = "testsrc2=s=160x90:r=25:d=2,noise=alls=20:allf=t";
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", pictures, "-crf", "5", clip]);
  await objects.putFile(INPUT, clip);
  const whole = await plan("whole", null);
  expect(whole.length).toBeGreaterThan(2);
  const cut = await plan("cut", null, 2);
  const rest = await plan("cut", cut.at(-1) ?? null);
  expect(rest.length).toBe(whole.length - 2);
  expect(rest[0]?.slice(0, 2)).toEqual(cut.at(-1));
  expect(await trialsOf("cut")).toEqual(await trialsOf("whole"));
  const other = await plan("other", [{ kept: "by another version" }]);
  expect(other.length).toBe(whole.length);
});
