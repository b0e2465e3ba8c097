import type { DatabaseSync } from "node:sqlite";
import { ReelmillError } from "../../base/errors.ts";
import { isEnded, type Job, type Task, type TaskRef } from "../../jobs/job.ts";
import type { AttemptOutcome, JobChange, Lease, NewJob, NewTask, TaskMessage } from "../../jobs/ports.ts";
import { parseJobRow, parseMessageRow, parseTaskRow, type Row } from "./rows.ts";

/** The single writes that transitions are made of; every one runs inside its caller's transaction. */
export interface JobChanges {
  job(jobId: string): Job | undefined;
  /** Throws INTERNAL where there is none. */
  require(jobId: string): Job;
  task(ref: TaskRef): Task | undefined;
  /** Throws INTERNAL where there is none. */
  requireTask(ref: TaskRef): Task;
  insert(job: NewJob, nowMs: number): void;
  /** Makes the change and gives the job as it then is. */
  apply(job: Job, change: JobChange, nowMs: number): Job;
  /** Marks the job as changed. */
  touch(jobId: string, nowMs: number): void;
  /** Accounts for a task of the work stage having come from its progress to `progress`. */
  moveDoneWeight(task: Task, progress: number): void;
  /** Records how the current attempt ended, and counts it. */
  endAttempt(task: Task, outcome: AttemptOutcome, nowMs: number): void;
  /** Takes the attempt's message off the queue, puts it back, or leaves it dead; nothing where its lease was lost. */
  settleMessage(message: TaskMessage, outcome: AttemptOutcome, nowMs: number): void;
  /** Receives the message of one task; undefined where its queue is paused. */
  takeMessage(ref: TaskRef, lease: Lease, nowMs: number): TaskMessage | undefined;
}

const encode = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);

/** Statements prepared once. */
function prepare(database: DatabaseSync) {
  const taskIs = "job_id = ?1 AND stage = ?2 AND idx = ?3";
  return {
    job: database.prepare("SELECT * FROM jobs WHERE id = ?1"),
    task: database.prepare(`SELECT * FROM tasks WHERE ${taskIs}`),
    tick: database.prepare("UPDATE counters SET value = value + 1 WHERE name = 'change' RETURNING value"),
    insertJob: database.prepare(`
      INSERT INTO jobs (id, pipeline, params, status, stage, priority, total, succeeded, failed, total_weight, done_weight,
        idempotency_key, parent_job_id, attempt, created_at_ms, updated_at_ms, webhook, change_seq)
      VALUES (?1, ?2, ?3, 'queued', 'plan', ?4, 0, 0, 0, 0, 0, ?5, ?6, 1, ?7, ?7, ?8, 0)`),
    updateJob: database.prepare(`
      UPDATE jobs SET status = ?2, stage = ?3, error = ?4, result = ?5, attempt = ?6, started_at_ms = ?7,
        finished_at_ms = ?8, updated_at_ms = ?9, change_seq = ?10 WHERE id = ?1`),
    touch: database.prepare("UPDATE jobs SET updated_at_ms = ?2, change_seq = ?3 WHERE id = ?1"),
    addWeight: database.prepare("UPDATE jobs SET done_weight = done_weight + ?2 WHERE id = ?1"),
    plan: database.prepare("UPDATE jobs SET total = total + ?2, total_weight = total_weight + ?3 WHERE id = ?1"),
    count: database.prepare("UPDATE jobs SET succeeded = succeeded + ?2, failed = failed + ?3 WHERE id = ?1"),
    insertTask: database.prepare(`
      INSERT INTO tasks (job_id, stage, idx, label, status, attempt, failures, input, progress, phase, weight)
      VALUES (?1, ?2, ?3, ?4, 'queued', 0, 0, ?5, 0, '', ?6)
      ON CONFLICT DO UPDATE SET label = ?4, status = 'queued', failures = 0, input = ?5, output = NULL, error = NULL,
        progress = 0, phase = '', checkpoint = NULL, weight = ?6, finished_at_ms = NULL`),
    reopenTask: database.prepare(`
      UPDATE tasks SET status = 'queued', failures = 0, error = NULL, progress = 0, phase = '', finished_at_ms = NULL
      WHERE ${taskIs}`),
    unfinished: database.prepare("SELECT * FROM tasks WHERE job_id = ?1 AND status IN ('failed', 'cancelled')"),
    cancelTasks: database.prepare(`
      UPDATE tasks SET status = 'cancelled', finished_at_ms = ?2 WHERE job_id = ?1 AND status IN ('queued', 'running')`),
    endTask: database.prepare(`
      UPDATE tasks SET status = ?4, output = ?5, error = ?6, progress = ?7, failures = failures + ?8, finished_at_ms = ?9
      WHERE ${taskIs}`),
    insertMessage: database.prepare(`
      INSERT INTO messages (queue, job_id, stage, idx, priority, sent_at_ms, visible_at_ms, receive_count, receipt)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0, 0)`),
    dropMessages: database.prepare("DELETE FROM messages WHERE job_id = ?1 AND dead_at_ms IS NULL"),
    dropMessagesOfTask: database.prepare(`DELETE FROM messages WHERE ${taskIs}`),
    takeMessage: database.prepare(`
      UPDATE messages SET owner = ?4, visible_at_ms = ?5, receive_count = receive_count + 1, receipt = receipt + 1
      WHERE ${taskIs} AND dead_at_ms IS NULL AND owner IS NULL
        AND NOT EXISTS (SELECT 1 FROM queues q WHERE q.name = messages.queue AND q.is_paused = 1) RETURNING *`),
    settle: database.prepare(`
      UPDATE messages SET owner = NULL, visible_at_ms = ?3, dead_at_ms = ?4, reason = ?5,
        receive_count = receive_count - ?6 WHERE id = ?1 AND receipt = ?2 AND dead_at_ms IS NULL`),
    removeMessage: database.prepare("DELETE FROM messages WHERE id = ?1 AND receipt = ?2 AND dead_at_ms IS NULL"),
    insertEvent: database.prepare("INSERT INTO events (job_id, at_ms, type, data) VALUES (?1, ?2, ?3, ?4)"),
  };
}

type Statements = ReturnType<typeof prepare>;

/** The writes on a database whose schema is in place. */
export function createJobChanges(database: DatabaseSync): JobChanges {
  const sql = prepare(database);
  const job = (jobId: string): Job | undefined => {
    const row = sql.job.get(jobId) as Row | undefined;
    return row && parseJobRow(row);
  };
  const task = (ref: TaskRef): Task | undefined => {
    const row = sql.task.get(ref.jobId, ref.stage, ref.index) as Row | undefined;
    return row && parseTaskRow(row);
  };
  const requireJob = (jobId: string): Job => job(jobId) ?? missing(`job ${jobId}`);
  return {
    job,
    task,
    require: requireJob,
    requireTask: (ref) => task(ref) ?? missing(`task ${ref.stage}/${ref.index} of job ${ref.jobId}`),
    insert: (added, nowMs) => {
      const { id, pipeline, params, priority, idempotency, parentJobId, webhook } = added;
      const key = idempotency?.key ?? null;
      sql.insertJob.run(id, pipeline, JSON.stringify(params), priority, key, parentJobId, nowMs, encode(webhook));
    },
    apply: (before, change, nowMs) => {
      applyChange(sql, before, change, nowMs);
      return requireJob(before.id);
    },
    touch: (jobId, nowMs) => {
      sql.touch.run(jobId, nowMs, nextChange(sql));
    },
    moveDoneWeight: (moved, progress) => moveDoneWeight(sql, moved, progress),
    endAttempt: (ended, outcome, nowMs) => endAttempt(sql, ended, outcome, nowMs),
    settleMessage: (message, outcome, nowMs) => settleMessage(sql, message, outcome, nowMs),
    takeMessage: ({ jobId, stage, index }, { owner, leaseMs }, nowMs) => {
      const row = sql.takeMessage.get(jobId, stage, index, owner, nowMs + leaseMs) as Row | undefined;
      return row && parseMessageRow(row);
    },
  };
}

function missing(what: string): never {
  throw new ReelmillError("INTERNAL", `The ${what} was gone in the middle of a transaction.`);
}

function nextChange(sql: Statements): number {
  return (sql.tick.get() as Row)["value"] as number;
}

function applyChange(sql: Statements, job: Job, change: JobChange, nowMs: number): void {
  if (change.reopenTasks !== undefined) {
    const tasks = (sql.unfinished.all(job.id) as readonly Row[]).map(parseTaskRow);
    const { reopenTasks } = change;
    const isWanted = (task: Task): boolean =>
      reopenTasks === "unfinished" ||
      reopenTasks.some(({ stage, index }) => stage === task.stage && index === task.index);
    for (const task of tasks.filter(isWanted)) reopenTask(sql, job, task, nowMs);
  }
  for (const task of change.addTasks ?? []) addTask(sql, job, task, nowMs);
  if (change.cancelTasks === true) {
    sql.cancelTasks.run(job.id, nowMs);
    sql.dropMessages.run(job.id);
  }
  const status = change.status ?? job.status;
  const startedAtMs = job.startedAtMs ?? (status === "running" ? nowMs : null);
  sql.updateJob.run(
    job.id,
    status,
    change.stage ?? job.stage,
    encode(change.error === undefined ? job.error : change.error),
    encode(change.result === undefined ? job.result : change.result),
    job.attempt + (change.isRestart === true ? 1 : 0),
    startedAtMs,
    isEnded(status) ? (job.finishedAtMs ?? nowMs) : null,
    nowMs,
    nextChange(sql),
  );
  for (const { type, data } of change.events ?? [])
    sql.insertEvent.run(job.id, nowMs, type, JSON.stringify(data ?? {}));
}

function addTask(sql: Statements, job: Job, task: NewTask, nowMs: number): void {
  const { stage, index, label, input, weight } = task;
  sql.insertTask.run(job.id, stage, index, label, JSON.stringify(input), weight);
  if (stage === "work") sql.plan.run(job.id, 1, weight);
  sql.insertMessage.run(job.pipeline, job.id, stage, index, job.priority, nowMs);
}

function reopenTask(sql: Statements, job: Job, task: Task, nowMs: number): void {
  const { jobId, stage, index } = task;
  moveDoneWeight(sql, task, 0);
  if (stage === "work" && task.status === "failed") sql.count.run(jobId, 0, -1);
  sql.reopenTask.run(jobId, stage, index);
  // A dead letter of the task is this very message, which comes back.
  sql.dropMessagesOfTask.run(jobId, stage, index);
  sql.insertMessage.run(job.pipeline, jobId, stage, index, job.priority, nowMs);
}

function moveDoneWeight(sql: Statements, task: Task, progress: number): void {
  if (task.stage !== "work" || progress === task.progress) return;
  sql.addWeight.run(task.jobId, (progress - task.progress) * task.weight);
}

function endAttempt(sql: Statements, task: Task, outcome: AttemptOutcome, nowMs: number): void {
  const { jobId, stage, index } = task;
  const isRetried = outcome.status === "retrying";
  const progress = isRetried ? 0 : 1;
  moveDoneWeight(sql, task, progress);
  if (stage === "work" && !isRetried) {
    sql.count.run(jobId, outcome.status === "succeeded" ? 1 : 0, outcome.status === "failed" ? 1 : 0);
  }
  sql.endTask.run(
    jobId,
    stage,
    index,
    isRetried ? "queued" : outcome.status,
    outcome.status === "succeeded" ? JSON.stringify(outcome.output) : null,
    outcome.status === "succeeded" ? null : JSON.stringify(outcome.error),
    progress,
    isRetried && outcome.isFailure ? 1 : 0,
    isRetried ? null : nowMs,
  );
}

function settleMessage(sql: Statements, { id, receipt }: TaskMessage, outcome: AttemptOutcome, nowMs: number): void {
  if (outcome.status === "retrying") {
    // A receive that a stopped worker gave back is none of those that count against the message.
    sql.settle.run(id, Number(receipt), nowMs + outcome.delayMs, null, null, outcome.isFailure ? 0 : 1);
  } else if (outcome.status === "failed" && outcome.isBuried) {
    sql.settle.run(id, Number(receipt), nowMs, nowMs, JSON.stringify(outcome.error), 0);
  } else {
    sql.removeMessage.run(id, Number(receipt));
  }
}
