import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { makeRecording } from "../../../test/support/make-recording.ts";
import { createWorkFolders } from "../../adapters/local/work-folders.ts";
import { systemClock } from "../../base/clock.ts";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { createLogger } from "../../base/log.ts";
import type { BatchRecords, BatchStatus } from "../../jobs/batch-records.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { openLocalBatch } from "../local-wiring.ts";
import type { BatchParts } from "../parts.ts";
import type { BatchSettings } from "./batch-settings.ts";
import { BATCH_OWNER, runBatchJob } from "./run-batch-job.ts";

const root = mkdtempSync(join(tmpdir(), "reelmill-batch-job-"));
const CLIP = makeRecording(join(root, "cache"), { extension: "mp4", args: "-c:v libx264 -preset ultrafast -c:a aac" });
const SETTINGS = {
  bucket: "bucket",
  table: "table",
  region: "eu-central-1",
  jobId: "job",
  outputCodec: "h264",
} as const;

let count = 0;
let opened: BatchParts;
let log: string;
let sleeps: number[];
let failures: { status: BatchStatus; code: ErrorCode; times: number };

beforeEach(() => {
  count += 1;
  log = "";
  sleeps = [];
  const data = join(root, String(count));
  mkdirSync(join(data, "buckets", SETTINGS.bucket), { recursive: true });
  opened = openLocalBatch(data, SETTINGS, systemClock);
  const folder = join(data, "buckets", "bucket", "uploads", "job");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "input.mp4"), CLIP);
});
afterEach(() => opened.close(true));
afterAll(() => rmSync(root, { recursive: true }));

/** As the job's own, but one status cannot be recorded so often. */
function failingRecords(): BatchRecords {
  return {
    get: opened.records.get,
    record: async (jobId, change) => {
      if (change.status !== failures.status || failures.times === 0) return await opened.records.record(jobId, change);
      failures.times -= 1;
      throw new ReelmillError(failures.code, "The table does not answer.");
    },
  };
}

async function run({
  signal = new AbortController().signal,
  objects = opened.objects as ObjectStore,
  settings = SETTINGS as BatchSettings,
  records = failingRecords(),
  lost = new AbortController().signal,
} = {}) {
  const { store, pipelines, queue, workRoot } = opened;
  const write = (line: string): void => {
    log += line;
  };
  return await runBatchJob(settings, {
    engine: {
      ...{ store, objects, pipelines, clock: systemClock, environment: { PATH: process.env["PATH"] } },
      workFolders: createWorkFolders(workRoot, BATCH_OWNER),
      log: createLogger({ format: "json", level: "debug", write }),
      random: () => 0,
    },
    ...{ queue, records, leaseMs: 15_000, concurrency: 2 },
    sleep: async (delayMs) => void sleeps.push(delayMs),
    ...{ signal, lost },
    onForgotten: () => undefined,
  });
}

it("tries again to record a status, waiting longer each time", async () => {
  failures = { status: "COMPLETED", code: "STORE_UNAVAILABLE", times: 2 };
  expect(await run()).toMatchObject({ status: "COMPLETED", outputKey: "outputs/job/output.mp4" });
  expect(sleeps).toEqual([2000, 4000]);
  expect(log.match(/The status COMPLETED could not be recorded/g)).toHaveLength(2);
}, 60_000);

it("tries again to read the record, and begins nothing where it cannot", async () => {
  const get = async (): Promise<never> => {
    throw new ReelmillError("STORE_UNAVAILABLE", "The table does not answer.");
  };
  await expect(run({ records: { ...opened.records, get } })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(sleeps).toEqual([2000, 4000]);
  expect(await opened.records.get("job")).toBeUndefined();
});

it("fails where it cannot record that the job is completed, and only records that when it is run again", async () => {
  failures = { status: "COMPLETED", code: "STORE_UNAVAILABLE", times: 3 };
  await expect(run()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await opened.records.get("job")).toMatchObject({ status: "PROCESSING" });
  expect(await opened.objects.head("outputs/job/output.mp4")).toBeDefined();
  log = "";
  expect(await run()).toMatchObject({ status: "COMPLETED" });
  expect(log).not.toContain("is done");
  expect(await opened.store.get("job")).toBeUndefined();
}, 60_000);

it("converts again where what was made is gone before it was recorded", async () => {
  failures = { status: "COMPLETED", code: "STORE_UNAVAILABLE", times: 3 };
  await expect(run()).rejects.toThrow();
  await opened.objects.delete("outputs/job/output.mp4");
  await run();
  expect(await opened.objects.head("outputs/job/output.mp4")).toBeDefined();
}, 60_000);

it("does not begin where it cannot record that, and does not wait for what does not mend itself", async () => {
  failures = { status: "PROCESSING", code: "OUTPUT_UNWRITABLE", times: 1 };
  await expect(run()).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
  expect(sleeps).toEqual([]);
  expect(await opened.store.get("job")).toBeUndefined();
});

it("tells why the job failed even where that cannot be recorded", async () => {
  await opened.objects.delete("uploads/job/input.mp4");
  failures = { status: "FAILED", code: "STORE_UNAVAILABLE", times: 3 };
  await expect(run()).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" });
  expect(log.match(/The status FAILED could not be recorded/g)).toHaveLength(3);
});

it("keeps what a stopped worker left, also where the next one cannot come to it", async () => {
  failures = { status: "FAILED", code: "INTERNAL", times: 0 };
  await expect(run({ signal: AbortSignal.abort("SIGTERM") })).rejects.toMatchObject({ code: "ABORTED" });
  expect(await opened.records.get("job")).toMatchObject({ errorMessage: expect.stringContaining("(SIGTERM)") });
  const left = await opened.store.get("job");
  expect(left).toMatchObject({ status: "queued" });
  const away = async (): Promise<never> => {
    throw new ReelmillError("STORE_UNAVAILABLE", "The share is away.");
  };
  const objects = { ...opened.objects, head: away };
  await expect(run({ objects })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await opened.records.get("job")).toMatchObject({ status: "FAILED" });
  expect(await opened.store.get("job")).toEqual(left);
});

it.each([
  [{ status: "COMPLETED", outputKey: "outputs/job/output.mp4" }, "JOB_STATE", "bucket"],
  [
    { status: "PROCESSING", outputCodec: "h264", bucket: "bucket", inputKey: "uploads/job/input.mp4" },
    "JOB_STATE",
    "bucket",
  ],
  [{ status: "FAILED", errorMessage: "No." }, "OBJECT_NOT_FOUND", "other"],
] as const)(
  "does not take a job over that another bucket has, unless that failed: %j",
  async (change, code, bucket) => {
    failures = { status: "FAILED", code: "INTERNAL", times: 0 };
    const begun = {
      status: "PROCESSING",
      outputCodec: "h264",
      bucket: "bucket",
      inputKey: "uploads/job/input.mp4",
    } as const;
    await opened.records.record("job", begun);
    await opened.records.record("job", change);
    await opened.objects.delete("uploads/job/input.mp4");
    await expect(run({ settings: { ...SETTINGS, bucket: "other" } })).rejects.toMatchObject({ code });
    expect(await opened.records.get("job")).toMatchObject({ status: change.status, bucket });
  },
);

it.each(["PROCESSING", "COMPLETED"] as const)(
  "leaves the record to another worker that has taken the job when %s was to be recorded",
  async (status) => {
    failures = { status: "FAILED", code: "STORE_UNAVAILABLE", times: 0 };
    const taking = new AbortController();
    const records: BatchRecords = {
      get: opened.records.get,
      record: async (jobId, change) => {
        if (change.status === status) taking.abort();
        // As where the table does not answer for as long as it takes to lose the job.
        if (change.status === status) throw new ReelmillError("STORE_UNAVAILABLE", "The table does not answer.");
        return await opened.records.record(jobId, change);
      },
    };
    await expect(run({ records, lost: taking.signal })).rejects.toMatchObject({
      code: "JOB_STATE",
      message: expect.stringContaining("Another worker has taken the job job."),
    });
    const left = status === "COMPLETED" ? { status: "PROCESSING", errorMessage: null } : undefined;
    expect(await opened.records.get("job")).toEqual(left && expect.objectContaining(left));
    // The other one's to remove.
    expect(await opened.store.get("job")).toEqual(left && expect.objectContaining({ status: "succeeded" }));
  },
);
