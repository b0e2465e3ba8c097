/**
 * What a worker on AWS spends on each task that does nothing, besides waiting for the network: `npm run bench:cloud -- [tasks]`. Once on a table
 * in memory, which is the engine and the adapters alone; once on emulators in a process of their own, where the AWS SDK signs, sends and
 * reads each request.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { createSqsBell, createSqsClient } from "../../src/adapters/aws/bell.ts";
import type { SentMessage } from "../../src/adapters/aws/job-commit.ts";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import type { Table } from "../../src/adapters/aws/table.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createUuid } from "../../src/base/ids.ts";
import type { Logger } from "../../src/base/log.ts";
import { isEnded } from "../../src/jobs/job.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { createPipelineRegistry } from "../../src/jobs/pipeline.ts";
import { runWorkerLoop } from "../../src/jobs/worker-loop.ts";
import { defineParts } from "../../test/engine/engine.fixture.ts";
import { makeTable, startStorage, startTables } from "../../test/support/aws.ts";
import { createMemoryTable } from "../../test/support/memory-table.ts";

/** Wanted of engine and adapters. */
const TARGET_MS = 5;
const WARM_UP_TASKS = 200;
const LEASE_MS = 60_000;
const PIPELINE = "parts";
/** Of a job, as a conversion of twenty minutes has. */
const TASKS_PER_JOB = 20;

/** Where the emulators are. */
interface Places {
  readonly storage: string;
  readonly tables: string;
}

async function emulate(): Promise<void> {
  const [storage, tables] = await Promise.all([startStorage(), startTables()]);
  process.send?.({ storage: storage.place.endpoint, tables: tables.place.endpoint });
  process.once("disconnect", () => void Promise.all([storage.stop(), tables.stop()]));
}

const none = (): void => undefined;
const NO_LOG: Logger = {
  debug: none,
  info: none,
  warn: none,
  error: (message, fields) => process.stderr.write(`${message} ${String(fields?.error)}\n`),
  child: () => NO_LOG,
};

/** What a run took, each for one task. */
interface Figures {
  readonly tasks: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly requests: number;
}

/** Works off jobs of `TASKS_PER_JOB` tasks on the table; each job has a plan and an end besides. */
async function workOff(
  table: Table,
  taskCount: number,
  onSent: (message: SentMessage) => Promise<void>,
): Promise<Figures> {
  let requests = 0;
  const store = createJobStore(
    countRequests(table, () => (requests += 1)),
    systemClock,
    { onSent },
  );
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  const parts = Array.from({ length: TASKS_PER_JOB }, (_, index) => `${index}`);
  const ids = Array.from({ length: Math.ceil(taskCount / TASKS_PER_JOB) }, () => createUuid(Date.now()));
  for (const id of ids) await store.create({ id, pipeline: PIPELINE, params: { parts }, ...rest });
  const ending = new AbortController();
  const engine = {
    ...{ store, log: NO_LOG, clock: systemClock, pipelines: createPipelineRegistry([defineParts()]), environment: {} },
    objects: {} as ObjectStore,
    workFolders: { create: async () => "/none", remove: async () => undefined },
    random: Math.random,
  };
  const [cpuBefore, startMs, requestsBefore] = [process.cpuUsage(), performance.now(), requests];
  await runWorkerLoop(engine, {
    ...{ owner: "bench", leaseMs: LEASE_MS, queues: [{ name: PIPELINE, maxInFlight: 100 }], onBusy: none },
    signal: ending.signal,
    idleEndMs: Number.POSITIVE_INFINITY,
    waitForWork: async () => {
      const jobs = await Promise.all(ids.map((id) => store.get(id)));
      if (jobs.every((job) => job !== undefined && isEnded(job.status))) ending.abort();
    },
  });
  const tasks = ids.length * (TASKS_PER_JOB + 2);
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    tasks,
    cpuMs: (user + system) / 1000 / tasks,
    wallMs: (performance.now() - startMs) / tasks,
    requests: (requests - requestsBefore) / tasks,
  };
}

function countRequests(table: Table, onRequest: () => void): Table {
  const send = (...args: Parameters<Table["client"]["send"]>): unknown => {
    onRequest();
    return table.client.send(...args);
  };
  return { ...table, client: { send } as unknown as Table["client"] };
}

function tell(what: string, { tasks, cpuMs, wallMs, requests }: Figures): void {
  const figures = `${cpuMs.toFixed(2)} ms of processor time, ${wallMs.toFixed(2)} ms by the clock, ${requests.toFixed(1)} requests`;
  process.stdout.write(`${what}: ${figures} for each of ${tasks} tasks\n`);
}

async function onEmulators({ storage, tables }: Places, taskCount: number): Promise<Figures> {
  const region = "eu-central-1";
  const sqs = createSqsClient({ region, endpoint: storage });
  const url = (await sqs.send(new CreateQueueCommand({ QueueName: "bench" }))).QueueUrl ?? "";
  const table = await makeTable({ region, endpoint: tables });
  const bell = createSqsBell({
    ...{ client: sqs, queueUrls: { [PIPELINE]: url }, table, log: NO_LOG, clock: systemClock },
    ...{ restMs: LEASE_MS, longPollSeconds: 20 },
  });
  try {
    return await workOff(table, taskCount, bell.ring);
  } finally {
    await bell.close();
    sqs.destroy();
    await table.remove();
  }
}

async function main(): Promise<void> {
  process.env["AWS_ACCESS_KEY_ID"] ??= "bench";
  process.env["AWS_SECRET_ACCESS_KEY"] ??= "bench";
  const [wanted = "2000"] = process.argv.slice(2);
  if (wanted === "emulators") return await emulate();
  const emulators = fork(fileURLToPath(import.meta.url), ["emulators"]);
  try {
    const places = await new Promise<Places>((resolve, reject) => {
      emulators.once("message", (message) => resolve(message as Places));
      emulators.once("exit", (code) => reject(new Error(`The emulators ended with ${code}.`)));
    });
    const tasks = Number(wanted);
    // The first run of the code is not what a worker that stays spends.
    await workOff(createMemoryTable().reach(), WARM_UP_TASKS, async () => undefined);
    const alone = await workOff(createMemoryTable().reach(), tasks, async () => undefined);
    tell("engine and adapters, on a table in memory", alone);
    tell("with the SDK's work on each request", await onEmulators(places, tasks));
    if (alone.cpuMs > TARGET_MS) process.exitCode = 1;
  } finally {
    emulators.disconnect();
  }
}

await main();
