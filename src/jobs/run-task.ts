import type { Clock } from "../base/clock.ts";
import type { Environment } from "../base/config-defaults.ts";
import { ReelmillError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import type { Job, JobError, Task, TaskRef } from "./job.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Pipeline, PipelineRegistry, StageContext, TaskResult } from "./pipeline.ts";
import type { AttemptOutcome, Decide, JobStore, Lease, TaskMessage, TaskQueue } from "./ports.ts";
import { startPulse } from "./pulse.ts";
import { describeError, MAX_ATTEMPTS, MAX_LOST_WORKERS, retryDelayMs } from "./retry-policy.ts";
import { onFailed, onRetrying, onStarted, onSucceeded, type StageYield } from "./transitions.ts";

/** Gives out folders for attempts. */
export interface WorkFolders {
  /** Makes an empty folder for one attempt and gives its path. Throws NO_SPACE, STORE_UNAVAILABLE. */
  create(ref: TaskRef, attempt: number): Promise<string>;
  /** Removes it with all that is in it. */
  remove(path: string): Promise<void>;
}

/** All that running tasks needs. */
export interface Engine {
  readonly store: JobStore;
  readonly queue: TaskQueue;
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
  readonly lease: Lease;
  /** Aborted where the worker is to stop: the task goes back to its queue. */
  readonly signal: AbortSignal;
}

/** An attempt under way. */
interface Attempt {
  readonly pipeline: Pipeline;
  readonly job: Job;
  readonly task: Task;
  readonly message: TaskMessage;
  readonly log: Logger;
}

/**
 * Runs the task that a message names, once: does nothing where that was done already, records how it ended and moves the job on
 * in one commit. Nothing else moves a job on. What the task itself throws is its outcome. Gives a message of the same job that
 * may be run next. Throws where the store or queue fails.
 */
export async function runTask(
  engine: Engine,
  message: TaskMessage,
  options: RunOptions,
): Promise<TaskMessage | undefined> {
  const { store, queue, pipelines } = engine;
  const { ref } = message;
  const before = await store.getTask(ref);
  const lostWorkers = before === undefined ? 0 : Math.max(0, message.receiveCount - 1 - before.failures);
  const started = await store.startTask(ref, onStarted(lostWorkers));
  if (started === undefined) {
    await queue.ack(message);
    return undefined;
  }
  const { job, task } = started;
  const fields = { job_id: job.id, stage: ref.stage, segment_index: ref.index, attempt: task.attempt };
  const log = engine.log.child(fields);
  let attempt: Attempt;
  try {
    attempt = { pipeline: pipelines.get(job.pipeline), job, task, message, log };
  } catch (error) {
    return await conclude(engine, { job, task, message, log }, failure(error), "fail-job", options);
  }
  if (lostWorkers >= MAX_LOST_WORKERS) {
    const lost = new ReelmillError(
      "WORKER_LOST",
      `${lostWorkers} workers in a row ended in the middle of this task (${task.label}); the last ones by a crash or a lack of memory.`,
    );
    return await conclude(engine, attempt, failure(lost, true), attempt.pipeline.onTaskFailure, options);
  }
  return await runAttempt(engine, attempt, options);
}

async function runAttempt(engine: Engine, attempt: Attempt, options: RunOptions): Promise<TaskMessage | undefined> {
  const { pipeline, task, message, log } = attempt;
  const startMs = engine.clock.monotonicMs();
  const elapsed = (): { readonly duration_ms: number } => ({
    duration_ms: Math.round(engine.clock.monotonicMs() - startMs),
  });
  const pulse = startPulse(engine, message, task.attempt, { ...options, timeoutMs: pipeline.taskTimeoutMs });
  let brought: StageYield;
  try {
    log.debug(`${task.label} begins`);
    brought = await runStage(engine, attempt, pulse);
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
  if (ending === "stopped") {
    const stopped = { code: "ABORTED", message: "The worker was stopped." } as const;
    return { status: "retrying", error: stopped, delayMs: 0, isFailure: false };
  }
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

function failure(error: unknown, isBuried = false): Unsuccessful {
  return { status: "failed", error: describeError(error), isBuried };
}

async function conclude(
  engine: Engine,
  attempt: Omit<Attempt, "pipeline">,
  outcome: Unsuccessful,
  policy: "fail-job" | "continue",
  options: RunOptions,
): Promise<TaskMessage | undefined> {
  const { ref } = attempt.message;
  const number = attempt.task.attempt;
  const decide =
    outcome.status === "retrying" ? onRetrying(ref, number, outcome) : onFailed(ref, number, outcome.error, policy);
  return await commit(engine, attempt, outcome, decide, options);
}

async function commit(
  { store }: Engine,
  { task, message, log }: Omit<Attempt, "pipeline">,
  outcome: AttemptOutcome,
  decide: Decide,
  { lease, signal }: RunOptions,
): Promise<TaskMessage | undefined> {
  const takeNext = signal.aborted ? undefined : lease;
  const completion = { ref: message.ref, attempt: task.attempt, outcome, message, takeNext };
  const completed = await store.completeTask(completion, decide);
  if (completed === undefined)
    log.info("The attempt's outcome came too late: the job ended, or another worker has the task.");
  return completed?.next;
}

type Pulse = ReturnType<typeof startPulse>;

async function runStage(engine: Engine, attempt: Attempt, pulse: Pulse): Promise<StageYield> {
  const { pipeline, job, task } = attempt;
  const { objects, environment, clock, workFolders } = engine;
  const workFolder = await workFolders.create(task, task.attempt);
  const context: StageContext = {
    jobId: job.id,
    objects,
    workFolder,
    log: attempt.log,
    signal: pulse.signal,
    environment,
    clock,
    onProgress: pulse.onProgress,
    checkpoint: task.checkpoint,
    saveCheckpoint: pulse.saveCheckpoint,
  };
  try {
    if (task.stage === "plan") return { stage: "plan", tasks: await pipeline.plan(job.params, context) };
    if (task.stage === "work") return { stage: "work", output: await pipeline.work(job.params, task.input, context) };
    const results = (await engine.store.listTasks(job.id, "work")).map(toResult);
    const firstError = results.find((result) => result.status === "failed")?.error;
    return { stage: "finish", result: await pipeline.finish(job.params, results, context), firstError };
  } finally {
    await workFolders.remove(workFolder);
  }
}

function toResult({ status, input, output, error }: Task): TaskResult<Json, Json> {
  if (status === "succeeded") return { status, input, output };
  const unknown: JobError = { code: "INTERNAL", message: "The task ended without saying why." };
  return { status: "failed", input, error: error ?? unknown };
}
