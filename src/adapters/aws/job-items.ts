import type { Json } from "../../base/json.ts";
import type { Job, JobError, JobStatus, JobWebhook, Stage, Task, TaskRef, TaskStatus } from "../../jobs/job.ts";
import { jobProgress } from "../../jobs/job-change.ts";
import { getItem, type Item, type ItemKey, LAST, sortable, type Table } from "./table.ts";
import { loadValue, type StoredValue } from "./values.ts";

/** An attempt under way, as the job's own item tells of it: what beats change, and what outcomes are fenced by. */
export interface Running {
  readonly attempt: number;
  readonly progress: number;
  readonly phase: string;
  readonly weight: number;
  /** Of the task before it. */
  readonly failures: number;
}

/** A job with what only this store knows of it. */
export interface JobRecord {
  readonly job: Job;
  /** Older jobs have lower ones; their tasks go first. */
  readonly rank: number;
  /** Of all tasks of the work stage. */
  readonly totalWeight: number;
  /** Of those that nobody works at, with their share. */
  readonly doneWeight: number;
  /** By the task's name within the job. */
  readonly running: Readonly<Record<string, Running>>;
  /** Rises with every transition. */
  readonly version: number;
  /** Tells the last transition from those that wanted to come before it. */
  readonly change: string;
  /** Highest id of a message that was sent for it. */
  readonly lastMessageId: number;
  /** When its change was last logged. */
  readonly loggedAtMs: number;
  /** What the last transition brings with it and may not all have been written yet. */
  readonly pending: StoredValue | undefined;
  /** The entry of the log that the last transition is to have. */
  readonly logNumber: number;
}

/** A task with what only this store knows of it. */
export interface TaskRecord extends Task {
  /** Workers in a row that ended in the middle of it. */
  readonly losses: number;
  /** The one message that leads to it. */
  readonly messageId: number;
}

/** Partition of all that is a job's. */
export function jobPartition(jobId: string): string {
  return `job#${jobId}`;
}

/** Key of a job's own item. */
export function jobKey(jobId: string): ItemKey {
  return { pk: jobPartition(jobId), sk: "job" };
}

const STAGE_DIGIT: Readonly<Record<Stage, number>> = { plan: 0, work: 1, finish: 2 };

/** Key of a task's item. */
export function taskKey({ jobId, stage, index }: TaskRef): ItemKey {
  return { pk: jobPartition(jobId), sk: `task#${STAGE_DIGIT[stage]}#${sortable(index)}` };
}

/** Range of the tasks of a job, in their order. */
export function taskRange(jobId: string, stage: Stage | undefined) {
  const prefix = stage === undefined ? "task#" : `task#${STAGE_DIGIT[stage]}#`;
  return { pk: jobPartition(jobId), from: prefix, to: `${prefix}${LAST}` };
}

/** A task's name among those that are running. */
export function runningName({ stage, index }: Pick<TaskRef, "stage" | "index">): string {
  return `${stage}-${index}`;
}

/** What attempts under way have done of the work, by weight. */
export function runningWeight(running: JobRecord["running"]): number {
  return Object.entries(running)
    .filter(([name]) => name.startsWith("work-"))
    .reduce((sum, [, { progress, weight }]) => sum + progress * weight, 0);
}

/** How far a job has come, what is running included. */
export function progressOf({ job, running, doneWeight, totalWeight }: Omit<JobRecord, "version">): number {
  return jobProgress(job.status, doneWeight + runningWeight(running), totalWeight);
}

// What this adapter wrote vouches for what the attributes hold.
const text = (item: Item, name: string): string => item[name] as string;
const textOrNull = (item: Item, name: string): string | null => (item[name] as string | undefined) ?? null;
const number = (item: Item, name: string): number => item[name] as number;
const numberOrNull = (item: Item, name: string): number | null => (item[name] as number | undefined) ?? null;

/** The job of an item; undefined where it was removed while its values were read. */
export async function parseJobItem(table: Table, item: Item): Promise<JobRecord | undefined> {
  const pk = text(item, "pk");
  const [params, error, result] = await Promise.all(
    ["params", "error", "result"].map((name) => loadValue(table, pk, item[name])),
  );
  if (params === undefined || error === undefined || result === undefined) return undefined;
  const status = text(item, "status") as JobStatus;
  const running = item["running"] as JobRecord["running"];
  const [doneWeight, totalWeight] = [number(item, "doneWeight"), number(item, "totalWeight")];
  const job: Job = {
    id: text(item, "id"),
    pipeline: text(item, "pipeline"),
    params,
    status,
    stage: text(item, "stage") as Stage,
    progress: jobProgress(status, doneWeight + runningWeight(running), totalWeight),
    tasks: { total: number(item, "total"), succeeded: number(item, "succeeded"), failed: number(item, "failed") },
    priority: number(item, "priority"),
    idempotencyKey: textOrNull(item, "idempotencyKey"),
    parentJobId: textOrNull(item, "parentJobId"),
    attempt: number(item, "attempt"),
    createdAtMs: number(item, "createdAtMs"),
    startedAtMs: numberOrNull(item, "startedAtMs"),
    finishedAtMs: numberOrNull(item, "finishedAtMs"),
    updatedAtMs: number(item, "updatedAtMs"),
    error: error as unknown as JobError | null,
    result,
    webhook: item["webhook"] === undefined ? null : (JSON.parse(text(item, "webhook")) as JobWebhook | null),
    traceparent: textOrNull(item, "traceparent"),
    changeSeq: number(item, "changeSeq"),
  };
  const rest = { rank: number(item, "rank"), version: number(item, "version"), logNumber: number(item, "logNumber") };
  const change = text(item, "change");
  const pending = item["pending"] as StoredValue | undefined;
  const lastMessageId = number(item, "lastMessageId");
  const loggedAtMs = number(item, "loggedAtMs");
  return { job, ...rest, change, running, doneWeight, totalWeight, lastMessageId, loggedAtMs, pending };
}

/** What beats go by; without the job's values, which may be long. */
export type Progressing = Pick<JobRecord, "running" | "loggedAtMs"> & Pick<Job, "updatedAtMs">;

/** What a beat has to know of its job. */
export async function readProgressing(table: Table, jobId: string): Promise<Progressing | undefined> {
  const item = await getItem(table, jobKey(jobId));
  if (item === undefined) return undefined;
  const [updatedAtMs, loggedAtMs] = [number(item, "updatedAtMs"), number(item, "loggedAtMs")];
  return { running: item["running"] as JobRecord["running"], updatedAtMs, loggedAtMs };
}

/** What names the task of an item. */
export function refOfTask(jobId: string, item: Item): TaskRef {
  const [, digit = "", index = ""] = text(item, "sk").split("#");
  const stage = (Object.keys(STAGE_DIGIT) as Stage[]).find((name) => String(STAGE_DIGIT[name]) === digit) ?? "work";
  return { jobId, stage, index: Number(index) };
}

/** The task of an item; `running` is that of its job. Undefined where it was removed while its values were read. */
export async function parseTaskItem(
  table: Table,
  item: Item,
  jobId: string,
  running: JobRecord["running"],
): Promise<TaskRecord | undefined> {
  const pk = text(item, "pk");
  const values = await Promise.all(
    ["input", "output", "error", "checkpoint"].map((name) => loadValue(table, pk, item[name])),
  );
  if (values.includes(undefined)) return undefined;
  const [input, output, error, checkpoint] = values as [Json, Json, Json, Json];
  const ref = refOfTask(jobId, item);
  const { progress, phase } = running[runningName(ref)] ?? {
    progress: number(item, "progress"),
    phase: text(item, "phase"),
  };
  return {
    ...ref,
    label: text(item, "label"),
    status: text(item, "status") as TaskStatus,
    attempt: number(item, "attempt"),
    failures: number(item, "failures"),
    input,
    output,
    error: error as unknown as JobError | null,
    progress,
    phase,
    checkpoint,
    weight: number(item, "weight"),
    startedAtMs: numberOrNull(item, "startedAtMs"),
    finishedAtMs: numberOrNull(item, "finishedAtMs"),
    losses: number(item, "losses"),
    messageId: number(item, "messageId"),
  };
}

/** A task as users of the store see it. */
export function toTask({ losses: _losses, messageId: _messageId, ...task }: TaskRecord): Task {
  return task;
}
