import { afterAll, beforeAll, expect, it } from "vitest";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import { createTableClient, firstItem, queryItems, type Table } from "../../src/adapters/aws/table.ts";
import { createTaskQueue } from "../../src/adapters/aws/task-queue.ts";
import { isEnded, type Job } from "../../src/jobs/job.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { createPipelineRegistry, type Pipeline } from "../../src/jobs/pipeline.ts";
import type { JobStore } from "../../src/jobs/ports.ts";
import { type Engine, runTask } from "../../src/jobs/run-task.ts";
import { createJobService } from "../../src/jobs/service.ts";
import { onStarted } from "../../src/jobs/transitions.ts";
import { type AwsUnderTest, makeTable, startTables } from "../support/aws.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { defineParts } from "./engine.fixture.ts";

let tables: AwsUnderTest;

beforeAll(async () => {
  tables = await startTables();
});

afterAll(() => tables.stop());

const WRITE = /^(Put|Update|Delete|BatchWrite)/;

/** One process with a way of its own to the table, which dies before so many writes reach it, or before it hears of the last of them. */
function startProcess(table: Table, clock: FakeClock, pipeline: Pipeline, owner: string, dies?: Death) {
  const client = createTableClient(tables.place);
  let writes = 0;
  let isDead = false;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (isDead) throw new Error("dead");
      if (!WRITE.test(String(context.commandName))) return await next(args);
      writes += 1;
      isDead = writes === dies?.atWrite;
      if (!isDead) return await next(args);
      if (dies?.isLost === false) await next({ ...args, input: halfOf(args.input) }).catch(() => undefined);
      throw new Error("dead");
    },
    { step: "initialize" },
  );
  const own = { client, name: table.name };
  const store = createJobStore(own, clock);
  const queue = createTaskQueue(own, clock);
  const log: Engine["log"] = { debug: none, info: none, warn: none, error: none, child: () => log };
  const pipelines = createPipelineRegistry([pipeline]);
  const workFolders = { create: async () => "/none", remove: async () => undefined };
  const rest = { objects: {} as ObjectStore, workFolders, log, clock, environment: {}, random: () => 0 };
  return {
    store,
    queue,
    service: createJobService({ store, queue, pipelines, clock, onWork: none }),
    drain: () => drain({ store, pipelines, ...rest }, owner),
    stop: () => client.destroy(),
  };
}

/** What a table does of a batch whose answer nobody hears may be less than all of it. */
function halfOf(input: object): object {
  const { RequestItems: batch } = input as { readonly RequestItems?: Readonly<Record<string, readonly unknown[]>> };
  if (batch === undefined) return input;
  const half = Object.entries(batch).map(([name, all]) => [name, all.slice(0, Math.ceil(all.length / 2))]);
  return { ...input, RequestItems: Object.fromEntries(half) };
}

const none = (): void => undefined;

interface Death {
  readonly atWrite: number;
  /** Whether the last write never reaches the table; otherwise it does, and the process does not hear of it. */
  readonly isLost: boolean;
}

async function drain(engine: Engine, owner: string): Promise<void> {
  const from = { owner, leaseMs: 15_000, queues: [{ name: "parts", maxInFlight: 9 }] };
  const { signal } = new AbortController();
  for (let taken = await engine.store.takeTask(from, onStarted); taken !== undefined; ) {
    taken = await runTask(engine, taken, { from, signal });
    taken ??= await engine.store.takeTask(from, onStarted);
  }
}

async function eventsOf(store: JobStore, jobId?: string) {
  return await store.listEvents({ jobId, afterSeq: 0, limit: 500 });
}

/** Has a process die at one of its writes, and another one end the job; gives whether the first one died at all. */
async function survive(death: Death): Promise<boolean> {
  const table = await makeTable(tables.place);
  const clock = createFakeClock();
  const pipeline = defineParts();
  const submission = { pipeline: "parts", params: { parts: ["a"] }, idempotencyKey: "k" };
  const first = startProcess(table, clock, pipeline, "w1", death);
  const second = startProcess(table, clock, pipeline, "w2");
  let isDead = false;
  try {
    await first.service.submit(submission);
    await first.drain();
  } catch {
    isDead = true;
  }
  // Leases run out, and what is written halfway is old enough to be looked at.
  clock.advance(20_000);
  let job: Job = (await second.service.submit(submission)).job;
  for (let round = 0; round < 9 && !isEnded(job.status); round++) {
    await second.drain();
    clock.advance(20_000);
    job = (await second.store.get(job.id)) ?? job;
  }
  expect(job, JSON.stringify(death)).toMatchObject({ status: "succeeded", result: ["A"], progress: 1 });
  expect(job.tasks).toEqual({ total: 1, succeeded: 1, failed: 0 });
  const events = await eventsOf(second.store);
  const once = ["job.queued", "job.started", "job.succeeded"];
  expect(events.filter(({ type }) => once.includes(type)).map(({ type }) => type)).toEqual(once);
  expect(events.filter(({ type }) => type === "job.stage")).toHaveLength(2);
  expect(events.filter(({ type }) => type === "task.succeeded")).toHaveLength(1);
  expect(await eventsOf(second.store, job.id)).toEqual(events);
  expect((await second.store.list({ limit: 9 })).jobs).toEqual([job]);
  expect(await second.queue.depths()).toMatchObject([{ waiting: 0, inFlight: 0, dead: 0 }]);
  expect(await firstItem(table, { pk: "pending", index: "GSI2" })).toBeUndefined();
  expect((await second.store.listTasks(job.id)).map(({ status }) => status)).toEqual(Array(3).fill("succeeded"));
  expect(await second.store.sweep(clock.nowMs() + 1)).toEqual([job.id]);
  for await (const item of queryItems(table, { pk: `job#${job.id}` })) expect(item).toBeUndefined();
  expect(await second.store.sweep(clock.nowMs() + 1)).toEqual([]);
  first.stop();
  second.stop();
  await table.remove();
  return isDead;
}

/** Every write takes two minutes; the suite tries every fourth of each kind, others in another run. */
const isThorough = process.env["REELMILL_TEST_EVERY_WRITE"] === "1";
const STRIDE = isThorough ? 1 : 4;

it.each([true, false])(
  "loses nothing and does nothing twice, at whichever write a process dies (the last one is lost: %s)",
  async (isLost) => {
    let atWrite = isThorough || isLost ? 1 : 3;
    while (await survive({ atWrite, isLost })) atWrite += STRIDE;
    // The whole way through a job was gone.
    expect(atWrite).toBeGreaterThan(40);
  },
  600_000,
);

it("lets many processes work at the same jobs, and none does what another did", async () => {
  const table = await makeTable(tables.place);
  const clock = createFakeClock();
  const ran: string[] = [];
  const pipeline = defineParts({
    work: async (_params, part) => {
      ran.push(part);
      return part.toUpperCase();
    },
  });
  const processes = ["w1", "w2", "w3", "w4"].map((owner) => startProcess(table, clock, pipeline, owner));
  const [first] = processes;
  if (first === undefined) throw new Error("no process");
  const parts = ["a", "b", "c", "d", "e"];
  const jobs = await Promise.all(
    [0, 1, 2].map((job) =>
      first.service.submit({ pipeline: "parts", params: { parts: parts.map((part) => `${part}${job}`) } }),
    ),
  );
  // One whose last task is under way elsewhere finds nothing to do, and looks again.
  for (let round = 0; round < 3; round++) await Promise.all(processes.map(({ drain }) => drain()));
  for (const [index, { job }] of jobs.entries()) {
    const result = parts.map((part) => `${part}${index}`.toUpperCase());
    expect(await first.store.get(job.id)).toMatchObject({ status: "succeeded", result });
  }
  expect([...ran].sort()).toEqual([0, 1, 2].flatMap((job) => parts.map((part) => `${part}${job}`)).sort());
  const events = await eventsOf(first.store);
  expect(events.filter(({ type }) => type === "job.succeeded")).toHaveLength(3);
  expect(events.filter(({ type }) => type === "task.lost")).toEqual([]);
  expect(new Set(events.map(({ seq }) => seq)).size).toBe(events.length);
  for (const { stop } of processes) stop();
  await table.remove();
});
