import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createLocalObjectStore, type LocalObjectStore } from "../../src/adapters/local/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import type { StageContext } from "../../src/jobs/pipeline.ts";
import { repairPipeline } from "../../src/pipelines/repair/pipeline.ts";
import { makeRecordings } from "./recordings.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-objects-"));
const OUTPUT = "mine/damaged.mp4";
let objects: LocalObjectStore;
let checkpoints: Json[];

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

beforeAll(async () => {
  const { damaged, reference, foreign } = makeRecordings(join(folder, "made"));
  objects = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });
  await objects.put("uploads/damaged.mp4", once(readFileSync(damaged)));
  await objects.put("library/reference.mp4", once(readFileSync(reference)));
  await objects.put("library/foreign.mov", once(readFileSync(foreign)));
});
beforeEach(async () => {
  checkpoints = [];
  await objects.delete(OUTPUT);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the one task of a job, as another attempt where there is a checkpoint. */
async function work(
  checkpoint: Json,
  verify: "none" | "full" = "none",
  onProgress: StageContext["onProgress"] = () => undefined,
  params: object = { references: ["library/reference.mp4"] },
): Promise<Json> {
  const context: StageContext = {
    jobId: "j",
    objects,
    workFolder: () => Promise.reject(new Error("No folder is needed.")),
    log: createLogger({ format: "json", level: "error", write: () => undefined }),
    signal: new AbortController().signal,
    environment: { PATH: process.env["PATH"] },
    clock: systemClock,
    onProgress,
    checkpoint,
    saveCheckpoint: async (value) => void checkpoints.push(value),
  };
  const resolved = repairPipeline.parseParams({ inputs: ["uploads/damaged.mp4"], verify, ...params });
  return await repairPipeline.work(resolved, { input: "uploads/damaged.mp4", output: OUTPUT }, context);
}

it("does not replace what another job has put in its output's place since the plan", async () => {
  await objects.put(OUTPUT, once(Buffer.from("another's")));
  await expect(work(null)).rejects.toMatchObject({ code: "OUTPUT_EXISTS" });
  expect(await objects.head(OUTPUT)).toMatchObject({ bytes: 9 });
});

it("tells how far it has come while every picture is checked", async () => {
  const heard: (readonly [fraction: number, phase: string])[] = [];
  await work(null, "full", (fraction, phase) => heard.push([fraction, phase]));
  const fractions = heard.map(([fraction]) => fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  const checking = heard.filter(([, phase]) => phase === "checking").map(([fraction]) => fraction);
  expect(checking[0]).toBe(0.25);
  expect(new Set(checking).size).toBeGreaterThan(10);
  expect(checking.at(-1)).toBeGreaterThan(0.9);
});

it("replaces what an attempt of its own had published that was lost before it could say so", async () => {
  expect(await work(null)).toMatchObject({ status: "repaired", output: OUTPUT });
  const first = await objects.head(OUTPUT);
  const [checkpoint = null] = checkpoints;
  expect(await work(checkpoint)).toMatchObject({ status: "repaired", output: OUTPUT });
  expect(await objects.head(OUTPUT)).toMatchObject({ bytes: first?.bytes });
});

it.each([
  ["of another kind", ["library/foreign.mov"]],
  ["none at all", []],
])("learns from a recording that is kept where the reference is %s", async (_what, references) => {
  const keptReferences = ["uploads/gone.mp4", "library/foreign.mov", "uploads/damaged.mp4", "library/reference.mp4"];
  const result = await work(null, "none", undefined, { references, keptReferences });
  expect(result).toMatchObject({ status: "repaired", references: ["library/reference.mp4"], output: OUTPUT });
});

it("tells the first failure where no recording that is kept fits either", async () => {
  const params = { references: ["library/foreign.mov"], keptReferences: ["library/foreign.mov"] };
  const alone = await work(null, "none", undefined, params).catch((error: unknown) => error);
  expect(alone).toMatchObject({ code: "REFERENCE_MISMATCH" });
  const without = { references: [], keptReferences: ["library/foreign.mov"] };
  const failure = await work(null, "none", undefined, without).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "REFERENCE_REQUIRED",
    details: { notices: [expect.stringContaining("No recording that is kept fits either")] },
  });
  expect(await objects.head(OUTPUT)).toBeUndefined();
});
