import type { Clock } from "../base/clock.ts";
import type { Environment } from "../base/config-defaults.ts";
import { ReelmillError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { parseTraceparent } from "../base/trace-context.ts";
import { inSpan, NO_SPAN, type Span } from "../base/tracer.ts";
import type { JobError, Task, TaskRef } from "./job.ts";
import { contextOfJob } from "./job-trace.ts";
import { watchObjects } from "./moved-bytes.ts";
import type { ObjectStore } from "./object-store.ts";
import { persist } from "./persist.ts";
import type { Pipeline, PipelineRegistry, StageContext, TaskResult } from "./pipeline.ts";
import type { AttemptOutcome, Completed, Decide, JobStore, ReceiveOptions, TakenTask } from "./ports.ts";
import { startPulse } from "./pulse.ts";
import { describeError, MAX_ATTEMPTS, MAX_LOST_WORKERS, retryDelayMs } from "./retry-policy.ts";
import { checkJson, checkPlan } from "./stage-output.ts";
import { type Telling, type ToldAttempt, tellEnd } from "./tell-end.ts";
import { onFailed, onRetrying, onStarted, onSucceeded, type StageYield } from "./transitions.ts";

/** Gives out folders for attempts that ask for one. */
export interface WorkFolders {
  /** Makes an empty folder for one attempt and gives its path. Throws NO_SPACE, STORE_UNAVAILABLE. */
  create(ref: TaskRef, attempt: number): Promise<string>;
  /** Removes it with all that is in it. */
  remove(path: string): Promise<void>;
}

/** All that running tasks needs. */
export interface Engine extends Telling {
  readonly store: JobStore;
  readonly objects: ObjectStore;
  readonly pipelines: PipelineRegistry;
  readonly workFolders: WorkFolders;
  readonly log: Logger;
  readonly clock: Clock;
  readonly environment: Environment;
  /** Gives 0 to 1. */
  readonly random: () => number;
}

/** How a task is run. */
export interface RunOptions {
  /** For how long the task's lease is held without a sign of life, and where the next task is taken from. */
  readonly from: ReceiveOptions;
  /** Aborted where the worker is to stop: the task goes back to its queue, and none is taken any more. */
  readonly signal: AbortSignal;
}

/** An attempt under way. */
interface Attempt extends TakenTask, ToldAttempt {
  readonly pipeline: Pipeline;
  readonly log: Logger;
  readonly span: Span;
}

/**
 * Runs a task that was taken, records how it ended and moves the job on in one commit, which also takes the next task. Nothing
 * else moves a job on. What the task itself throws is its outcome. Gives the next task. A store that fails for a while is waited
 * for; throws where it fails for good, or while the worker is to stop.
 */
export async function runTask(engine: Engine, taken: TakenTask, options: RunOptions): Promise<TakenTask | undefined> {
  const { job, task } = taken;
  const { tracer } = engine;
  if (tracer === undefined) return await attend(engine, taken, options, NO_SPAN);
  const fields = {
    "reelmill.job.id": job.id,
    "reelmill.pipeline": job.pipeline,
    "reelmill.task.stage": task.stage,
    "reelmill.task.index": task.index,
    "reelmill.task.attempt": task.attempt,
  };
  const span = { parent: contextOfJob(job), fields };
  return await tracer.run(`${job.pipeline} task`, span, (own) => attend(engine, taken, options, own));
}

async function attend(
  engine: Engine,
  taken: TakenTask,
  options: RunOptions,
  span: Span,
): Promise<TakenTask | undefined> {
  const { job, task, lostWorkers } = taken;
  const fields = { job_id: job.id, stage: task.stage, segment_index: task.index, attempt: task.attempt };
  const log = engine.log.child({ ...fields, ...traceFields(engine) });
  const bytes = { read: 0, written: 0, copied: 0 };
  const begun = { ...taken, log, span, bytes, startedAt: engine.clock.monotonicMs() };
  let attempt: Attempt;
  try {
    attempt = { ...begun, pipeline: engine.pipelines.get(job.pipeline) };
  } catch (error) {
    return await conclude(engine, begun, failure(error), "fail-job", options);
  }
  const policy = attempt.pipeline.onTaskFailure;
  if (options.signal.aborted) return await conclude(engine, attempt, STOPPED, policy, options);
  if (lostWorkers >= MAX_LOST_WORKERS) {
    const lost = new ReelmillError(
      "WORKER_LOST",
      `${lostWorkers} workers in a row ended in the middle of this task (${task.label}); the last ones by a crash or a lack of memory.`,
    );
    log.error(`${task.label} was given up`, { error: lost });
    return await conclude(engine, attempt, failure(lost, true), policy, options);
  }
  if (lostWorkers > 0)
    log.warn(`${task.label} begins again: its worker ended in the middle of it`, { lost_workers: lostWorkers });
  else if (task.attempt > 1) log.info(`${task.label} begins again`, { failures: task.failures });
  return await runAttempt(engine, attempt, options);
}

/** By which the lines of a trace are found. */
function traceFields({ tracer }: Engine): { readonly trace_id?: string } {
  const context = parseTraceparent(tracer?.context() ?? "");
  return context === undefined ? {} : { trace_id: context.traceId };
}

async function runAttempt(engine: Engine, attempt: Attempt, options: RunOptions): Promise<TakenTask | undefined> {
  const { pipeline, task, message, log } = attempt;
  const { from, signal } = options;
  const { clock } = engine;
  const startMs = clock.monotonicMs();
  const elapsed = (): { readonly duration_ms: number } => ({ duration_ms: Math.round(clock.monotonicMs() - startMs) });
  const timeoutMs = pipeline.taskTimeoutMs;
  const { leaseMs } = from;
  const pulse = startPulse(engine.store, message, task.attempt, { leaseMs, signal, timeoutMs, log, clock });
  let brought: StageYield;
  try {
    log.debug(`${task.label} begins`);
    const name = `${pipeline.name} ${task.stage}`;
    brought = await inSpan(engine.tracer, name, {}, () => runStage(engine, attempt, pulse));
  } catch (error) {
    await pulse.stop();
    const ending = pulse.ending();
    if (ending === "superseded") {
      log.info("The attempt was given up: the job ended, or another worker has the task.", elapsed());
      return undefined;
    }
    const outcome = judge(engine, attempt, error, ending);
    log.warn(`${task.label} failed`, { ...elapsed(), error });
    return await conclude(engine, attempt, outcome, pipeline.onTaskFailure, options);
  }
  await pulse.stop();
  log.info(`${task.label} is done`, elapsed());
  const output = brought.stage === "work" ? brought.output : null;
  const decide = onSucceeded(message.ref, task.attempt, brought);
  return await commit(engine, attempt, { status: "succeeded", output }, decide, options);
}

/** What went wrong, and what follows from it. */
function judge(
  engine: Engine,
  { task, pipeline }: Attempt,
  error: unknown,
  ending: "timeout" | "stopped" | undefined,
): Unsuccessful {
  if (ending === "stopped") return STOPPED;
  const cause =
    ending === "timeout"
      ? new ReelmillError("TASK_TIMEOUT", `The task took longer than ${pipeline.taskTimeoutMs / 1000} s.`)
      : error;
  const isTransient = cause instanceof ReelmillError && cause.retryable;
  const failures = task.failures + 1;
  if (!isTransient || failures >= MAX_ATTEMPTS) return failure(cause, isTransient);
  const delayMs = retryDelayMs(failures, engine.random);
  return { status: "retrying", error: describeError(cause), delayMs, isFailure: true };
}

/** An outcome with an error. */
type Unsuccessful = Exclude<AttemptOutcome, { readonly status: "succeeded" }>;

const STOPPED: Unsuccessful = {
  status: "retrying",
  error: { code: "ABORTED", message: "The worker was stopped." },
  delayMs: 0,
  isFailure: false,
};

function failure(error: unknown, isBuried = false): Unsuccessful {
  return { status: "failed", error: describeError(error), isBuried };
}

async function conclude(
  engine: Engine,
  attempt: Omit<Attempt, "pipeline">,
  outcome: Unsuccessful,
  policy: "fail-job" | "continue",
  options: RunOptions,
): Promise<TakenTask | undefined> {
  const { ref } = attempt.message;
  const number = attempt.task.attempt;
  attempt.span.fail(`${outcome.error.code}: ${outcome.error.message}`);
  const decide =
    outcome.status === "retrying" ? onRetrying(ref, number, outcome) : onFailed(ref, number, outcome.error, policy);
  return await commit(engine, attempt, outcome, decide, options);
}

async function commit(
  engine: Engine,
  attempt: Omit<Attempt, "pipeline">,
  outcome: AttemptOutcome,
  decide: Decide,
  { from, signal }: RunOptions,
): Promise<TakenTask | undefined> {
  const { store, clock, tracer } = engine;
  const { task, message, log } = attempt;
  const complete = async (): Promise<Completed | undefined> => {
    const takeNext = signal.aborted ? undefined : { from, onStart: onStarted };
    return await store.completeTask({ ref: message.ref, attempt: task.attempt, outcome, message, takeNext }, decide);
  };
  const record = () => persist("The outcome", complete, { log, clock }, signal);
  const completed = await inSpan(tracer, "store commit", {}, record);
  if (completed === undefined) {
    log.info("The attempt's outcome came too late: the job ended, or another worker has the task.");
  } else {
    tellEnd(engine, attempt, outcome, completed.job);
  }
  return completed?.next;
}

type Pulse = ReturnType<typeof startPulse>;

async function runStage(engine: Engine, attempt: Attempt, pulse: Pulse): Promise<StageYield> {
  const { pipeline, job, task } = attempt;
  const { environment, clock, workFolders, metrics, tracer } = engine;
  const isWatched = metrics !== undefined || tracer !== undefined;
  const objects = isWatched ? watchObjects(engine.objects, attempt.bytes, tracer) : engine.objects;
  let folder: Promise<string> | undefined;
  const context: StageContext = {
    jobId: job.id,
    objects,
    workFolder: () => {
      folder ??= workFolders.create(task, task.attempt);
      return folder;
    },
    log: attempt.log,
    signal: pulse.signal,
    environment,
    clock,
    onProgress: pulse.onProgress,
    checkpoint: task.checkpoint,
    saveCheckpoint: pulse.saveCheckpoint,
  };
  try {
    if (task.stage === "plan") return { stage: "plan", tasks: checkPlan(await pipeline.plan(job.params, context)) };
    if (task.stage === "work") {
      return { stage: "work", output: checkJson("output", await pipeline.work(job.params, task.input, context)) };
    }
    const results = (await engine.store.listTasks(job.id, "work")).map(toResult);
    const firstError = results.find((result) => result.status === "failed")?.error;
    const result = checkJson("result", await pipeline.finish(job.params, results, context));
    return { stage: "finish", result, firstError };
  } finally {
    // One that could not be made is not there to be removed.
    const made = await folder?.catch(() => undefined);
    if (made !== undefined) await workFolders.remove(made);
  }
}

function toResult({ status, input, output, error }: Task): TaskResult<Json, Json> {
  if (status === "succeeded") return { status, input, output };
  const unknown: JobError = { code: "INTERNAL", message: "The task ended without saying why." };
  return { status: "failed", input, error: error ?? unknown };
}
