import { join } from "node:path";
import { openDatabase } from "../../../src/adapters/local/database.ts";
import { createJobStore } from "../../../src/adapters/local/job-store.ts";
import { createTaskQueue } from "../../../src/adapters/local/task-queue.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { createUuid } from "../../../src/base/ids.ts";
import type { Logger } from "../../../src/base/log.ts";
import type { ObjectStore } from "../../../src/jobs/object-store.ts";
import { createPipelineRegistry, type Pipeline } from "../../../src/jobs/pipeline.ts";
import type { JobStore, TaskQueue } from "../../../src/jobs/ports.ts";
import type { Engine } from "../../../src/jobs/run-task.ts";
import { runWorkerLoop } from "../../../src/jobs/worker-loop.ts";
import type { Contestant, Session, Setting } from "../contestant.ts";

const NAME = "bench";
/** Creations under way at a time, as from a server's clients. */
const TOGETHER = 50;
const LEASE_MS = 15_000;
const NO_LOG: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => process.stderr.write(`${message} ${String(fields?.error)}\n`),
  child: () => NO_LOG,
};

function open({ folder, durability }: Setting): {
  readonly store: JobStore;
  readonly queue: TaskQueue;
  close(): Promise<void>;
} {
  const database = openDatabase(join(folder, "bench.db"), durability === "power" ? "full" : "normal");
  return {
    store: createJobStore(database, systemClock),
    queue: createTaskQueue(database, systemClock),
    close: async () => database.close(),
  };
}

async function enqueue(store: JobStore, count: number): Promise<void> {
  const rest = { params: { n: 1 }, priority: 0, parentJobId: null, webhook: null, idempotency: null };
  const create = () => store.create({ id: createUuid(Date.now()), pipeline: NAME, ...rest });
  for (let made = 0; made < count; made += TOGETHER) {
    await Promise.all(Array.from({ length: Math.min(TOGETHER, count - made) }, create));
  }
}

/** Whole jobs: plan, one task, end; recorded, with progress and events. */
export const reelmillJobs: Contestant = {
  name: "reelmill, whole jobs",
  install: [],
  server: "none",
  open: async (setting): Promise<Session> => {
    const { store, close } = open(setting);
    return {
      enqueue: (count) => enqueue(store, count),
      work: async (onDone, runJob) => {
        const pipeline: Pipeline = {
          name: NAME,
          description: NAME,
          onTaskFailure: "fail-job",
          maxConcurrentTasks: 1000,
          taskTimeoutMs: 600_000,
          paramsSchema: {},
          resultSchema: {},
          parseParams: () => null,
          plan: async () => [{ label: "task", input: null }],
          work: async () => {
            await runJob();
            return null;
          },
          finish: async () => null,
        };
        // What ends a job is told when the next one begins: one later at most.
        const counting: JobStore = {
          ...store,
          completeTask: async (completion, decide) => {
            const completed = await store.completeTask(completion, decide);
            if (completed?.job.status === "succeeded") onDone();
            return completed;
          },
        };
        void loop(counting, pipeline);
      },
      close,
    };
  },
};

function loop(store: JobStore, pipeline: Pipeline): Promise<void> {
  const engine: Engine = {
    store,
    objects: {} as ObjectStore,
    pipelines: createPipelineRegistry([pipeline]),
    workFolders: { create: async () => "", remove: async () => undefined },
    log: NO_LOG,
    clock: systemClock,
    environment: {},
    random: Math.random,
  };
  return runWorkerLoop(engine, {
    owner: `bench-${process.pid}`,
    leaseMs: LEASE_MS,
    queues: [{ name: NAME, maxInFlight: 1000 }],
    signal: new AbortController().signal,
    idleEndMs: 600_000,
    onBusy: () => undefined,
    waitForWork: (timeoutMs) => new Promise((resolve) => setTimeout(resolve, timeoutMs)),
  });
}

/** The queue alone, as the others are: one message to a job. */
export const reelmillMessages: Contestant = {
  name: "reelmill, queue alone",
  install: [],
  server: "none",
  open: async (setting): Promise<Session> => {
    const { store, queue, close } = open(setting);
    const from = { owner: `bench-${process.pid}`, leaseMs: LEASE_MS, queues: [{ name: NAME, maxInFlight: 1000 }] };
    const run = async (onDone: () => void, runJob: () => Promise<void>): Promise<void> => {
      for (;;) {
        const message = await queue.receive(from);
        if (message === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          continue;
        }
        await runJob();
        await queue.ack(message);
        onDone();
      }
    };
    return {
      enqueue: (count) => enqueue(store, count),
      work: async (onDone, runJob) => {
        void run(onDone, runJob);
      },
      close,
    };
  },
};
