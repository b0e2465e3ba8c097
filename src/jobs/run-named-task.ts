import { ReelmillError } from "../base/errors.ts";
import { isEnded, type Job, type Task, type TaskRef } from "./job.ts";
import type { Lease } from "./ports.ts";
import { type Engine, runTask } from "./run-task.ts";
import { onStarted } from "./transitions.ts";

/** How a task is run by name. */
export interface NamedOptions {
  readonly lease: Lease;
  /** Aborted where the worker is to stop: the task goes back to its queue. */
  readonly signal: AbortSignal;
}

/** A task that is done with for now, and its job as it then is. */
export interface NamedTask {
  readonly job: Job;
  /** Undefined where the job ended before it had such a task. */
  readonly task: Task | undefined;
}

/**
 * Runs the task named by `runTask`, and that alone; does nothing where it is done or its job has ended. For whoever leads a job through its
 * stages from outside, and may ask for the same task any number of times. Throws JOB_NOT_FOUND, REQUEST_INVALID for a task that the plan has not; the
 * task's own error where it is to be tried again; TASK_BUSY where it is not due for another reason; what the store does.
 */
export async function runNamedTask(engine: Engine, ref: TaskRef, options: NamedOptions): Promise<NamedTask> {
  const { store } = engine;
  const { lease, signal } = options;
  const taken = await store.takeNamed(ref, lease, onStarted);
  if (taken !== undefined) await runTask(engine, taken, { from: { ...lease, queues: [] }, signal });
  // The job behind the task: where somebody else ends both in between, it is not told as still running.
  const task = await store.getTask(ref);
  const job = await store.get(ref.jobId);
  if (job === undefined) throw new ReelmillError("JOB_NOT_FOUND", `There is no job ${ref.jobId}.`);
  if (isEnded(job.status)) return { job, task };
  const name = `${ref.stage} ${ref.index} of the job ${ref.jobId}`;
  if (task === undefined) {
    const isComing = ref.stage === "work" ? job.stage === "plan" : ref.index === 0;
    throw new ReelmillError(isComing ? "TASK_BUSY" : "REQUEST_INVALID", `There is no task ${name}.`);
  }
  if (task.status !== "queued" && task.status !== "running") return { job, task };
  if (taken !== undefined && task.status === "queued" && task.error !== null) {
    throw new ReelmillError(task.error.code, task.error.message);
  }
  throw new ReelmillError("TASK_BUSY", `The task ${name} is not due: it waits, or somebody else works at it.`);
}
