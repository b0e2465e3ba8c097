import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { isEnded, type Job, type JobStatus } from "../../jobs/job.ts";
import { compareTasks, idempotencyConflict, PLAN_TASK, queuedEvent, requireJobCursor } from "../../jobs/job-change.ts";
import type { Decide, Idempotency, JobCounts, JobFilter, JobPage, JobStore, NewJob } from "../../jobs/ports.ts";
import { createBatch, type Settled } from "./batch.ts";
import { commit, commitDurably, type LocalDatabase, read } from "./database.ts";
import { createJobDrafts, type JobDrafts } from "./job-drafts.ts";
import { createMessages } from "./messages.ts";
import { parseEventRow, parseJobRow, parseTaskRow, type Row } from "./rows.ts";
import { createSequence } from "./sequence.ts";
import { createTaskAttempts } from "./task-attempts.ts";

const DAY_MS = 24 * 3600_000;
/** Forgetting one with a thousand files takes some 20 ms, in which nobody else writes and the server answers nothing. */
const SWEEP_BATCH = 20;

/** An attempt that took so long is not left to a power cut; a shorter one is soon done again. */
const LONG_ATTEMPT_MS = 1000;

/**
 * Jobs, tasks and events in the database. A transition and the messages it sends are one transaction. With `full` durability a
 * power cut takes nothing that was answered: jobs created, changed by a user or ended, attempts that took a while. What it may
 * take, the starts and ends of short attempts, is done again.
 */
export function createJobStore(database: LocalDatabase, clock: Clock): JobStore {
  const messages = createMessages(database);
  const sequence = createSequence(database);
  const drafts = createJobDrafts(database, messages, sequence);
  const attempts = createTaskAttempts(database, drafts, messages);
  const sql = prepareReads(database);
  const numbered =
    <T>(work: (nowMs: number) => T) =>
    (): T =>
      sequence.within(() => work(clock.nowMs()));
  const write = <T>(work: (nowMs: number) => T): T => commit(database, numbered(work));
  const writeDurably = <T>(work: (nowMs: number) => T): Promise<T> => commitDurably(database, numbered(work));
  const create = createBatch((jobs: readonly NewJob[]) =>
    writeDurably((nowMs) => jobs.map((job) => settle(() => createJob(database, drafts, job, nowMs)))),
  );
  return {
    create,
    get: async (jobId) => read(() => parseOne(sql.job.get(jobId), parseJobRow)),
    list: async (filter) => read(() => listJobs(database, filter, clock.nowMs())),
    lastChange: async () => read(() => (sql.last.get() as { readonly value: number }).value),
    listChanged: async (changeSeq, limit) => read(() => rows(sql.changed.all(changeSeq, limit)).map(parseJobRow)),
    update: (jobId, decide) => writeDurably((nowMs) => updateJob(drafts, jobId, decide, nowMs)),
    getTask: async ({ jobId, stage, index }) => read(() => parseOne(sql.task.get(jobId, stage, index), parseTaskRow)),
    listTasks: async (jobId, stage) =>
      read(() =>
        rows(sql.tasks.all(jobId, stage ?? null))
          .map(parseTaskRow)
          .sort(compareTasks),
      ),
    takeTask: async (options, decide) => {
      // A look without the write lock first: idle workers must not hold up busy ones.
      if (!read(() => messages.isAnyDue(options, clock.nowMs()))) return undefined;
      return write((nowMs) => attempts.take(options, decide, nowMs));
    },
    takeNamed: async (ref, lease, decide) => write((nowMs) => attempts.takeNamed(ref, lease, decide, nowMs)),
    completeTask: async (completion, decide) => {
      const completed = write((nowMs) => attempts.complete(completion, decide, nowMs));
      if (completed === undefined) return undefined;
      const { job, next, elapsedMs } = completed;
      const isShort = elapsedMs >= 0 && elapsedMs < LONG_ATTEMPT_MS;
      if (isEnded(job.status) || !isShort) await database.flush();
      return { job, next };
    },
    beat: async (beat) => {
      const { isCurrent, isNews } = read(() => attempts.isWanted(beat));
      return isCurrent && (!isNews || write((nowMs) => attempts.beat(beat, nowMs)));
    },
    listEvents: async ({ jobId, afterSeq, limit }) => {
      const all = (): unknown =>
        jobId === undefined ? sql.events.all(afterSeq, limit) : sql.eventsOfJob.all(afterSeq, limit, jobId);
      return read(() => rows(all()).map(parseEventRow));
    },
    count: async () => read(() => countJobs(database, clock.nowMs())),
    sweep: async (endedBeforeMs) => write((nowMs) => sweep(database, endedBeforeMs, nowMs)),
  };
}

/** Statements prepared once. */
function prepareReads(database: LocalDatabase) {
  return {
    job: database.prepare("SELECT * FROM jobs WHERE id = ?1"),
    // One sequence numbers changes and all else: its last number is that of no later change.
    last: database.prepare("SELECT value FROM sequence"),
    changed: database.prepare("SELECT * FROM jobs WHERE change_seq > ?1 ORDER BY change_seq LIMIT ?2"),
    task: database.prepare("SELECT * FROM tasks WHERE job_id = ?1 AND stage = ?2 AND idx = ?3"),
    tasks: database.prepare("SELECT * FROM tasks WHERE job_id = ?1 AND (?2 IS NULL OR stage = ?2) ORDER BY stage, idx"),
    events: database.prepare("SELECT * FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
    eventsOfJob: database.prepare("SELECT * FROM events WHERE job_id = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2"),
  };
}

function rows(found: unknown): readonly Row[] {
  return found as readonly Row[];
}

function parseOne<T>(row: unknown, parse: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : parse(row as Row);
}

/** One conflict among many creations is that one's own. */
function settle<T>(work: () => T): Settled<T> {
  try {
    return { result: work() };
  } catch (error) {
    if (error instanceof ReelmillError) return { error };
    throw error;
  }
}

function createJob(
  database: LocalDatabase,
  drafts: JobDrafts,
  job: NewJob,
  nowMs: number,
): { readonly job: Job; readonly isNew: boolean } {
  const { idempotency } = job;
  // Nothing is written before it is sure that the job is new.
  const first = idempotency === null ? undefined : findFirst(database, drafts, idempotency, nowMs);
  if (first !== undefined) return { job: first, isNew: false };
  if (idempotency !== null) {
    database
      .prepare("INSERT OR REPLACE INTO idempotency (key, body_hash, job_id, expires_at_ms) VALUES (?1, ?2, ?3, ?4)")
      .run(idempotency.key, idempotency.bodyHash, job.id, nowMs + idempotency.keepMs);
  }
  const draft = drafts.begin(job, nowMs);
  drafts.apply(draft, { addTasks: [PLAN_TASK], events: [queuedEvent(job)] }, nowMs);
  // The job was just written as it is.
  return { job: draft.job, isNew: true };
}

function findFirst(
  database: LocalDatabase,
  drafts: JobDrafts,
  idempotency: Idempotency,
  nowMs: number,
): Job | undefined {
  const known = database
    .prepare("SELECT * FROM idempotency WHERE key = ?1 AND expires_at_ms > ?2")
    .get(idempotency.key, nowMs) as Row | undefined;
  const first = known && drafts.load(known["job_id"] as string)?.job;
  if (first !== undefined && known?.["body_hash"] !== idempotency.bodyHash) {
    throw idempotencyConflict(idempotency.key, first.id);
  }
  return first;
}

function updateJob(drafts: JobDrafts, jobId: string, decide: Decide, nowMs: number): Job | undefined {
  const draft = drafts.load(jobId);
  const change = draft && decide(draft.job);
  if (draft === undefined || change === undefined) return undefined;
  drafts.apply(draft, change, nowMs);
  return drafts.save(draft, nowMs);
}

const OF_KEY = "id = (SELECT job_id FROM idempotency WHERE key = ? AND expires_at_ms > ?)";

function listJobs(database: LocalDatabase, filter: JobFilter, nowMs: number): JobPage {
  const { pipeline, statuses, parentJobId, idempotencyKey, limit, cursor } = filter;
  requireJobCursor(cursor);
  const wanted: [string, ...(string | number)[]][] = [];
  if (pipeline !== undefined) wanted.push(["pipeline = ?", pipeline]);
  if (parentJobId !== undefined) wanted.push(["parent_job_id = ?", parentJobId]);
  if (idempotencyKey !== undefined) wanted.push([OF_KEY, idempotencyKey, nowMs]);
  if (cursor !== undefined) wanted.push(["id < ?", cursor]);
  if (statuses !== undefined) wanted.push(["status IN (SELECT value FROM json_each(?))", JSON.stringify(statuses)]);
  const where = wanted.length === 0 ? "" : `WHERE ${wanted.map(([condition]) => condition).join(" AND ")}`;
  const rows = database
    .prepare(`SELECT * FROM jobs ${where} ORDER BY id DESC LIMIT ?`)
    .all(...wanted.flatMap(([, ...values]) => values), limit + 1) as readonly Row[];
  const jobs = rows.slice(0, limit).map(parseJobRow);
  return { jobs, nextCursor: rows.length > limit ? jobs.at(-1)?.id : undefined };
}

function countJobs(database: LocalDatabase, nowMs: number): JobCounts {
  const byStatus: Record<JobStatus, number> = {
    queued: 0,
    running: 0,
    succeeded: 0,
    partial: 0,
    failed: 0,
    cancelled: 0,
  };
  const rows = database.prepare("SELECT status, COUNT(*) AS jobs FROM jobs GROUP BY status").all() as readonly Row[];
  for (const row of rows) byStatus[row["status"] as JobStatus] = row["jobs"] as number;
  const ended = database.prepare("SELECT COUNT(*) AS jobs FROM jobs WHERE finished_at_ms > ?1").get(nowMs - DAY_MS);
  return { byStatus, endedLastDay: (ended as Row)["jobs"] as number };
}

function sweep(database: LocalDatabase, endedBeforeMs: number, nowMs: number): readonly string[] {
  database.prepare("DELETE FROM idempotency WHERE expires_at_ms <= ?1").run(nowMs);
  const rows = database
    .prepare("SELECT id FROM jobs WHERE finished_at_ms < ?1 LIMIT ?2")
    .all(endedBeforeMs, SWEEP_BATCH) as readonly Row[];
  const ids = rows.map((row) => row["id"] as string);
  for (const table of ["dead_letters", "events", "tasks"]) {
    const remove = database.prepare(`DELETE FROM ${table} WHERE job_id = ?1`);
    for (const id of ids) remove.run(id);
  }
  const remove = database.prepare("DELETE FROM jobs WHERE id = ?1");
  for (const id of ids) remove.run(id);
  return ids;
}
