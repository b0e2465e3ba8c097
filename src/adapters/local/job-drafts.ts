import type { DatabaseSync } from "node:sqlite";
import { isEnded, type Job, type Task, type TaskRef } from "../../jobs/job.ts";
import { changedJob, createQueuedJob, jobProgress } from "../../jobs/job-change.ts";
import type { JobChange, NewJob, NewTask } from "../../jobs/ports.ts";
import type { MessagePlace, Messages } from "./messages.ts";
import { parseJobRow, parseTaskRow, type Row } from "./rows.ts";
import type { Sequence } from "./sequence.ts";

/** A job within a transaction: as it is by now. It is written once, at the end. */
export interface JobDraft {
  job: Job;
  readonly rank: number;
  /** Of all tasks of the work stage. */
  totalWeight: number;
  /**
   * Of those that are done, with their share of those that are not. One that failed needs no more work and counts whole, until the
   * job itself has failed: that keeps the progress it had.
   */
  doneWeight: number;
  isChanged: boolean;
  /** More than counts and progress. */
  isStatusChanged: boolean;
}

/** Reads, changes and writes drafts; everything runs inside its caller's transaction. */
export interface JobDrafts {
  load(jobId: string): JobDraft | undefined;
  /** A job that is not stored yet. */
  begin(job: NewJob, nowMs: number): JobDraft;
  /** Makes the change; tasks, messages and events are written at once. */
  apply(draft: JobDraft, change: JobChange, nowMs: number): void;
  /** Writes the job where it was changed, and gives it as it then is. */
  save(draft: JobDraft, nowMs: number): Job;
}

const encode = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);

/** Statements prepared once. */
function prepare(database: DatabaseSync) {
  const taskIs = "job_id = ?1 AND stage = ?2 AND idx = ?3";
  return {
    job: database.prepare("SELECT * FROM jobs WHERE id = ?1"),
    insertJob: database.prepare(`
      INSERT INTO jobs (rank, id, pipeline, params, status, stage, priority, total, succeeded, failed, total_weight, done_weight,
        idempotency_key, parent_job_id, attempt, created_at_ms, updated_at_ms, webhook, change_seq, traceparent)
      VALUES (?1, ?2, ?3, ?4, 'queued', 'plan', ?5, 0, 0, 0, 0, 0, ?6, ?7, 1, ?8, ?8, ?9, ?10, ?11)`),
    updateStatus: database.prepare(`
      UPDATE jobs SET status = ?2, error = ?3, result = ?4, attempt = ?5, started_at_ms = ?6, finished_at_ms = ?7
      WHERE rank = ?1`),
    updateRest: database.prepare(`
      UPDATE jobs SET stage = ?2, updated_at_ms = ?3, change_seq = ?4, total = ?5, succeeded = ?6, failed = ?7,
        total_weight = ?8, done_weight = ?9 WHERE rank = ?1`),
    insertTask: database.prepare(`
      INSERT INTO tasks (job_id, stage, idx, label, status, attempt, failures, losses, input, progress, phase, weight)
      VALUES (?1, ?2, ?3, ?4, 'queued', 0, 0, 0, ?5, 0, '', ?6)
      ON CONFLICT DO UPDATE SET label = ?4, status = 'queued', failures = 0, losses = 0, input = ?5, output = NULL,
        error = NULL, progress = 0, phase = '', checkpoint = NULL, weight = ?6, finished_at_ms = NULL`),
    unfinished: database.prepare(
      "SELECT * FROM tasks WHERE job_id = ?1 AND stage = ?2 AND status IN ('failed', 'cancelled')",
    ),
    reopenTask: database.prepare(`
      UPDATE tasks SET status = 'queued', failures = 0, losses = 0, error = NULL, progress = 0, phase = '',
        finished_at_ms = NULL WHERE ${taskIs}`),
    cancelTasks: database.prepare(`
      UPDATE tasks SET status = 'cancelled', finished_at_ms = ?2 WHERE job_id = ?1 AND status IN ('queued', 'running')`),
    progressOf: database.prepare(`
      SELECT TOTAL(weight * CASE WHEN status = 'failed' AND ?2 THEN 1 ELSE progress END) AS done FROM tasks
      WHERE job_id = ?1 AND stage = 'work'`),
    insertEvent: database.prepare("INSERT INTO events (seq, job_id, at_ms, type, data) VALUES (?1, ?2, ?3, ?4, ?5)"),
  };
}

type Statements = ReturnType<typeof prepare>;

/** What drafts are written with. */
interface Writer {
  readonly sql: Statements;
  readonly messages: Messages;
  readonly sequence: Sequence;
}

/** Drafts on a database whose schema is in place. */
export function createJobDrafts(database: DatabaseSync, messages: Messages, sequence: Sequence): JobDrafts {
  const writer: Writer = { sql: prepare(database), messages, sequence };
  const { sql } = writer;
  return {
    load: (jobId) => {
      const row = sql.job.get(jobId) as Row | undefined;
      return row && parseDraft(row);
    },
    begin: (job, nowMs) => insertJob(writer, job, nowMs),
    apply: (draft, change, nowMs) => applyChange(writer, draft, change, nowMs),
    save: (draft, nowMs) => (draft.isChanged ? saveDraft(writer, draft, nowMs) : draft.job),
  };
}

function parseDraft(row: Row): JobDraft {
  return {
    job: parseJobRow(row),
    rank: row["rank"] as number,
    totalWeight: row["total_weight"] as number,
    doneWeight: row["done_weight"] as number,
    isChanged: false,
    isStatusChanged: false,
  };
}

function insertJob({ sql, sequence }: Writer, added: NewJob, nowMs: number): JobDraft {
  const { id, pipeline, params, priority, idempotency, parentJobId, webhook, traceparent = null } = added;
  const idempotencyKey = idempotency?.key ?? null;
  const rank = sequence.next();
  const changeSeq = sequence.next();
  const values = [rank, id, pipeline, JSON.stringify(params), priority, idempotencyKey, parentJobId] as const;
  sql.insertJob.run(...values, nowMs, encode(webhook), changeSeq, traceparent);
  const job = createQueuedJob(added, nowMs, changeSeq);
  return { job, rank, totalWeight: 0, doneWeight: 0, isChanged: false, isStatusChanged: false };
}

function applyChange(writer: Writer, draft: JobDraft, change: JobChange, nowMs: number): void {
  const { sql, messages, sequence } = writer;
  const { job } = draft;
  const next = changedJob(job, change, nowMs);
  const { status } = next;
  draft.job = next;
  draft.isChanged = true;
  const { error, result, isRestart } = change;
  draft.isStatusChanged ||= status !== job.status || isRestart === true || error !== undefined || result !== undefined;
  if (status === "failed" && job.status !== "failed") recount(writer, draft, false);
  if (change.reopenTasks !== undefined) {
    if (job.status === "failed") recount(writer, draft, true);
    // Nothing of a job that has ended is waited for; what a lost lease left of its messages would come twice.
    if (isEnded(job.status)) messages.dropOfJob(placeOf(draft));
    reopenTasks(writer, draft, change.reopenTasks, nowMs);
  }
  for (const task of change.addTasks ?? []) addTask(writer, draft, task, nowMs);
  if (change.cancelTasks === true) {
    sql.cancelTasks.run(job.id, nowMs);
    messages.dropOfJob(placeOf(draft));
  }
  for (const { type, data } of change.events ?? []) {
    sql.insertEvent.run(sequence.next(), job.id, nowMs, type, data === undefined ? "{}" : JSON.stringify(data));
  }
}

function saveDraft({ sql, sequence }: Writer, draft: JobDraft, nowMs: number): Job {
  const { job, rank, totalWeight, doneWeight } = draft;
  const { status, stage, error, result, attempt, startedAtMs, finishedAtMs, tasks } = job;
  const changeSeq = sequence.next();
  if (draft.isStatusChanged) {
    // Apart, because whatever names the status writes its index, too.
    sql.updateStatus.run(rank, status, encode(error), encode(result), attempt, startedAtMs, finishedAtMs);
  }
  const counts = [tasks.total, tasks.succeeded, tasks.failed, totalWeight, doneWeight] as const;
  sql.updateRest.run(rank, stage, nowMs, changeSeq, ...counts);
  draft.isChanged = false;
  draft.isStatusChanged = false;
  draft.job = { ...job, progress: jobProgress(status, doneWeight, totalWeight), updatedAtMs: nowMs, changeSeq };
  return draft.job;
}

function placeOf({ job, rank }: JobDraft): MessagePlace {
  return { queue: job.pipeline, priority: job.priority, rank };
}

function addTask({ sql, messages, sequence }: Writer, draft: JobDraft, task: NewTask, nowMs: number): void {
  const { job } = draft;
  const { stage, index, label, input, weight } = task;
  const ref = { jobId: job.id, stage, index };
  sql.insertTask.run(job.id, stage, index, label, JSON.stringify(input), weight);
  if (stage === "work") {
    countTasks(draft, { total: 1, succeeded: 0, failed: 0 });
    draft.totalWeight += weight;
  }
  // A job that was started again can have had its end before, and a dead letter of it.
  if (stage === "finish" && job.attempt > 1) messages.dropDead(ref);
  messages.send(placeOf(draft), ref, sequence.next(), nowMs);
}

/** Tasks of the job's stage that are not done, or of them those named and those that were cancelled with the job. */
function reopenTasks(writer: Writer, draft: JobDraft, wanted: "unfinished" | readonly TaskRef[], nowMs: number): void {
  const { sql, messages, sequence } = writer;
  const { job } = draft;
  for (const row of sql.unfinished.all(job.id, job.stage) as readonly Row[]) {
    const task = parseTaskRow(row);
    const isNamed = wanted === "unfinished" || wanted.some((ref) => ref.index === task.index);
    if (!isNamed && task.status === "failed") continue;
    moveDoneWeight(draft, task.status === "failed" ? { ...task, progress: 1 } : task, 0);
    if (task.stage === "work" && task.status === "failed") countTasks(draft, { total: 0, succeeded: 0, failed: -1 });
    sql.reopenTask.run(job.id, task.stage, task.index);
    // A dead letter of the task is this very message, which comes back.
    messages.dropDead(task);
    messages.send(placeOf(draft), task, sequence.next(), nowMs);
  }
}

/** Adds up anew what is done of the work. */
function recount({ sql }: Writer, draft: JobDraft, countsFailedWhole: boolean): void {
  const row = sql.progressOf.get(draft.job.id, countsFailedWhole ? 1 : 0) as Row;
  draft.doneWeight = row["done"] as number;
}

/** Counts tasks of the work stage in or out. */
export function countTasks(draft: JobDraft, more: Job["tasks"]): void {
  const { total, succeeded, failed } = draft.job.tasks;
  draft.isChanged = true;
  draft.job = {
    ...draft.job,
    tasks: { total: total + more.total, succeeded: succeeded + more.succeeded, failed: failed + more.failed },
  };
}

/** Accounts for a task having come from its progress to `progress`; only the work stage counts. */
export function moveDoneWeight(
  draft: JobDraft,
  task: Pick<Task, "stage" | "progress" | "weight">,
  progress: number,
): void {
  if (task.stage !== "work" || progress === task.progress) return;
  draft.doneWeight += (progress - task.progress) * task.weight;
  draft.isChanged = true;
}
