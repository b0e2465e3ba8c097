import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import type { MovedBytes, ObjectStore } from "../../src/jobs/object-store.ts";
import type { StageContext } from "../../src/jobs/pipeline.ts";
import { repairPipeline } from "../../src/pipelines/repair/pipeline.ts";
import { type AwsUnderTest, makeBucket, startStorage, watchUploads } from "../support/aws.ts";
import { makeRecording } from "../support/make-recording.ts";
import { cutAtShare, makeRecordings } from "./recordings.fixture.ts";

const MIB = 1024 * 1024;
const OUTPUT = "outputs/j/damaged.mp4";
const VIDEO = "-vf noise=alls=60:allf=t -c:v libx264 -preset ultrafast -qp 12 -g 12 -bf 0 -pix_fmt yuv420p -c:a aac";
const LARGE = { extension: "mp4", args: VIDEO, widthPixels: 640, heightPixels: 480 };

let folder: string;
let storage: AwsUnderTest;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let open: ReadonlySet<string>;
/** The store under test, and one on this machine that lends files where they lie. */
let objects: ObjectStore;
let local: ObjectStore;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-ranged-"));
  storage = await startStorage();
});

afterAll(async () => {
  await storage.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  bucket = await makeBucket(storage.place);
  open = watchUploads(bucket);
  objects = createS3ObjectStore({ bucket, workFolder: join(folder, "lent") });
  local = createLocalObjectStore({ root: await mkdtemp(join(folder, "local-")), mounts: {} });
});

afterEach(async () => {
  expect([...open]).toEqual([]);
  await bucket.remove();
});

/** Puts the same into both stores. */
async function put(key: string, bytes: Uint8Array): Promise<void> {
  await objects.put(key, once(bytes));
  await local.put(key, once(bytes));
}

async function contentOf(store: ObjectStore, key: string): Promise<Buffer> {
  return await store.withLocalFile(key, (path) => readFile(path));
}

interface Outcome {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
  readonly moved: MovedBytes;
}

interface Work {
  readonly params?: Readonly<Record<string, Json>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: StageContext["onProgress"];
}

/** Works the one task of a job. */
async function work(store: ObjectStore, { params, signal, onProgress }: Work = {}): Promise<Outcome> {
  const inputs = ["uploads/damaged.mp4"];
  const given = { inputs, references: ["uploads/reference.mp4"], ...params };
  return (await repairPipeline.work(
    repairPipeline.parseParams(given),
    { input: given.inputs[0] ?? "", output: OUTPUT },
    {
      jobId: "j",
      objects: store,
      workFolder: () => Promise.reject(new Error("No folder is needed.")),
      log: createLogger({ format: "json", level: "error", write: () => undefined }),
      signal: signal ?? new AbortController().signal,
      environment: { PATH: process.env["PATH"] },
      clock: systemClock,
      onProgress: onProgress ?? (() => undefined),
      checkpoint: null,
      saveCheckpoint: async () => undefined,
    },
  )) as unknown as Outcome;
}

const withoutMoved = ({ moved: _, ...rest }: Outcome): object => rest;

it("smoke", async () => {
  const large = makeRecording(join(inject("runFolder"), "recordings"), { ...LARGE, durationSeconds: 4 });
  const reference = makeRecording(join(inject("runFolder"), "recordings"), { ...LARGE, durationSeconds: 1 });
  console.log(large.length, reference.length);
  await put("uploads/damaged.mp4", cutAtShare(large, 0.9));
  await put("uploads/reference.mp4", reference);
  for (const verify of ["full", "quick", "none"]) {
  console.time("l" + verify);
  const b = await work(local, { params: { verify } });
  console.timeEnd("l" + verify);
  console.time(verify);
  const a = await work(objects, { params: { verify } });
  console.timeEnd(verify);
  console.log(a.moved, b.moved, a.checks);
  expect(withoutMoved(a)).toEqual(withoutMoved(b));
  expect((await contentOf(objects, OUTPUT)).equals(await contentOf(local, OUTPUT))).toBe(true);
  await objects.delete(OUTPUT); await local.delete(OUTPUT);
  }
});
