import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createBatchRecords } from "../../src/adapters/aws/batch-records.ts";
import { clientSettings } from "../../src/adapters/aws/connection.ts";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import type { Table } from "../../src/adapters/aws/table.ts";
import { onItemChanged } from "../../src/apps/lambda/item-changed.ts";
import { ITEM_PATTERNS } from "../../src/apps/lambda/item-patterns.ts";
import { createUuid } from "../../src/base/ids.ts";
import { createLogger } from "../../src/base/log.ts";
import type { AttemptOutcome, JobStore, TakenTask } from "../../src/jobs/ports.ts";
import { onCancel, onFailed, onRetry, onStarted, onSucceeded, type StageYield } from "../../src/jobs/transitions.ts";
import { type AwsUnderTest, makeTable, startTables } from "../support/aws.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { fitsPattern, type StreamRecord, watchStream } from "./stream.fixture.ts";

/*
 * The stream's filter against what the function does: both are asked about every write of jobs that live through what jobs live through, written by the
 * adapter itself.
 */

/** So many that the list of what a plan still has to write is kept apart. */
const TASKS = 60;
const BEATS = 5;
const SECOND_MS = 1000;

let tables: AwsUnderTest;
let wire: DynamoDBClient;
let table: Awaited<ReturnType<typeof makeTable>>;
let clock: FakeClock;
let store: JobStore;
let records: readonly StreamRecord[];

beforeAll(async () => {
  tables = await startTables();
  wire = new DynamoDBClient(clientSettings(tables.place));
});

afterAll(async () => {
  wire.destroy();
  await tables.stop();
});

beforeEach(async () => {
  table = await makeTable(tables.place);
  clock = createFakeClock();
  store = createJobStore(table, clock);
  records = watchStream(table, wire);
});

afterEach(() => table.remove());

function passes(record: StreamRecord): boolean {
  return ITEM_PATTERNS.some((pattern) => fitsPattern(pattern, record));
}

/** Whether the function does anything about it. */
async function isActedOn(record: StreamRecord): Promise<boolean> {
  let acts = 0;
  const act = async (): Promise<void> => {
    acts += 1;
  };
  const ports = { care: { settle: act }, containers: { startQueued: act }, deliver: act };
  const log = createLogger({ format: "json", level: "error", write: () => undefined });
  await onItemChanged({ Records: [record] }, { ...ports, log, signal: new AbortController().signal });
  return acts > 0;
}

async function create(jobs: JobStore = store): Promise<string> {
  const id = createUuid(clock.nowMs());
  const idempotency = { key: id, bodyHash: "h", keepMs: 24 * 3600 * SECOND_MS };
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency };
  return (await jobs.create({ id, pipeline: "p", params: { a: 1 }, ...rest })).job.id;
}

async function take(jobs: JobStore = store): Promise<TakenTask> {
  const from = { owner: "w", leaseMs: 60 * SECOND_MS, queues: [{ name: "p", maxInFlight: 100 }] };
  const taken = await jobs.takeTask(from, onStarted);
  if (taken === undefined) throw new Error("No task was due.");
  return taken;
}

async function end({ task, message }: TakenTask, outcome: AttemptOutcome, brought: StageYield, jobs: JobStore = store) {
  const { ref } = message;
  const completion = { ref, attempt: task.attempt, outcome, message, takeNext: undefined };
  const decide =
    outcome.status === "failed"
      ? onFailed(ref, task.attempt, outcome.error, "continue")
      : onSucceeded(ref, task.attempt, brought);
  await jobs.completeTask(completion, decide);
}

async function complete(taken: TakenTask, brought: StageYield, jobs: JobStore = store): Promise<void> {
  const output = brought.stage === "work" ? brought.output : null;
  await end(taken, { status: "succeeded", output }, brought, jobs);
}

function plan(count: number): StageYield {
  return { stage: "plan", tasks: Array.from({ length: count }, (_, index) => ({ label: `t${index}`, input: {} })) };
}

/** What a worker does twice a second while it works: progress, with it the lease, and now and then what it has come to. */
async function beat({ task, message }: TakenTask, count: number): Promise<void> {
  for (let at = 1; at <= count; at++) {
    clock.advance(SECOND_MS);
    const more = at % 2 === 0 ? {} : { leaseMs: 60 * SECOND_MS, checkpoint: { at } };
    const progress = at / (count + 1);
    expect(
      await store.beat({ ref: message.ref, attempt: task.attempt, progress, phase: "encode", message, ...more }),
    ).toBe(true);
  }
}

const DONE: StageYield = { stage: "work", output: { frames: 1 } };

/** One that comes to its end, one that fails in part, is tried again and cancelled, one of a batch worker's; and all are forgotten. */
async function liveThroughAll(): Promise<void> {
  const jobId = await create();
  await complete(await take(), plan(TASKS));
  const working = await take();
  await beat(working, BEATS);
  await complete(working, DONE);
  await store.update(jobId, onCancel);

  const second = await create();
  await complete(await take(), plan(2));
  await complete(await take(), DONE);
  const error = { code: "INTERNAL", message: "broken" } as const;
  await end(await take(), { status: "failed", error, isBuried: true }, DONE);
  await complete(await take(), { stage: "finish", result: { files: 1 }, firstError: error });
  await store.update(second, onRetry);
  await store.update(second, onCancel);

  const own = createJobStore({ ...table, space: "batch#42/" } satisfies Table, clock);
  await create(own);
  await complete(await take(own), plan(TASKS), own);
  await createBatchRecords(table, clock).record("42", {
    status: "PROCESSING",
    outputCodec: "vp9",
    bucket: "b",
    inputKey: "k",
  });
  clock.advance(SECOND_MS);
  await store.sweep(clock.nowMs());
}

it("let through all that the function acts on, and nothing else", async () => {
  await liveThroughAll();
  const acted: StreamRecord[] = [];
  for (const record of records) if (await isActedOn(record)) acted.push(record);
  expect(records.filter(passes)).toEqual(acted);
  // Each pattern is for something, and the most is for none.
  for (const pattern of ITEM_PATTERNS) {
    expect(records.filter((record) => fitsPattern(pattern, record)).length, JSON.stringify(pattern)).toBeGreaterThan(0);
  }
  const statuses = new Set(acted.map(({ dynamodb }) => dynamodb.NewImage?.["status"]?.S));
  expect(statuses).toEqual(new Set(["queued", "running", "partial", "cancelled"]));
  const partitions = acted.map(({ dynamodb }) => dynamodb.Keys["pk"]?.S ?? "");
  expect(partitions.some((pk) => pk.startsWith("batch#42/job#"))).toBe(true);
  expect(acted.length).toBeLessThan(records.length / 4);
});

it("keep back what a task tells while it runs", async () => {
  await create();
  await complete(await take(), plan(1));
  const working = await take();
  const before = records.length;
  await beat(working, BEATS);
  const beats = records.slice(before);
  // In the job's own item, the task's, the queue's book and the log.
  const written = new Set(beats.map(({ dynamodb: { Keys } }) => Keys["sk"]?.S ?? ""));
  expect([...written]).toEqual(expect.arrayContaining(["job", expect.stringMatching(/^task#/), "p"]));
  expect(beats.filter(({ dynamodb }) => dynamodb.Keys["pk"]?.S === "log").length).toBeGreaterThan(0);
  expect(beats.filter(passes)).toEqual([]);
});
