import type { Json } from "../../base/json.ts";
import { describeTarget } from "../../jobs/deliveries.ts";
import type { Job, JobError, JobEvent, Task } from "../../jobs/job.ts";
import type { ObjectInfo } from "../../jobs/object-store.ts";
import { type DeadLetter, MAX_MESSAGE_WAIT_MS, type MessageState, type QueueDepth } from "../../jobs/ports.ts";
import type { DeliveryRecord, WatchService } from "./dependencies.ts";

/** Below this, the share done says too little of the time left. */
const ETA_FROM_PROGRESS = 0.03;

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

function toTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : toTime(ms);
}

function toFailure({ code, message, details }: JobError) {
  return details === undefined ? { code, message } : { code, message, details };
}

/** Seconds until the job is done, were it to go on as before; null where too little is known. */
export function estimateSeconds(job: Job, nowMs: number): number | null {
  const { status, progress, startedAtMs, attempt } = job;
  // A retry begins with work done before, in a time that nobody knows.
  if (status !== "running" || startedAtMs === null || attempt > 1 || progress < ETA_FROM_PROGRESS) return null;
  return Math.max(0, Math.round(((nowMs - startedAtMs) / 1000) * (1 / progress - 1)));
}

/** A job as clients see it; satisfies `VIEWS.job`. */
export function toJobView(job: Job, nowMs: number) {
  const { id, pipeline, params, status, stage, progress, tasks, priority, idempotencyKey, parentJobId, attempt } = job;
  return {
    id,
    pipeline,
    params,
    status,
    stage,
    progress,
    tasks,
    priority,
    idempotencyKey,
    parentJobId,
    attempt,
    createdAt: toTime(job.createdAtMs),
    startedAt: toTimeOrNull(job.startedAtMs),
    finishedAt: toTimeOrNull(job.finishedAtMs),
    updatedAt: toTime(job.updatedAtMs),
    etaSeconds: estimateSeconds(job, nowMs),
    error: job.error && toFailure(job.error),
    result: job.result,
    webhook: job.webhook,
  };
}

/** A task as clients see it; satisfies the items of `VIEWS.tasks`. */
export function toTaskView(task: Task) {
  const { stage, index, label, status, attempt, failures, input, output, progress, phase, weight } = task;
  return {
    stage,
    index,
    label,
    status,
    attempt,
    failures,
    input,
    output,
    error: task.error && toFailure(task.error),
    progress,
    phase,
    weight,
    startedAt: toTimeOrNull(task.startedAtMs),
    finishedAt: toTimeOrNull(task.finishedAtMs),
  };
}

/** An event as clients see it; satisfies `VIEWS.event`. */
export function toEventView({ seq, jobId, atMs, type, data }: JobEvent) {
  return { seq, jobId, at: toTime(atMs), type, data };
}

/** A queue as clients see it; satisfies `VIEWS.queue`. */
export function toQueueView({ queue, waiting, inFlight, dead, isPaused, oldestSentAtMs }: QueueDepth) {
  return { queue, waiting, inFlight, dead, isPaused, oldestSentAt: toTimeOrNull(oldestSentAtMs) };
}

/** A message as clients see it; satisfies the items of `VIEWS.messages`. */
export function toMessageView({ ref, sentAtMs, receiveCount, owner, heldUntilMs }: MessageState, nowMs: number) {
  // A wait longer than any that is given out is the trace of a clock that was set back.
  const isHeldBack = heldUntilMs > nowMs && heldUntilMs <= nowMs + MAX_MESSAGE_WAIT_MS;
  const state = isHeldBack ? (owner === null ? "put-off" : "held") : owner === null ? "due" : "lapsed";
  const { stage, index } = ref;
  const wasPutOff = sentAtMs < heldUntilMs && heldUntilMs <= nowMs;
  const until = state === "due" && !wasPutOff ? null : toTime(heldUntilMs);
  return { stage, index, state, until, holder: owner, receiveCount, sentAt: toTime(sentAtMs) } as const;
}

/** A dead letter as clients see it; satisfies the items of `VIEWS.deadLetters`. */
export function toDeadLetterView({ id, queue, ref, receiveCount, sentAtMs, deadAtMs, reason }: DeadLetter) {
  return {
    id,
    queue,
    ...ref,
    receiveCount,
    sentAt: toTime(sentAtMs),
    deadAt: toTime(deadAtMs),
    reason: { code: reason.code, message: reason.message },
  };
}

/** What is known of an object; satisfies `VIEWS.object`. */
export function toObjectView({ key, bytes, modifiedAtMs }: ObjectInfo) {
  return { key, bytes, modifiedAt: toTime(modifiedAtMs) };
}

/** A delivery as clients see it; satisfies the items of `VIEWS.deliveries`. */
export function toDeliveryView(delivery: DeliveryRecord) {
  const { id, jobId, format, state } = delivery;
  return {
    id,
    jobId,
    // Those of all jobs are a setting, and as secret there.
    url: describeTarget(delivery.url),
    format,
    state,
    createdAt: toTime(delivery.createdAtMs),
    nextAttemptAt: toTimeOrNull(delivery.nextAttemptAtMs),
    attempts: delivery.attempts.map(({ atMs, durationMs, status, error }) => ({
      at: toTime(atMs),
      durationMs,
      status,
      error: error && `${error.code}: ${error.message}`,
    })),
  };
}

/** The watch folder as clients see it, or that there is none; satisfies `VIEWS.watch`. */
export function toWatchView(watch: WatchService | undefined) {
  if (watch === undefined) {
    return {
      isConfigured: false,
      isRunning: false,
      isPaused: false,
      reason: null,
      readyFolder: "",
      exportFolder: "",
      quarantineFolder: "",
      currentReference: null,
      files: [],
      counters: {},
    };
  }
  const status = watch.status();
  const { isRunning, isPaused, reason, readyFolder, exportFolder, quarantineFolder, currentReference } = status;
  return {
    isConfigured: true,
    isRunning,
    isPaused,
    reason: reason || status.fault || null,
    readyFolder,
    exportFolder,
    quarantineFolder,
    currentReference,
    files: status.knownFiles.map(({ name, bytes, state, progress, phase, error }) => ({
      name,
      bytes,
      state,
      progress: phase === "" ? null : progress,
      detail: error?.message ?? (phase === "" ? null : phase),
    })),
    counters: status.counters as Readonly<Record<string, Json>>,
  };
}
