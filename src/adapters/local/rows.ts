import type { SQLOutputValue } from "node:sqlite";
import type { Json } from "../../base/json.ts";
import type {
  Job,
  JobError,
  JobEvent,
  JobEventType,
  JobStatus,
  JobWebhook,
  Stage,
  Task,
  TaskStatus,
} from "../../jobs/job.ts";
import { jobProgress } from "../../jobs/job-change.ts";
import type { DeadLetter, MessageState, TaskMessage } from "../../jobs/ports.ts";

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

// The schema's types and STRICT tables vouch for what the columns hold.
const text = (row: Row, name: string): string => row[name] as string;
const number = (row: Row, name: string): number => row[name] as number;
const numberOrNull = (row: Row, name: string): number | null => row[name] as number | null;
const json = (row: Row, name: string): Json => {
  const value = row[name];
  return value === null ? null : (JSON.parse(value as string) as Json);
};

/** A row of `jobs`. */
export function parseJobRow(row: Row): Job {
  const status = text(row, "status") as JobStatus;
  return {
    id: text(row, "id"),
    pipeline: text(row, "pipeline"),
    params: json(row, "params"),
    status,
    stage: text(row, "stage") as Stage,
    progress: jobProgress(status, number(row, "done_weight"), number(row, "total_weight")),
    tasks: { total: number(row, "total"), succeeded: number(row, "succeeded"), failed: number(row, "failed") },
    priority: number(row, "priority"),
    idempotencyKey: row["idempotency_key"] as string | null,
    parentJobId: row["parent_job_id"] as string | null,
    attempt: number(row, "attempt"),
    createdAtMs: number(row, "created_at_ms"),
    startedAtMs: numberOrNull(row, "started_at_ms"),
    finishedAtMs: numberOrNull(row, "finished_at_ms"),
    updatedAtMs: number(row, "updated_at_ms"),
    error: json(row, "error") as JobError | null,
    result: json(row, "result"),
    webhook: json(row, "webhook") as JobWebhook | null,
    traceparent: row["traceparent"] as string | null,
    changeSeq: number(row, "change_seq"),
  };
}

/** A row of `tasks`. */
export function parseTaskRow(row: Row): Task {
  return {
    jobId: text(row, "job_id"),
    stage: text(row, "stage") as Stage,
    index: number(row, "idx"),
    label: text(row, "label"),
    status: text(row, "status") as TaskStatus,
    attempt: number(row, "attempt"),
    failures: number(row, "failures"),
    input: json(row, "input"),
    output: json(row, "output"),
    error: json(row, "error") as JobError | null,
    progress: number(row, "progress"),
    phase: text(row, "phase"),
    checkpoint: json(row, "checkpoint"),
    weight: number(row, "weight"),
    startedAtMs: numberOrNull(row, "started_at_ms"),
    finishedAtMs: numberOrNull(row, "finished_at_ms"),
  };
}

/** A row of `events`. */
export function parseEventRow(row: Row): JobEvent {
  return {
    seq: number(row, "seq"),
    jobId: text(row, "job_id"),
    atMs: number(row, "at_ms"),
    type: text(row, "type") as JobEventType,
    data: json(row, "data"),
  };
}

/** A row of `messages` whose lease was just taken. */
export function parseMessageRow(row: Row): TaskMessage {
  return {
    id: number(row, "id"),
    queue: text(row, "queue"),
    ref: { jobId: text(row, "job_id"), stage: text(row, "stage") as Stage, index: number(row, "idx") },
    receiveCount: number(row, "receive_count"),
    receipt: `${number(row, "urgency")}/${number(row, "rank")}/${number(row, "receipt")}`,
  };
}

/** A row of `messages`, as whoever does not receive it sees it. */
export function parseMessageState(row: Row): MessageState {
  const { ref, receiveCount } = parseMessageRow(row);
  const owner = row["owner"] as string | null;
  return { ref, receiveCount, owner, sentAtMs: number(row, "sent_at_ms"), heldUntilMs: number(row, "visible_at_ms") };
}

/** A row of `dead_letters`. */
export function parseDeadRow(row: Row): DeadLetter {
  return {
    id: number(row, "id"),
    queue: text(row, "queue"),
    ref: { jobId: text(row, "job_id"), stage: text(row, "stage") as Stage, index: number(row, "idx") },
    receiveCount: number(row, "receive_count"),
    sentAtMs: number(row, "sent_at_ms"),
    deadAtMs: number(row, "dead_at_ms"),
    reason: json(row, "reason") as unknown as JobError,
  };
}
