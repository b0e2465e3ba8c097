import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type AwsUnderTest, makeTable, startTables } from "../../../test/support/aws.ts";
import { createFakeClock, type FakeClock } from "../../../test/support/fake-clock.ts";
import { createUuid } from "../../base/ids.ts";
import type { JobStore, NewJob, TakenTask } from "../../jobs/ports.ts";
import { onCancel, onStarted, onSucceeded, type StageYield } from "../../jobs/transitions.ts";
import { appendEntry, createLogEnd, type LogEnd } from "./change-log.ts";
import { createJobStore } from "./job-store.ts";
import { openBook, readBooks, strikeAll, takeMessage } from "./queue-book.ts";
import { createTableClient, deleteItem, queryItems } from "./table.ts";

const FROM = { owner: "w1", leaseMs: 15_000, queues: [{ name: "p", maxInFlight: 9 }] };

let tables: AwsUnderTest;
let table: Awaited<ReturnType<typeof makeTable>>;
let clock: FakeClock;
let store: JobStore;

beforeAll(async () => {
  tables = await startTables();
});

afterAll(() => tables.stop());

beforeEach(async () => {
  table = await makeTable(tables.place);
  clock = createFakeClock();
  store = createJobStore(table, clock);
});

afterEach(() => table.remove());

function newJob(params: NewJob["params"] = null): NewJob {
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  return { id: createUuid(clock.nowMs()), pipeline: "p", params, ...rest };
}

async function take(): Promise<TakenTask> {
  const taken = await store.takeTask(FROM, onStarted);
  if (taken === undefined) throw new Error("no task was due");
  return taken;
}

async function complete({ task, message }: TakenTask, brought: StageYield) {
  const output = brought.stage === "work" ? brought.output : null;
  const outcome = { status: "succeeded", output } as const;
  const completion = { ref: message.ref, attempt: task.attempt, outcome, message, takeNext: undefined };
  return await store.completeTask(completion, onSucceeded(message.ref, task.attempt, brought));
}

async function countValues(jobId: string): Promise<number> {
  let values = 0;
  for await (const { sk } of queryItems(table, { pk: `job#${jobId}` }))
    if (String(sk).startsWith("value#")) values += 1;
  return values;
}

it("keeps values larger than an item, and forgets them with their job", async () => {
  const params = { text: "ü🎞\u0000".repeat(80_000) };
  const { job } = await store.create(newJob(params));
  expect(job.params).toEqual(params);
  expect((await store.get(job.id))?.params).toEqual(params);
  const inputs = Array.from({ length: 40 }, (_, index) => ({ index, text: "é".repeat(6000) }));
  await complete(await take(), {
    stage: "plan",
    tasks: inputs.map((input) => ({ label: `t${input.index}`, input })),
  });
  expect((await store.listTasks(job.id, "work")).map(({ input }) => input)).toEqual(inputs);
  const output = "o".repeat(450_000);
  const first = await take();
  const firstBeat = { ref: first.message.ref, attempt: 1, progress: 0, phase: "", message: first.message };
  await store.beat({ ...firstBeat, checkpoint: output });
  expect((await store.getTask(first.message.ref))?.checkpoint).toBe(output);
  const valuesBefore = await countValues(job.id);
  await store.beat({ ...firstBeat, checkpoint: `${output}!` });
  expect((await store.getTask(first.message.ref))?.checkpoint).toBe(`${output}!`);
  expect(await countValues(job.id)).toBe(valuesBefore);
  await complete(first, { stage: "work", output });
  expect((await store.getTask(first.message.ref))?.output).toBe(output);
  expect((await store.list({ limit: 5 })).jobs).toEqual([await store.get(job.id)]);
  await store.update(job.id, onCancel);
  clock.advance(1);
  expect(await store.sweep(clock.nowMs())).toEqual([job.id]);
  for await (const item of queryItems(table, { pk: `job#${job.id}` })) expect(item).toBeUndefined();
  for await (const item of queryItems(table, { pk: "queue#p" })) expect(item).toBeUndefined();
});

it("tells a change that was made from one that was not, where the answer to its write was lost", async () => {
  const client = createTableClient(tables.place);
  let losses = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const { body } = args.request as { readonly body: Uint8Array };
      const isTransition = new TextDecoder().decode(body).includes("GSI2SK");
      if (losses > 0 || context.commandName !== "UpdateItemCommand" || !isTransition) return result;
      losses += 1;
      throw Object.assign(new Error("lost"), { code: "ECONNRESET", name: "TimeoutError" });
    },
    // Below what sends a request again.
    { step: "finalizeRequest", priority: "low" },
  );
  const { job } = await store.create(newJob());
  const lossy = createJobStore({ client, name: table.name }, clock);
  expect(await lossy.update(job.id, onCancel)).toMatchObject({ status: "cancelled" });
  expect(losses).toBe(1);
  expect(await lossy.update(job.id, onCancel)).toBeUndefined();
  client.destroy();
});

it("has a table that is not there refused, and a service that is away waited for", async () => {
  const missing = createJobStore({ client: table.client, name: "no-such-table" }, clock);
  await expect(missing.get("x")).rejects.toMatchObject({ code: "STORE_REFUSED", retryable: false });
  const client = createTableClient({ ...tables.place, endpoint: "http://127.0.0.1:1" });
  const away = createJobStore({ client, name: table.name }, clock);
  await expect(away.get("x")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  client.destroy();
});

/** What is left of a table that is lost and made anew: nothing. */
async function emptyTable(): Promise<void> {
  const { Items = [] } = await table.client.send(new ScanCommand({ TableName: table.name, ConsistentRead: true }));
  for (const { pk, sk } of Items) await deleteItem(table, { pk: String(pk), sk: String(sk) });
}

it("goes on in a table that was lost and made anew: what is sent then is received, and jobs can be cancelled", async () => {
  await store.create(newJob());
  await take();
  await emptyTable();
  const { job } = await store.create(newJob());
  const plan = await take();
  expect(plan.message.ref).toEqual({ jobId: job.id, stage: "plan", index: 0 });
  // The book alone is gone when the next messages are put in, and then when they are dropped.
  await deleteItem(table, { pk: "queues", sk: "p" });
  await complete(plan, { stage: "plan", tasks: [{ label: "a", input: null }] });
  expect((await take()).message.ref).toEqual({ jobId: job.id, stage: "work", index: 0 });
  await deleteItem(table, { pk: "queues", sk: "p" });
  expect(await store.update(job.id, onCancel)).toMatchObject({ status: "cancelled" });
});

it("strikes as many messages as there are, in expressions that DynamoDB takes", async () => {
  await openBook(table, "p");
  const lengths: number[] = [];
  table.client.middlewareStack.add(
    (next) => async (args) => {
      const { UpdateExpression } = args.input as { readonly UpdateExpression?: string };
      if (UpdateExpression !== undefined) lengths.push(UpdateExpression.length);
      return await next(args);
    },
    { step: "initialize", name: "lengths" },
  );
  const ids = Array.from({ length: 250 }, (_, at) => 1_000_000_000 + at);
  expect(await strikeAll(table, "p", ids)).toBeDefined();
  table.client.middlewareStack.remove("lengths");
  expect(lengths).toHaveLength(3);
  expect(Math.max(...lengths)).toBeLessThan(4096);
});

it("tells those who follow changes of progress, but not of every beat", async () => {
  const { job } = await store.create(newJob());
  await complete(await take(), { stage: "plan", tasks: [{ label: "a", input: null }] });
  const { message } = await take();
  const beat = { ref: message.ref, attempt: 1, phase: "", message };
  const before = await store.lastChange();
  clock.advance(400);
  await store.beat({ ...beat, progress: 0.1 });
  expect(await store.listChanged(before, 9)).toEqual([]);
  clock.advance(700);
  // Nothing new, but what was not told is.
  await store.beat({ ...beat, progress: 0.1 });
  expect(await store.listChanged(before, 9)).toMatchObject([{ id: job.id, progress: 0.1 }]);
  const after = await store.lastChange();
  expect(after).toBeGreaterThan(before);
  clock.advance(700);
  await store.beat({ ...beat, progress: 0.1 });
  expect(await store.lastChange()).toBe(after);
  expect(await store.listEvents({ afterSeq: before, limit: 9 })).toEqual([]);
});

/** Has the plan of one job held by a worker that gives signs of life while another job's is ended, which takes long. Gives what is taken next. */
async function completeSlowly(maxInFlight: number): Promise<{ readonly held: TakenTask; readonly next: unknown }> {
  await store.create(newJob());
  const held = await take();
  await store.create({ ...newJob(), priority: maxInFlight === 1 ? 1 : 0 });
  const beat = { ref: held.message.ref, attempt: 1, progress: 0, phase: "", message: held.message, leaseMs: 15_000 };
  let areSlow = false;
  const onSent = async (): Promise<void> => {
    for (let beats = 0; areSlow && beats < 6; beats++) {
      clock.advance(5000);
      expect(await store.beat(beat)).toBe(true);
    }
  };
  const slow = createJobStore(table, clock, { onSent });
  const ended = await slow.takeTask({ ...FROM, owner: "w2" }, onStarted);
  if (ended === undefined) throw new Error("no task was due");
  const { ref } = ended.message;
  const brought: StageYield = { stage: "plan", tasks: [{ label: "a", input: null }] };
  const from = { owner: "w2", leaseMs: 15_000, queues: [{ name: "p", maxInFlight }] };
  const takeNext = { from, onStart: onStarted };
  const outcome = { status: "succeeded", output: null } as const;
  areSlow = true;
  const completion = { ref, attempt: 1, outcome, message: ended.message, takeNext };
  const completed = await slow.completeTask(completion, onSucceeded(ref, 1, brought));
  expect(completed?.job.id).toBe(ref.jobId);
  return { held, next: completed?.next };
}

it("takes nothing from a living worker where it takes long to tell of the messages sent", async () => {
  const { held, next } = await completeSlowly(9);
  expect(next).toMatchObject({ task: { stage: "work" } });
  expect((await store.getTask(held.message.ref))?.attempt).toBe(1);
});

it("holds to how many tasks may be out, where it takes long to tell of the messages sent", async () => {
  expect((await completeSlowly(1)).next).toBeUndefined();
});

it("takes no message whose holder has given a sign of life since the book was read", async () => {
  await store.create(newJob());
  const { message } = await take();
  clock.advance(16_000);
  const [book] = await readBooks(table);
  const waiting = { id: message.id, sk: book?.holds[message.id]?.sk ?? "", ref: message.ref };
  const beat = { ref: message.ref, attempt: 1, progress: 0, phase: "", message, leaseMs: 15_000 };
  expect(await store.beat(beat)).toBe(true);
  const lease = { owner: "w2", untilMs: clock.nowMs() + 15_000 };
  expect(book && (await takeMessage(table, book, waiting, lease))).toBeUndefined();
  const [now] = await readBooks(table);
  expect(now && (await takeMessage(table, now, waiting, lease))).toMatchObject({ id: message.id });
});

it("records an outcome where the store is away when the next task is to be taken", async () => {
  const client = createTableClient(tables.place);
  let isAway = false;
  client.middlewareStack.add(
    (next) => async (args) => {
      if (isAway) throw Object.assign(new Error("away"), { code: "ECONNRESET" });
      return await next(args);
    },
    { step: "initialize" },
  );
  const flapping = createJobStore({ client, name: table.name }, clock);
  await store.create(newJob());
  const { message } = await take();
  const onStart: typeof onStarted = (...args) => {
    isAway = true;
    return onStarted(...args);
  };
  const brought: StageYield = { stage: "plan", tasks: [{ label: "a", input: null }] };
  const outcome = { status: "succeeded", output: null } as const;
  const completion = { ref: message.ref, attempt: 1, outcome, message, takeNext: { from: FROM, onStart } };
  const completed = await flapping.completeTask(completion, onSucceeded(message.ref, 1, brought));
  expect(isAway).toBe(true);
  expect(completed).toMatchObject({ job: { stage: "work" }, next: undefined });
  client.destroy();
});

it("looks up where the log ends after a pause, and where an entry was there already", async () => {
  const end = createLogEnd(table, clock);
  const entry = (change: string) => ({ jobId: "x", change, events: [] });
  const append = (logEnd: LogEnd, change: string, number: number) =>
    appendEntry({ table, logEnd }, entry(change), number, async () => true);
  const others = createLogEnd(table, clock);
  expect(await append(others, "a", 1)).toBe(1);
  expect(await append(others, "b", 2)).toBe(2);
  expect(await append(end, "a", 1)).toBe(1);
  expect(await end.next()).toBe(3);
  expect(await append(end, "c", 3)).toBe(3);
  expect(await append(others, "d", 4)).toBe(4);
  // As the monotonic clock of a machine has it that was suspended.
  clock.jump(3_600_000);
  expect(await end.next()).toBe(5);
});
