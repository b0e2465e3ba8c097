import type { ErrorCode } from "../base/errors.ts";
import type { Json } from "../base/json.ts";

/** Where a job stands. It ends as one of the last four, and moves on from there only by `retry`. */
export const JOB_STATUSES = ["queued", "running", "succeeded", "partial", "failed", "cancelled"] as const;

/** One of `JOB_STATUSES`. */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** The three steps of every job, in order. */
export const STAGES = ["plan", "work", "finish"] as const;

/** One of `STAGES`. */
export type Stage = (typeof STAGES)[number];

/** Why something failed, in its stable form. */
export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  /** What else is known, such as the findings in a file that could not be repaired. */
  readonly details?: Json;
}

/** Where the outcome of a job is told. */
export interface JobWebhook {
  readonly url: string;
  /** `slack` is the same news as a Slack message. */
  readonly format: "standard" | "slack";
}

/** One piece of work that a user asked for. Times are milliseconds since 1970-01-01T00:00:00Z. */
export interface Job {
  /** UUID version 7. */
  readonly id: string;
  /** Name of the pipeline; its queue bears the same name. */
  readonly pipeline: string;
  /** As the pipeline's schema resolved them. */
  readonly params: Json;
  readonly status: JobStatus;
  /** The step that is under way, or was when the job ended. */
  readonly stage: Stage;
  /** From 0 to 1, the share of the work done; 1 only where the job succeeded. */
  readonly progress: number;
  /** Tasks of the work stage. */
  readonly tasks: { readonly total: number; readonly succeeded: number; readonly failed: number };
  /** Higher is taken first, -100 to 100. */
  readonly priority: number;
  readonly idempotencyKey: string | null;
  /** The job that this one replays. */
  readonly parentJobId: string | null;
  /** How often the job was started: 1, and one more for each retry. */
  readonly attempt: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly updatedAtMs: number;
  readonly error: JobError | null;
  readonly result: Json;
  readonly webhook: JobWebhook | null;
  /** Context of the request that made the job (W3C Trace Context); null where that was not traced. */
  readonly traceparent: string | null;
  /** Rises with every change of any job; those changed later have higher ones. */
  readonly changeSeq: number;
}

/** Names a task. */
export interface TaskRef {
  readonly jobId: string;
  readonly stage: Stage;
  /** From 0 within the stage. */
  readonly index: number;
}

/** Where a task stands. */
export type TaskStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** One part of a job that is worked alone. */
export interface Task extends TaskRef {
  /** For people, such as the file's name. */
  readonly label: string;
  readonly status: TaskStatus;
  /** How often it was started, over all retries and lost workers; completions of earlier attempts do not count. */
  readonly attempt: number;
  /** Attempts that ended in a transient error since the job was last started. */
  readonly failures: number;
  readonly input: Json;
  readonly output: Json;
  readonly error: JobError | null;
  /** From 0 to 1. */
  readonly progress: number;
  /** What is being done, for people. */
  readonly phase: string;
  /** What the task keeps for its next attempt. */
  readonly checkpoint: Json;
  /** Share of the job's work, > 0, in any unit that the pipeline uses for all its tasks. */
  readonly weight: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

/** What happened to a job, in the order of `seq`. */
export interface JobEvent {
  /** Unique over all jobs and rising. */
  readonly seq: number;
  readonly jobId: string;
  readonly atMs: number;
  readonly type: JobEventType;
  readonly data: Json;
}

/** Kinds of events. */
export type JobEventType =
  | "job.queued"
  | "job.started"
  | "job.stage"
  | "job.retried"
  | "job.succeeded"
  | "job.partial"
  | "job.failed"
  | "job.cancelled"
  | "task.started"
  | "task.succeeded"
  | "task.retrying"
  | "task.failed"
  | "task.lost";

/** Whether a job has come to its end. */
export function isEnded(status: JobStatus): boolean {
  return status !== "queued" && status !== "running";
}
