import { z } from "zod";
import { type Clock, LONGEST_TIMER_MS } from "../base/clock.ts";
import type { Environment } from "../base/config-defaults.ts";
import { describeIssue } from "../base/describe-issue.ts";
import { ReelmillError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import type { ContainerPlan } from "./container-starter.ts";
import type { Job, JobError } from "./job.ts";
import { isKeyFault } from "./object-key-schema.ts";
import type { ObjectStore } from "./object-store.ts";
import type { JobNews } from "./webhook-payload.ts";

/** What a stage may touch of the world outside. */
export interface StageContext {
  readonly jobId: string;
  readonly objects: ObjectStore;
  /** A folder of this attempt alone, made when it is first asked for; it goes when the attempt ends, however it ends. */
  readonly workFolder: () => Promise<string>;
  /** Its lines carry the job's id. */
  readonly log: Logger;
  /** Aborted where the job was cancelled, the lease lost, or the worker is to stop. */
  readonly signal: AbortSignal;
  readonly environment: Environment;
  readonly clock: Clock;
  /** Hears how far the task has come, from 0 to 1, and what is being done. */
  readonly onProgress: (fraction: number, phase: string) => void;
  /** What an earlier attempt of this task kept; null at first. */
  readonly checkpoint: Json;
  /** Keeps something for the next attempt, should this one be cut short. */
  readonly saveCheckpoint: (value: Json) => Promise<void>;
}

/** A part of the work, as the plan names it. */
export interface PlannedTask<Input> {
  /** For people, such as a file's name. */
  readonly label: string;
  readonly input: Input;
  /** Share of the work, > 0, in any unit that all tasks of the plan use; default 1. */
  readonly weight?: number;
}

/** What became of a part of the work. */
export type TaskResult<Input, Output> =
  | { readonly status: "succeeded"; readonly input: Input; readonly output: Output }
  | { readonly status: "failed"; readonly input: Input; readonly error: JobError };

/** What a pipeline is: how a job is planned into tasks, how each is worked alone, how the results are finished into one. */
export interface PipelineDefinition<Params, Input, Output, Result> {
  /** Lower case, digits and hyphens; also the name of its queue. */
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /** Strict: names what it does not know. */
  readonly params: z.ZodType<Params>;
  readonly result: z.ZodType<Result>;
  /** Whether one failed task fails the job at once, or the others go on and the job ends as `partial`. */
  readonly onTaskFailure: "fail-job" | "continue";
  /** Tasks of all its jobs that run at a time where nothing else is set. */
  readonly maxConcurrentTasks: number;
  /** An attempt that takes longer is ended and counts as a transient failure; up to 2^31 - 1, 24 days. */
  readonly taskTimeoutMs: number;
  readonly plan: (params: Params, context: StageContext) => Promise<readonly PlannedTask<Input>[]>;
  readonly work: (params: Params, input: Input, context: StageContext) => Promise<Output>;
  /** Gets the results in the order of the plan. */
  readonly finish: (
    params: Params,
    results: readonly TaskResult<Input, Output>[],
    context: StageContext,
  ) => Promise<Result>;
  /** The idempotency key of params that name themselves, where whoever submits the job gives none; a replay has none. Pure. */
  readonly idempotencyKeyOf?: (params: Params) => string | undefined;
  /** What webhooks tell of a job that has ended, whichever way; the same for every pipeline where this is left out. Pure. */
  readonly describeCompletion?: (job: Job) => JobNews;
  /** What a container for the whole job is to be; where it is left out, that is a matter of whoever starts containers. */
  readonly planContainer?: (params: Params, objects: ObjectStore) => Promise<ContainerPlan>;
}

/** A pipeline as the engine runs it: everything that passes through is JSON. */
export interface Pipeline {
  readonly name: string;
  readonly description: string;
  readonly onTaskFailure: "fail-job" | "continue";
  readonly maxConcurrentTasks: number;
  readonly taskTimeoutMs: number;
  /** JSON Schema (draft 2020-12) of the params as a client gives them. */
  readonly paramsSchema: Json;
  /** JSON Schema of the result. */
  readonly resultSchema: Json;
  /** Resolves params as a client gave them. Throws PARAMS_INVALID naming each field, OBJECT_KEY_INVALID. */
  readonly parseParams: (params: unknown) => Json;
  readonly plan: (params: Json, context: StageContext) => Promise<readonly PlannedTask<Json>[]>;
  readonly work: (params: Json, input: Json, context: StageContext) => Promise<Json>;
  readonly finish: (params: Json, results: readonly TaskResult<Json, Json>[], context: StageContext) => Promise<Json>;
  /** As in the definition. */
  readonly idempotencyKeyOf?: (params: Json) => string | undefined;
  readonly describeCompletion?: (job: Job) => JobNews;
  readonly planContainer?: (params: Json, objects: ObjectStore) => Promise<ContainerPlan>;
}

/**
 * Turns a definition into what the engine runs. `Input`, `Output` and `Result` must be JSON; params are parsed once, when the job
 * is submitted, and kept as they were resolved. Throws RangeError for a time-out that no timer can be set to.
 */
export function definePipeline<Params, Input, Output, Result>(
  definition: PipelineDefinition<Params, Input, Output, Result>,
): Pipeline {
  const { name, description, onTaskFailure, maxConcurrentTasks, taskTimeoutMs, params, result } = definition;
  const { planContainer } = definition;
  if (!(taskTimeoutMs > 0 && taskTimeoutMs <= LONGEST_TIMER_MS)) {
    throw new RangeError(
      `taskTimeoutMs of ${name} is ${taskTimeoutMs}; it has to be above 0 and at most ${LONGEST_TIMER_MS}.`,
    );
  }
  return {
    name,
    description,
    onTaskFailure,
    maxConcurrentTasks,
    taskTimeoutMs,
    paramsSchema: z.toJSONSchema(params, { io: "input" }) as Json,
    resultSchema: z.toJSONSchema(result, { io: "output" }) as Json,
    parseParams: (given) => {
      const parsed = params.safeParse(given);
      if (!parsed.success) throw invalidParams(name, parsed.error, given);
      return parsed.data as Json;
    },
    plan: async (resolved, context) =>
      (await definition.plan(resolved as Params, context)) as readonly PlannedTask<Json>[],
    work: async (resolved, input, context) =>
      (await definition.work(resolved as Params, input as Input, context)) as Json,
    finish: async (resolved, results, context) =>
      (await definition.finish(resolved as Params, results as readonly TaskResult<Input, Output>[], context)) as Json,
    ...(definition.idempotencyKeyOf && {
      idempotencyKeyOf: (resolved: Json) => definition.idempotencyKeyOf?.(resolved as Params),
    }),
    ...(definition.describeCompletion && { describeCompletion: definition.describeCompletion }),
    ...(planContainer && {
      planContainer: (resolved: Json, objects: ObjectStore) => planContainer(resolved as Params, objects),
    }),
  };
}

function invalidParams(name: string, error: z.ZodError, given: unknown): ReelmillError {
  const faults = error.issues.map((issue) => `${issue.path.join(".") || "params"}: ${describeIssue(issue, given)}`);
  const code = isKeyFault(error) ? "OBJECT_KEY_INVALID" : "PARAMS_INVALID";
  return new ReelmillError(code, `The params do not fit the pipeline ${name}. ${faults.join("; ")}.`);
}

/** The pipelines that there are, by name. */
export interface PipelineRegistry {
  readonly all: readonly Pipeline[];
  /** Throws PIPELINE_UNKNOWN naming those there are. */
  get(name: string): Pipeline;
}

/** A registry of the pipelines given; their names must differ. */
export function createPipelineRegistry(pipelines: readonly Pipeline[]): PipelineRegistry {
  const byName = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
  return {
    all: pipelines,
    get: (name) => {
      const pipeline = byName.get(name);
      if (pipeline === undefined) {
        const known = [...byName.keys()].join(", ");
        throw new ReelmillError("PIPELINE_UNKNOWN", `There is no pipeline "${name}". Pipelines: ${known}.`);
      }
      return pipeline;
    },
  };
}
