import { createTraceId, deriveId, formatTraceparent, parseTraceparent } from "../base/trace-context.ts";
import type { ClosedSpan } from "../base/tracer.ts";
import type { Job } from "./job.ts";

/*
 * A job's span is open as long as the job is, over machines and restarts of them: nobody could hold it. So its id is made of the job's id and of how often
 * the job was begun, by whoever needs it, and whoever ends the job tells it.
 */

/**
 * The context of a job's own span. In the trace of the request that made the job, where that had one; else in a trace that is made of the job's id,
 * and is the same for all who work at it.
 */
export function contextOfJob({ id, attempt, createdAtMs, traceparent }: TracedJob): string {
  const made = parseTraceparent(traceparent ?? "");
  const traceId = made?.traceId ?? createTraceId(createdAtMs, deriveId(id, 12));
  return formatTraceparent({ traceId, spanId: deriveId(`${id}/${attempt}`, 8), isSampled: made?.isSampled ?? true });
}

/** What of a job its trace is told by. */
type TracedJob = Pick<Job, "id" | "attempt" | "createdAtMs" | "traceparent">;

/** The span of a job that has ended. */
export function spanOfJob(job: Job): ClosedSpan {
  const { id, pipeline, status, attempt, tasks, createdAtMs, updatedAtMs, finishedAtMs, traceparent, error } = job;
  return {
    name: `${pipeline} job`,
    context: contextOfJob(job),
    parent: traceparent ?? undefined,
    startMs: createdAtMs,
    endMs: finishedAtMs ?? updatedAtMs,
    fields: {
      "reelmill.job.id": id,
      "reelmill.job.status": status,
      "reelmill.job.attempt": attempt,
      "reelmill.pipeline": pipeline,
      "reelmill.job.tasks": tasks.total,
    },
    failure: status === "failed" ? `${error?.code}: ${error?.message}` : undefined,
  };
}
