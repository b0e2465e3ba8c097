import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLogger } from "../../src/base/log.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { hlsPipeline } from "../../src/pipelines/hls/pipeline.ts";
import { partKey, putPlan } from "../../src/pipelines/job-parts.ts";
import { putJson } from "../../src/pipelines/object-json.ts";

const JOB = "j";
const INPUT = "uploads/clip.mp4";
const MESSAGE = { job_id: "a", media_id: "m", org_id: "o" };
/** Of a plan, what is read before anything is packaged. */
const PLAN = {
  rungs: [{ name: "360p-h264" }, { name: "180p-h264" }],
  spans: [{}],
  ...{ sounds: [], subtitles: [], findings: [], keyUri: null },
  video: { packedTicks: null, timeBase: { numerator: 1, denominator: 1 } },
  clock: { numerator: 1, denominator: 1 },
};

let folder: string;
let objects: ObjectStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-hls-finish-"));
  mkdirSync(join(folder, "work"));
  objects = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });
  await putJson(objects, INPUT, "no recording");
  await putPlan(objects, JOB, PLAN);
  for (const { name } of PLAN.rungs) await putJson(objects, partKey(JOB, `${name}.mp4`), "no media");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function finish(message: typeof MESSAGE | undefined, signal = new AbortController().signal): Promise<unknown> {
  const params = hlsPipeline.parseParams({ input: INPUT, ...(message && { message }) });
  return await hlsPipeline.finish(params, [], {
    ...{ jobId: JOB, objects, signal, clock: systemClock, environment: { PATH: process.env["PATH"] } },
    workFolder: async () => join(folder, "work"),
    log: createLogger({ format: "json", level: "error", write: () => undefined }),
    onProgress: () => undefined,
    checkpoint: null,
    saveCheckpoint: () => Promise.reject(new Error("Nothing was made.")),
  });
}

async function listOutputs(): Promise<readonly string[]> {
  return (await objects.list("outputs/", { limit: 1000 })).map(({ key }) => key);
}

it("hears that it is to stop before it copies the encoded files", async () => {
  await expect(finish(undefined, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
  expect(readdirSync(join(folder, "work", "encoded"))).toEqual([]);
});

it.each([
  [undefined, `outputs/${JOB}/`],
  [MESSAGE, `outputs/media/o/m/${JOB}/`],
])("removes what an attempt left that ended while it published, and keeps the parts", async (message, prefix) => {
  const kept = await listOutputs();
  const others = ["outputs/media/o/m/other/main.m3u8", "outputs/jj/main.m3u8"];
  for (const key of others) await putJson(objects, key, "");
  for (const name of ["main.m3u8", "poster.jpg", "360p-h264/media.mp4"]) await putJson(objects, `${prefix}${name}`, "");
  await expect(finish(message)).rejects.toMatchObject({ code: "MEDIA_MALFORMED" });
  expect(await listOutputs()).toEqual([...kept, ...others].sort());
});
