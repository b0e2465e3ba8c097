import type { Json } from "../../base/json.ts";
import { isEnded, type Job, type Stage, type Task, type TaskRef } from "../../jobs/job.ts";
import { changedJob, endOfAttempt } from "../../jobs/job-change.ts";
import type { Completion, Decide, DecideOnTask, JobChange, NewTask, TaskMessage } from "../../jobs/ports.ts";
import type { LoggedEvent } from "./change-log.ts";
import { type JobRecord, type Running, runningName, type TaskRecord, toTask } from "./job-items.ts";
import { parseReceipt } from "./queue-book.ts";

/*
 * A transition is drafted here, without writing anything: the job as it is to be, and the effects that come with it. `job-commit.ts` writes
 * both as one.
 */

/** What of a task changes. */
export interface TaskEffect {
  readonly ref: TaskRef;
  readonly fields: Partial<Omit<TaskRecord, keyof TaskRef>>;
}

/** All that a transition writes besides the job's own item. */
export interface Effects {
  readonly tasks: TaskEffect[];
  /** Tasks that get a message, in the order in which it is to be received. */
  readonly sent: TaskRef[];
  /** Removes all messages of the job that were sent before. */
  dropsMessages: boolean;
  /** What becomes of the message that led to an attempt. */
  readonly settled: Settled[];
  /** Dead letters that go, by their messages' ids. */
  readonly revived: number[];
  readonly events: LoggedEvent[];
}

/** What becomes of a message at the end of its attempt. */
export type Settled = { readonly queue: string; readonly id: number; readonly sk: string; readonly ref: TaskRef } & (
  | { readonly as: "done" }
  | { readonly as: "retried"; readonly nonce: string; readonly dueAtMs: number }
  | {
      readonly as: "dead";
      readonly receiveCount: number;
      readonly reason: Json;
      readonly deadAtMs: number;
    }
);

/** A transition before it is written. */
export interface JobDraft {
  readonly before: JobRecord | undefined;
  job: Job;
  totalWeight: number;
  doneWeight: number;
  /** As it is to be. */
  running: Readonly<Record<string, Running>>;
  readonly effects: Effects;
  /** Tasks as they are stored; those of one stage, or of all. */
  readonly loadTasks: (stage?: Stage) => Promise<readonly TaskRecord[]>;
  readonly loadTask: (ref: TaskRef) => Promise<TaskRecord | undefined>;
}

/** A draft that changes nothing yet. */
export function createDraft(start: Pick<JobDraft, "before" | "job" | "loadTasks" | "loadTask">): JobDraft {
  const { totalWeight = 0, doneWeight = 0, running = {} } = start.before ?? {};
  const effects: Effects = { tasks: [], sent: [], dropsMessages: false, settled: [], revived: [], events: [] };
  return { ...start, totalWeight, doneWeight, running, effects };
}

/** Tasks as the draft leaves them. */
async function currentTasks(draft: JobDraft, stage?: Stage): Promise<readonly TaskRecord[]> {
  const stored = await draft.loadTasks(stage);
  return stored.map((task) => {
    const effects = draft.effects.tasks.filter(({ ref }) => ref.stage === task.stage && ref.index === task.index);
    return Object.assign({}, task, ...effects.map(({ fields }) => fields)) as TaskRecord;
  });
}

/** Makes the change that was decided. */
export async function applyChange(draft: JobDraft, change: JobChange, nowMs: number): Promise<void> {
  const { job } = draft;
  draft.job = changedJob(job, change, nowMs);
  if (draft.job.status === "failed" && job.status !== "failed") await recount(draft, false);
  if (change.reopenTasks !== undefined) {
    if (job.status === "failed") await recount(draft, true);
    // Nothing of a job that has ended is waited for; what a lost lease left of its messages would come twice.
    if (isEnded(job.status)) draft.effects.dropsMessages = true;
    await reopenTasks(draft, change.reopenTasks);
  }
  for (const task of change.addTasks ?? []) await addTask(draft, task);
  if (change.cancelTasks === true) await cancelTasks(draft, nowMs);
  for (const { type, data = {} } of change.events ?? []) draft.effects.events.push({ type, data, atMs: nowMs });
}

const FRESH = {
  status: "queued",
  failures: 0,
  losses: 0,
  error: null,
  progress: 0,
  phase: "",
  finishedAtMs: null,
} as const;

async function addTask(draft: JobDraft, { stage, index, label, input, weight }: NewTask): Promise<void> {
  const ref = { jobId: draft.job.id, stage, index };
  // A job that was started again can have had the task before, and a dead letter of it.
  const earlier = draft.job.attempt > 1 ? await draft.loadTask(ref) : undefined;
  if (earlier !== undefined) draft.effects.revived.push(earlier.messageId);
  const { attempt = 0, startedAtMs = null } = earlier ?? {};
  const made = { label, input, weight, output: null, checkpoint: null, attempt, startedAtMs };
  draft.effects.tasks.push({ ref, fields: { ...FRESH, ...made } });
  draft.effects.sent.push(ref);
  if (stage !== "work") return;
  countTasks(draft, { total: 1, succeeded: 0, failed: 0 });
  draft.totalWeight += weight;
}

/** Tasks of the job's stage that are not done, or of them those named and those that were cancelled with the job. */
async function reopenTasks(draft: JobDraft, wanted: "unfinished" | readonly TaskRef[]): Promise<void> {
  for (const task of await currentTasks(draft, draft.job.stage)) {
    const { jobId, stage, index, status, messageId } = task;
    if (status !== "failed" && status !== "cancelled") continue;
    const isNamed = wanted === "unfinished" || wanted.some((ref) => ref.index === index);
    if (!isNamed && status === "failed") continue;
    if (stage === "work") {
      draft.doneWeight -= (status === "failed" ? 1 : task.progress) * task.weight;
      if (status === "failed") countTasks(draft, { total: 0, succeeded: 0, failed: -1 });
    }
    const ref = { jobId, stage, index };
    draft.effects.tasks.push({ ref, fields: FRESH });
    // A dead letter of the task is this very message, which comes back.
    draft.effects.revived.push(messageId);
    draft.effects.sent.push(ref);
  }
}

async function cancelTasks(draft: JobDraft, nowMs: number): Promise<void> {
  for (const { jobId, stage, index, status } of await currentTasks(draft)) {
    if (status !== "queued" && status !== "running") continue;
    const ref = { jobId, stage, index };
    const { progress, phase, weight } = draft.running[runningName(ref)] ?? { progress: 0, phase: "", weight: 0 };
    const reached = status === "running" ? { progress, phase } : {};
    draft.effects.tasks.push({ ref, fields: { status: "cancelled", finishedAtMs: nowMs, ...reached } });
    if (stage === "work") draft.doneWeight += progress * weight;
  }
  draft.running = {};
  draft.effects.dropsMessages = true;
}

/** Adds up anew what is done of the work by those that are not running. */
async function recount(draft: JobDraft, countsFailedWhole: boolean): Promise<void> {
  draft.doneWeight = (await currentTasks(draft, "work"))
    .filter((task) => draft.running[runningName(task)] === undefined)
    .reduce((sum, { status, progress, weight }) => {
      return sum + weight * (status === "failed" && countsFailedWhole ? 1 : progress);
    }, 0);
}

function countTasks(draft: JobDraft, more: Job["tasks"]): void {
  const { total, succeeded, failed } = draft.job.tasks;
  const tasks = { total: total + more.total, succeeded: succeeded + more.succeeded, failed: failed + more.failed };
  draft.job = { ...draft.job, tasks };
}

/** A task begun in a draft. */
export interface Started {
  readonly task: Task;
  readonly lostWorkers: number;
}

/** Begins one more attempt; undefined where the message leads nowhere any more. */
export async function startTask(
  draft: JobDraft,
  { ref, id }: TaskMessage,
  decide: DecideOnTask,
  nowMs: number,
): Promise<Started | undefined> {
  if (isEnded(draft.job.status)) return undefined;
  const before = await draft.loadTask(ref);
  // A task has one message; one that came back from before would take it from whoever works at it.
  if (before === undefined || before.messageId !== id) return undefined;
  if (before.status !== "queued" && before.status !== "running") return undefined;
  // One that is found running had a worker that is gone: whatever ends an attempt in order leaves another status.
  const lostWorkers = before.status === "running" ? before.losses + 1 : 0;
  const attempt = before.attempt + 1;
  const begun = { status: "running", attempt, progress: 0, phase: "", startedAtMs: nowMs, finishedAtMs: null } as const;
  draft.effects.tasks.push({ ref, fields: { ...begun, losses: lostWorkers } });
  const { weight, failures } = before;
  draft.running = { ...draft.running, [runningName(ref)]: { attempt, progress: 0, phase: "", weight, failures } };
  const task = { ...toTask(before), ...begun };
  const change = decide(draft.job, task, lostWorkers);
  if (change !== undefined) await applyChange(draft, change, nowMs);
  return { task, lostWorkers };
}

/** Ends the current attempt and decides what follows; undefined where it is not current any more. */
export async function endTask(
  draft: JobDraft,
  { ref, attempt, outcome, message }: Completion,
  decide: Decide,
  nowMs: number,
): Promise<true | undefined> {
  const current = draft.running[runningName(ref)];
  if (current?.attempt !== attempt) return undefined;
  const { doneShare, failures, ...end } = endOfAttempt(outcome, current.progress, nowMs);
  const fields = { ...end, failures: current.failures + failures, phase: current.phase };
  draft.effects.tasks.push({ ref, fields });
  const { [runningName(ref)]: _ended, ...running } = draft.running;
  draft.running = running;
  if (ref.stage === "work") {
    draft.doneWeight += doneShare * current.weight;
    const [succeeded, failed] = [end.status === "succeeded" ? 1 : 0, end.status === "failed" ? 1 : 0];
    countTasks(draft, { total: 0, succeeded, failed });
  }
  draft.effects.settled.push(settle(message, outcome, nowMs));
  const change = decide(draft.job);
  if (change !== undefined) await applyChange(draft, change, nowMs);
  return true;
}

function settle(message: TaskMessage, outcome: Completion["outcome"], nowMs: number): Settled {
  const { queue, id, ref, receiveCount } = message;
  const { nonce, sk } = parseReceipt(message);
  if (outcome.status === "retrying")
    return { queue, id, sk, ref, as: "retried", nonce, dueAtMs: nowMs + outcome.delayMs };
  if (outcome.status !== "failed" || !outcome.isBuried) return { queue, id, sk, ref, as: "done" };
  // As JSON it is nothing but what it was made of.
  const reason = { ...outcome.error } as unknown as Json;
  return { queue, id, sk, ref, as: "dead", receiveCount, reason, deadAtMs: nowMs };
}
