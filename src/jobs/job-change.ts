import { ReelmillError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { isEnded, type Job, type JobError, type JobStatus, type Stage, type TaskRef, type TaskStatus } from "./job.ts";
import type { AttemptOutcome, JobChange, NewEvent, NewJob, NewTask } from "./ports.ts";

/* What is the same for every store of jobs, whatever it writes to: how a change changes a job, as pure functions. */

/** The task that every job begins with. */
export const PLAN_TASK: NewTask = { stage: "plan", index: 0, label: "plan", input: null, weight: 1 };

/** The event that every job begins with. */
export function queuedEvent({ pipeline }: Pick<NewJob, "pipeline">): NewEvent {
  return { type: "job.queued", data: { pipeline } };
}

/** A job as it is when it is created. */
export function createQueuedJob(added: NewJob, nowMs: number, changeSeq: number): Job {
  const { id, pipeline, params, priority, idempotency, parentJobId, webhook, traceparent = null } = added;
  return {
    id,
    pipeline,
    params,
    status: "queued",
    stage: "plan",
    progress: 0,
    tasks: { total: 0, succeeded: 0, failed: 0 },
    priority,
    idempotencyKey: idempotency?.key ?? null,
    parentJobId,
    attempt: 1,
    createdAtMs: nowMs,
    startedAtMs: null,
    finishedAtMs: null,
    updatedAtMs: nowMs,
    error: null,
    result: null,
    webhook,
    traceparent,
    changeSeq,
  };
}

/** The job behind a change, as far as that is told by the two alone: its tasks' counts and progress stay. */
export function changedJob(job: Job, change: JobChange, nowMs: number): Job {
  const status = change.status ?? job.status;
  return {
    ...job,
    status,
    stage: change.stage ?? job.stage,
    error: change.error === undefined ? job.error : change.error,
    result: change.result === undefined ? job.result : change.result,
    attempt: job.attempt + (change.isRestart === true ? 1 : 0),
    startedAtMs: job.startedAtMs ?? (status === "running" ? nowMs : null),
    finishedAtMs: isEnded(status) ? (job.finishedAtMs ?? nowMs) : null,
  };
}

/** Only success is the whole; what else is done of a task, or of the work, stays below. */
const MOST_PROGRESS = 0.999;

/** How far a job has come, from 0 to 1; the weights are of tasks of the work stage, `doneWeight` with their progress. */
export function jobProgress(status: JobStatus, doneWeight: number, totalWeight: number): number {
  if (status === "succeeded") return 1;
  // Sums of fractions may miss 0 and 1 by a hair.
  return totalWeight > 0 ? Math.min(MOST_PROGRESS, Math.max(0, doneWeight / totalWeight)) : 0;
}

/**
 * How far a task that has not succeeded has come, by what its pipeline says; what is no number counts as nothing done. One that
 * comes to its end may fail there yet.
 */
export function shareOf(progress: number): number {
  return progress >= 0 ? Math.min(MOST_PROGRESS, progress) : 0;
}

/** What becomes of a task with the end of an attempt. */
export interface AttemptEnd {
  readonly status: TaskStatus;
  readonly output: Json;
  readonly error: JobError | null;
  readonly progress: number;
  /** Share of the task's weight that is not waited for any more. */
  readonly doneShare: number;
  /** To be added to the task's failures. */
  readonly failures: number;
  readonly finishedAtMs: number | null;
}

/** `progress` is what the attempt had reached. */
export function endOfAttempt(outcome: AttemptOutcome, progress: number, nowMs: number): AttemptEnd {
  switch (outcome.status) {
    case "succeeded":
      return { ...outcome, error: null, progress: 1, doneShare: 1, failures: 0, finishedAtMs: nowMs };
    case "failed": {
      // Nothing more is to be done for a task that failed, but no more was done than that.
      const { status, error } = outcome;
      return { status, error, output: null, progress, doneShare: 1, failures: 0, finishedAtMs: nowMs };
    }
    case "retrying": {
      const { error, isFailure } = outcome;
      const failures = isFailure ? 1 : 0;
      return { status: "queued", error, output: null, progress: 0, doneShare: 0, failures, finishedAtMs: null };
    }
  }
}

const STAGE_ORDER: Readonly<Record<Stage, number>> = { plan: 0, work: 1, finish: 2 };

/** Orders tasks of a job by stage and index. */
export function compareTasks(a: TaskRef, b: TaskRef): number {
  return STAGE_ORDER[a.stage] - STAGE_ORDER[b.stage] || a.index - b.index;
}

const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A list's cursor is the id of the last job of the page before. Throws CURSOR_INVALID. */
export function requireJobCursor(cursor: string | undefined): void {
  if (cursor === undefined || JOB_ID.test(cursor)) return;
  throw new ReelmillError("CURSOR_INVALID", `"${cursor}" is not a cursor that an earlier page gave.`);
}

/** The error for a key that is known with another request, which made the job. */
export function idempotencyConflict(key: string, jobId: string): ReelmillError {
  return new ReelmillError(
    "IDEMPOTENCY_CONFLICT",
    `The idempotency key "${key}" was used for another request, which made the job ${jobId}. Use a new key.`,
  );
}
