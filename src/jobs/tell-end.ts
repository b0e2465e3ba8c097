import type { Clock } from "../base/clock.ts";
import type { Tracer } from "../base/tracer.ts";
import { isEnded, type Job, type Task } from "./job.ts";
import { spanOfJob } from "./job-trace.ts";
import type { Metrics } from "./metrics.ts";
import type { ByteCounts } from "./moved-bytes.ts";
import type { AttemptOutcome } from "./ports.ts";

/** What hears of what is measured; both left out where nobody asked for it. */
export interface Telling {
  readonly metrics?: Metrics | undefined;
  readonly tracer?: Tracer | undefined;
}

const ENDS = { succeeded: "JobsSucceeded", partial: "JobsPartial", failed: "JobsFailed" } as const;

/** Tells that a job has ended; to be called by whoever ended it, and by nobody else. */
export function tellJobEnd({ metrics, tracer }: Telling, job: Job): void {
  const { status, pipeline } = job;
  if (status === "succeeded" || status === "partial" || status === "failed")
    metrics?.measure(pipeline, { [ENDS[status]]: 1 });
  tracer?.tell(spanOfJob(job));
}

/** An attempt whose outcome was recorded. */
export interface ToldAttempt {
  readonly job: Job;
  readonly task: Task;
  /** By the monotonic clock. */
  readonly startedAt: number;
  readonly bytes: ByteCounts;
}

/** Tells of an attempt that ended, and of its job where that ended with it; `after` is the job as the outcome left it. */
export function tellEnd(
  telling: Telling & { readonly clock: Clock },
  { job, task, startedAt, bytes }: ToldAttempt,
  outcome: AttemptOutcome,
  after: Job,
): void {
  const isFirst = task.stage === "plan" && task.attempt === 1;
  const hasFailed = outcome.status === "failed" || (outcome.status === "retrying" && outcome.isFailure);
  telling.metrics?.measure(job.pipeline, {
    ...(isFirst && task.startedAtMs !== null ? { QueueWait: Math.max(0, task.startedAtMs - job.createdAtMs) } : {}),
    TaskDuration: Math.round(telling.clock.monotonicMs() - startedAt),
    ...(hasFailed ? { TasksFailed: 1 } : {}),
    ...(outcome.status === "failed" && outcome.isBuried ? { TasksGivenUp: 1 } : {}),
    ...(bytes.read > 0 ? { BytesRead: bytes.read } : {}),
    ...(bytes.written > 0 ? { BytesWritten: bytes.written } : {}),
    ...(bytes.copied > 0 ? { BytesCopied: bytes.copied } : {}),
  });
  if (isEnded(after.status)) tellJobEnd(telling, after);
}
