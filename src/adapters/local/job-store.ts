import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { isEnded, type Job, type JobStatus, type Stage, type Task, type TaskRef } from "../../jobs/job.ts";
import type {
  Beat,
  Completed,
  Completion,
  Decide,
  DecideOnTask,
  JobCounts,
  JobFilter,
  JobPage,
  JobStore,
  NewJob,
  StartedTask,
} from "../../jobs/ports.ts";
import { transact } from "./database.ts";
import { createJobChanges, type JobChanges } from "./job-changes.ts";
import { parseEventRow, parseJobRow, parseTaskRow, type Row } from "./rows.ts";

const DAY_MS = 24 * 3600_000;
const SWEEP_BATCH = 500;
const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Jobs, tasks and events in the database. A transition and the messages it sends are one transaction. */
export function createJobStore(database: DatabaseSync, clock: Clock): JobStore {
  const changes = createJobChanges(database);
  const tasksOf = database.prepare(
    "SELECT * FROM tasks WHERE job_id = ?1 AND (?2 IS NULL OR stage = ?2) ORDER BY stage, idx",
  );
  const changed = database.prepare("SELECT * FROM jobs WHERE change_seq > ?1 ORDER BY change_seq LIMIT ?2");
  const lastChange = database.prepare("SELECT value FROM counters WHERE name = 'change'");
  const events = database.prepare("SELECT * FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2");
  const eventsOfJob = database.prepare("SELECT * FROM events WHERE job_id = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2");
  const write = <T>(work: (nowMs: number) => T): T => transact(database, () => work(clock.nowMs()));
  return {
    create: async (job) => write((nowMs) => createJob(database, changes, job, nowMs)),
    get: async (jobId) => changes.job(jobId),
    list: async (filter) => listJobs(database, filter),
    lastChange: async () => (lastChange.get() as Row)["value"] as number,
    listChanged: async (changeSeq, limit) => (changed.all(changeSeq, limit) as readonly Row[]).map(parseJobRow),
    update: async (jobId, decide) => write((nowMs) => updateJob(changes, jobId, decide, nowMs)),
    getTask: async (ref) => changes.task(ref),
    listTasks: async (jobId, stage) =>
      (tasksOf.all(jobId, stage ?? null) as readonly Row[]).map(parseTaskRow).sort(byStage),
    startTask: async (ref, decide) => write((nowMs) => startTask(database, changes, ref, decide, nowMs)),
    completeTask: async (completion, decide) => write((nowMs) => completeTask(changes, completion, decide, nowMs)),
    beat: async (beat) => write((nowMs) => recordBeat(database, changes, beat, nowMs)),
    listEvents: async ({ jobId, afterSeq, limit }) => {
      const rows = jobId === undefined ? events.all(afterSeq, limit) : eventsOfJob.all(afterSeq, limit, jobId);
      return (rows as readonly Row[]).map(parseEventRow);
    },
    count: async () => countJobs(database, clock.nowMs()),
    sweep: async (endedBeforeMs) => write((nowMs) => sweep(database, endedBeforeMs, nowMs)),
  };
}

const STAGE_ORDER: Readonly<Record<Stage, number>> = { plan: 0, work: 1, finish: 2 };

function byStage(a: Task, b: Task): number {
  return STAGE_ORDER[a.stage] - STAGE_ORDER[b.stage] || a.index - b.index;
}

function createJob(
  database: DatabaseSync,
  changes: JobChanges,
  job: NewJob,
  nowMs: number,
): { readonly job: Job; readonly isNew: boolean } {
  const { idempotency } = job;
  if (idempotency !== null) {
    const known = database
      .prepare("SELECT * FROM idempotency WHERE key = ?1 AND expires_at_ms > ?2")
      .get(idempotency.key, nowMs) as Row | undefined;
    const first = known && changes.job(known["job_id"] as string);
    if (first !== undefined) {
      if (known?.["body_hash"] !== idempotency.bodyHash) {
        throw new ReelmillError(
          "IDEMPOTENCY_CONFLICT",
          `The idempotency key "${idempotency.key}" was used for another request, which made the job ${first.id}. Use a new key.`,
        );
      }
      return { job: first, isNew: false };
    }
    database
      .prepare("INSERT OR REPLACE INTO idempotency (key, body_hash, job_id, expires_at_ms) VALUES (?1, ?2, ?3, ?4)")
      .run(idempotency.key, idempotency.bodyHash, job.id, nowMs + idempotency.keepMs);
  }
  changes.insert(job, nowMs);
  const plan = { stage: "plan", index: 0, label: "plan", input: null, weight: 1 } as const;
  const created = changes.apply(
    changes.require(job.id),
    { addTasks: [plan], events: [{ type: "job.queued", data: { pipeline: job.pipeline } }] },
    nowMs,
  );
  return { job: created, isNew: true };
}

function updateJob(changes: JobChanges, jobId: string, decide: Decide, nowMs: number): Job | undefined {
  const job = changes.job(jobId);
  const change = job && decide(job);
  return job && change && changes.apply(job, change, nowMs);
}

function startTask(
  database: DatabaseSync,
  changes: JobChanges,
  ref: TaskRef,
  decide: DecideOnTask,
  nowMs: number,
): StartedTask | undefined {
  const job = changes.job(ref.jobId);
  const before = changes.task(ref);
  // A task may be found running: its worker was lost.
  if (job === undefined || before === undefined || isEnded(job.status)) return undefined;
  if (before.status !== "queued" && before.status !== "running") return undefined;
  database
    .prepare(
      `UPDATE tasks SET status = 'running', attempt = attempt + 1, progress = 0, phase = '', started_at_ms = ?4,
         finished_at_ms = NULL WHERE job_id = ?1 AND stage = ?2 AND idx = ?3`,
    )
    .run(ref.jobId, ref.stage, ref.index, nowMs);
  changes.moveDoneWeight(before, 0);
  const task = changes.requireTask(ref);
  return { job: changes.apply(job, decide(job, task) ?? {}, nowMs), task };
}

function completeTask(
  changes: JobChanges,
  completion: Completion,
  decide: Decide,
  nowMs: number,
): Completed | undefined {
  const { ref, attempt, outcome, message, takeNext } = completion;
  const job = changes.job(ref.jobId);
  const task = changes.task(ref);
  if (job === undefined || task === undefined || task.attempt !== attempt || task.status !== "running")
    return undefined;
  changes.endAttempt(task, outcome, nowMs);
  changes.settleMessage(message, outcome, nowMs);
  const counted = changes.require(ref.jobId);
  const change = decide(counted) ?? {};
  const moved = changes.apply(counted, change, nowMs);
  const next =
    takeNext && change.addTasks?.[0] && changes.takeMessage({ ...change.addTasks[0], jobId: job.id }, takeNext, nowMs);
  return { job: moved, next };
}

function recordBeat(database: DatabaseSync, changes: JobChanges, beat: Beat, nowMs: number): boolean {
  const { ref, attempt, progress, phase, checkpoint } = beat;
  const task = changes.task(ref);
  if (task === undefined || task.attempt !== attempt || task.status !== "running") return false;
  const share = Math.min(1, Math.max(0, progress));
  const isMoved = share !== task.progress || phase !== task.phase;
  if (isMoved || checkpoint !== undefined) {
    database
      .prepare(
        `UPDATE tasks SET progress = ?4, phase = ?5, checkpoint = COALESCE(?6, checkpoint)
         WHERE job_id = ?1 AND stage = ?2 AND idx = ?3`,
      )
      .run(ref.jobId, ref.stage, ref.index, share, phase, checkpoint === undefined ? null : JSON.stringify(checkpoint));
  }
  if (isMoved) {
    changes.moveDoneWeight(task, share);
    changes.touch(ref.jobId, nowMs);
  }
  return true;
}

function listJobs(database: DatabaseSync, filter: JobFilter): JobPage {
  const { pipeline, statuses, parentJobId, limit, cursor } = filter;
  if (cursor !== undefined && !JOB_ID.test(cursor)) {
    throw new ReelmillError("CURSOR_INVALID", `"${cursor}" is not a cursor that an earlier page gave.`);
  }
  const wanted: [string, string | null][] = [];
  if (pipeline !== undefined) wanted.push(["pipeline = ?", pipeline]);
  if (parentJobId !== undefined) wanted.push(["parent_job_id = ?", parentJobId]);
  if (cursor !== undefined) wanted.push(["id < ?", cursor]);
  if (statuses !== undefined) wanted.push(["status IN (SELECT value FROM json_each(?))", JSON.stringify(statuses)]);
  const where = wanted.length === 0 ? "" : `WHERE ${wanted.map(([condition]) => condition).join(" AND ")}`;
  const rows = database
    .prepare(`SELECT * FROM jobs ${where} ORDER BY id DESC LIMIT ?`)
    .all(...wanted.map(([, value]) => value), limit + 1) as readonly Row[];
  const jobs = rows.slice(0, limit).map(parseJobRow);
  return { jobs, nextCursor: rows.length > limit ? jobs.at(-1)?.id : undefined };
}

function countJobs(database: DatabaseSync, nowMs: number): JobCounts {
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

function sweep(database: DatabaseSync, endedBeforeMs: number, nowMs: number): readonly string[] {
  database.prepare("DELETE FROM idempotency WHERE expires_at_ms <= ?1").run(nowMs);
  const rows = database
    .prepare("SELECT id FROM jobs WHERE finished_at_ms < ?1 LIMIT ?2")
    .all(endedBeforeMs, SWEEP_BATCH) as readonly Row[];
  const ids = rows.map((row) => row["id"] as string);
  for (const table of ["messages", "events", "tasks"]) {
    const remove = database.prepare(`DELETE FROM ${table} WHERE job_id = ?1`);
    for (const id of ids) remove.run(id);
  }
  const remove = database.prepare("DELETE FROM jobs WHERE id = ?1");
  for (const id of ids) remove.run(id);
  return ids;
}
