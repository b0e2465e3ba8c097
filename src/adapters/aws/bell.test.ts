import { setTimeout as delay } from "node:timers/promises";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { defineParts } from "../../../test/engine/engine.fixture.ts";
import {
  type AwsUnderTest,
  makeTable,
  type StorageUnderTest,
  startStorage,
  startTables,
  uniqueName,
} from "../../../test/support/aws.ts";
import { systemClock } from "../../base/clock.ts";
import { createUuid } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { createPipelineRegistry } from "../../jobs/pipeline.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { onStarted } from "../../jobs/transitions.ts";
import { runWorkerLoop } from "../../jobs/worker-loop.ts";
import { createSqsBell, createSqsClient, type SqsBell } from "./bell.ts";
import { createJobStore } from "./job-store.ts";
import { removeMessage } from "./queue-messages.ts";

const LEASE_MS = 3000;
const FROM = { owner: "w1", leaseMs: LEASE_MS, queues: [{ name: "parts", maxInFlight: 9 }] };
const LONG_MS = 20_000;
/** Longer than any test waits. */
const REST_MS = 600_000;
const LIVE = new AbortController().signal;

let tables: AwsUnderTest;
let storage: StorageUnderTest;
let table: Awaited<ReturnType<typeof makeTable>>;
let client: SQSClient;
let url: string;
let bells: SqsBell[];
let errors: string[];
let store: JobStore;

beforeAll(async () => {
  [tables, storage] = await Promise.all([startTables(), startStorage()]);
});

afterAll(async () => {
  await tables.stop();
  await storage.stop();
});

beforeEach(async () => {
  table = await makeTable(tables.place);
  client = createSqsClient(storage.queues);
  const Attributes = { VisibilityTimeout: String(LEASE_MS / 1000) };
  url = (await client.send(new CreateQueueCommand({ QueueName: uniqueName(), Attributes }))).QueueUrl ?? "";
  bells = [];
  errors = [];
  store = createJobStore(table, systemClock, { onSent: startBell().ring });
});

afterEach(async () => {
  for (const bell of bells) await bell.close();
  await client.send(new DeleteQueueCommand({ QueueUrl: url }));
  client.destroy();
  await table.remove();
});

const none = (): void => undefined;
const log: Logger = { debug: none, info: none, warn: none, error: (text) => errors.push(text), child: () => log };

function startBell(own: SQSClient = client, queueUrl = url, restMs = REST_MS): SqsBell {
  const queueUrls = { parts: queueUrl };
  const bell = createSqsBell({
    client: own,
    queueUrls,
    table,
    restMs,
    longPollSeconds: 20,
    log,
    clock: systemClock,
  });
  bells.push(bell);
  return bell;
}

async function submit(priority = 0): Promise<string> {
  const rest = { priority, parentJobId: null, webhook: null, idempotency: null };
  const id = createUuid(Date.now());
  await store.create({ id, pipeline: "parts", params: { parts: ["a", "b"] }, ...rest });
  return id;
}

/** How many slips can be received, and how many are hidden. */
async function slips(): Promise<readonly [visible: number, hidden: number]> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const request = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] });
  const { Attributes = {} } = await client.send(request);
  return [Number(Attributes[names[0]]), Number(Attributes[names[1]])];
}

it("wakes one that waits, and hides the slip while it works", async () => {
  const bell = startBell();
  const waiting = bell.wait(LONG_MS, LIVE);
  await submit();
  await waiting;
  expect(await store.takeTask(FROM, onStarted)).toMatchObject({ task: { stage: "plan" } });
  expect(await slips()).toEqual([0, 1]);
});

it("removes, for one that is busy, the slips of what is done, and shows the others again", async () => {
  const bell = startBell();
  await submit();
  await bell.wait(LONG_MS, LIVE);
  // What is done by those who look into the table lies behind what waits: more urgent, and come later.
  for (let count = 0; count < 24; count++) await submit();
  for (let count = 0; count < 11; count++) await submit(5);
  for (let count = 0; count < 11; count++) {
    const taken = await store.takeTask(FROM, onStarted);
    if (taken !== undefined) await removeMessage(table, taken.message);
  }
  expect(await slips()).toEqual([35, 1]);
  await bell.tidy(LIVE);
  expect(await slips()).toEqual([24, 1]);
  expect(errors).toEqual([]);
});

/** Whoever gets the slip lets go of it at once, so that it shows who had it. */
async function takeAndLetGo(): Promise<unknown> {
  const other = startBell();
  await other.wait(1000, LIVE);
  await other.close();
  return await slips();
}

/** What its owner sets while workers live. */
async function setLease(seconds: number): Promise<void> {
  const Attributes = { VisibilityTimeout: String(seconds) };
  await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
}

it("shows the slip again where a worker died, to another one, after as long as the queue is set to", async () => {
  await submit();
  const own = createSqsClient(storage.queues);
  let isDead = false;
  own.middlewareStack.add(
    (next) => async (args) => {
      if (isDead) throw new Error("dead");
      return await next(args);
    },
    { step: "initialize" },
  );
  await startBell(own).wait(LONG_MS, LIVE);
  expect(await slips()).toEqual([0, 1]);
  isDead = true;
  await expect.poll(takeAndLetGo).toEqual([1, 0]);
  own.destroy();
});

it("keeps a slip hidden for longer than a lease, as long as its worker lives", async () => {
  await submit();
  await startBell().wait(LONG_MS, LIVE);
  const other = startBell();
  await other.wait(LEASE_MS + 2000, LIVE);
  expect(await slips()).toEqual([0, 1]);
  await other.close();
  expect(await slips()).toEqual([0, 1]);
});

it("heeds what the queue is set to meanwhile: a slip that was to be hidden shortly is so for long", async () => {
  const own = createSqsClient(storage.queues);
  const hidden: unknown[] = [];
  own.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { VisibilityTimeout } = args.input as { readonly VisibilityTimeout?: number };
        if (/^(ReceiveMessage|ChangeMessageVisibility)Command$/.test(`${commandName}`)) hidden.push(VisibilityTimeout);
        return await next(args);
      },
    { step: "initialize" },
  );
  const bell = startBell(own);
  await bell.wait(500, LIVE);
  await setLease(6);
  await submit();
  await bell.wait(LONG_MS, LIVE);
  await expect.poll(() => hidden.at(-1)).toBe(6);
  expect(hidden.slice(0, -1)).not.toContainEqual(expect.any(Number));
  expect(await slips()).toEqual([0, 1]);
  own.destroy();
});

it("lets a slip rest shortly whose task another worker is at, however long the queue hides what is held", async () => {
  await setLease(600);
  await submit();
  const bell = startBell(client, url, 1000);
  await bell.wait(LONG_MS, LIVE);
  await bell.wait(0, AbortSignal.abort());
  await expect.poll(takeAndLetGo).toEqual([1, 0]);
});

it("lets go of what it holds when it ends", async () => {
  await submit();
  const bell = startBell();
  await bell.wait(LONG_MS, LIVE);
  await bell.close();
  expect(await slips()).toEqual([1, 0]);
});

it("hears at once that it is to stop", async () => {
  const controller = new AbortController();
  const waiting = startBell().wait(LONG_MS, controller.signal);
  controller.abort();
  await waiting;
  await startBell().wait(LONG_MS, AbortSignal.abort());
  expect(errors).toEqual([]);
});

it("throws away slips that tell of nothing", async () => {
  for (const MessageBody of [
    "",
    "{",
    "null",
    '{"id":1}',
    JSON.stringify({ id: 1, sk: "x", jobId: "j", stage: "s", index: 0 }),
  ]) {
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: MessageBody || " " }));
  }
  await startBell().wait(1000, LIVE);
  expect(await slips()).toEqual([0, 0]);
  expect(errors).toEqual([]);
});

it("does not hold up jobs where SQS is away, and says so once", async () => {
  const away = createSqsClient({ ...storage.queues, endpoint: "http://127.0.0.1:1" });
  const bell = startBell(away);
  store = createJobStore(table, systemClock, { onSent: bell.ring });
  await submit();
  await bell.wait(1000, LIVE);
  expect(await store.takeTask(FROM, onStarted)).toBeDefined();
  expect(errors).toHaveLength(1);
  away.destroy();
});

it("goes to the endpoint that it is told, whatever host a queue's URL names", async () => {
  const foreign = `https://sqs.eu-central-1.amazonaws.com${new URL(url).pathname}`;
  await startBell(client, foreign).ring({
    queue: "parts",
    id: 1,
    sk: "x",
    ref: { jobId: "j", stage: "plan", index: 0 },
    delayMs: 0,
  });
  expect(errors).toEqual([]);
  expect(await slips()).toEqual([1, 0]);
});

it("lets a slip be that SQS does not hold for it any more", async () => {
  await submit();
  const own = createSqsClient(storage.queues);
  const bell = startBell(own);
  await bell.wait(LONG_MS, LIVE);
  let refusals = 0;
  own.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== "ChangeMessageVisibilityCommand") return await next(args);
        refusals += 1;
        throw Object.assign(new Error("gone"), { name: "MessageNotInflight", $metadata: { httpStatusCode: 400 } });
      },
    { step: "initialize" },
  );
  await expect.poll(() => refusals).toBe(1);
  await delay(LEASE_MS / 2);
  expect([refusals, errors]).toEqual([1, []]);
  own.destroy();
});

it("leads a worker through whole jobs, and leaves no slip", async () => {
  const controller = new AbortController();
  const bell = startBell();
  const pipelines = createPipelineRegistry([defineParts()]);
  const workFolders = { create: async () => "/none", remove: async () => undefined };
  const engine = { store, pipelines, objects: {} as ObjectStore, workFolders, log, clock: systemClock };
  const working = runWorkerLoop(
    { ...engine, environment: {}, random: () => 0 },
    {
      ...{ owner: "w1", leaseMs: LEASE_MS, queues: FROM.queues, signal: controller.signal, onBusy: none },
      idleEndMs: Number.POSITIVE_INFINITY,
      waitForWork: bell.wait,
      pollMs: LONG_MS,
    },
  );
  const ids = [await submit(), await submit()];
  await expect
    .poll(async () => (await Promise.all(ids.map((id) => store.get(id)))).map((job) => job?.status))
    .toEqual(["succeeded", "succeeded"]);
  await expect.poll(slips).toEqual([0, 0]);
  controller.abort();
  await working;
  expect(errors).toEqual([]);
});
