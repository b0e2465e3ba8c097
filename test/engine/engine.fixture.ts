import { afterEach } from "vitest";
import { z } from "zod";
import type { Logger } from "../../src/base/log.ts";
import type { Job } from "../../src/jobs/job.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import {
  createPipelineRegistry,
  definePipeline,
  type Pipeline,
  type PipelineDefinition,
} from "../../src/jobs/pipeline.ts";
import type { ReceiveOptions, TakenTask } from "../../src/jobs/ports.ts";
import { type Engine, runTask } from "../../src/jobs/run-task.ts";
import { createJobService, type JobService } from "../../src/jobs/service.ts";
import { onStarted } from "../../src/jobs/transitions.ts";
import { type LocalStore, openLocalStore } from "../support/local-store.ts";

/** A pipeline whose params name its parts; each part is a task. */
type PartsPipeline = PipelineDefinition<{ readonly parts: readonly string[] }, string, unknown, unknown>;

/** An engine on a database of its own, whose workers are told what to do. */
export interface TestEngine extends LocalStore {
  readonly engine: Engine;
  readonly service: JobService;
  /** Folders for attempts that are there. */
  readonly folders: Set<string>;
  readonly lines: string[];
  from(owner?: string): ReceiveOptions;
  take(owner?: string): Promise<TakenTask | undefined>;
  /** Takes and runs tasks until none is due. */
  drain(owner?: string, signal?: AbortSignal): Promise<void>;
}

/** Parts as given; each brings itself in capitals, the end brings how each came out. */
export function defineParts(changes: Partial<PartsPipeline> = {}): Pipeline {
  return definePipeline({
    name: "parts",
    description: "Parts.",
    params: z.strictObject({ parts: z.array(z.string()) }),
    result: z.unknown(),
    onTaskFailure: "continue",
    maxConcurrentTasks: 100,
    taskTimeoutMs: 60_000,
    plan: async ({ parts }) => parts.map((part) => ({ label: part, input: part })),
    work: async (_params, part) => part.toUpperCase(),
    finish: async (_params, results) => results.map((result) => (result.status === "succeeded" ? result.output : null)),
    ...changes,
  });
}

/** Opens an engine with the pipeline given. */
export async function openEngine(pipeline: Pipeline = defineParts()): Promise<TestEngine> {
  const local = await openLocalStore();
  const { store, queue, clock } = local;
  const pipelines = createPipelineRegistry([pipeline]);
  const folders = new Set<string>();
  const lines: string[] = [];
  const log: Logger = {
    debug: () => undefined,
    info: (message) => lines.push(message),
    warn: (message) => lines.push(message),
    error: (message) => lines.push(message),
    child: () => log,
  };
  const workFolders: Engine["workFolders"] = {
    create: async ({ jobId, stage, index }, attempt) => {
      const path = `/${jobId}/${stage}/${index}/${attempt}`;
      folders.add(path);
      return path;
    },
    remove: async (path) => {
      folders.delete(path);
    },
  };
  const objects = {} as ObjectStore;
  const engine: Engine = { store, objects, pipelines, workFolders, log, clock, environment: {}, random: () => 0 };
  const from = (owner = "w1"): ReceiveOptions => ({
    owner,
    leaseMs: 15_000,
    queues: [{ name: pipeline.name, maxInFlight: pipeline.maxConcurrentTasks }],
  });
  const take = (owner?: string): Promise<TakenTask | undefined> => store.takeTask(from(owner), onStarted);
  return {
    ...local,
    engine,
    service: createJobService({ store, queue, pipelines, clock, onWork: () => undefined }),
    folders,
    lines,
    from,
    take,
    drain: async (owner, signal = new AbortController().signal) => {
      let taken = await take(owner);
      while (taken !== undefined) {
        taken = await runTask(engine, taken, { from: from(owner), signal });
        taken ??= signal.aborted ? undefined : await take(owner);
      }
    },
  };
}

/** Opens engines for tests one at a time; the last one is closed with its test. */
export function prepareEngine(): {
  readonly start: (pipeline?: Pipeline) => Promise<TestEngine>;
  readonly stop: () => Promise<void>;
} {
  let open: TestEngine | undefined;
  const stop = async (): Promise<void> => {
    await open?.close();
    open = undefined;
  };
  afterEach(stop);
  return {
    start: async (pipeline) => {
      open = await openEngine(pipeline);
      return open;
    },
    stop,
  };
}

/** Submits a job of so many parts. */
export async function submitParts({ service }: TestEngine, ...parts: string[]): Promise<Job> {
  return (await service.submit({ pipeline: "parts", params: { parts } })).job;
}
