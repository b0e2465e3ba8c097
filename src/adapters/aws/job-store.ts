import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { JOB_STATUSES, type Job, type JobStatus } from "../../jobs/job.ts";
import {
  compareTasks,
  createQueuedJob,
  idempotencyConflict,
  PLAN_TASK,
  queuedEvent,
  requireJobCursor,
} from "../../jobs/job-change.ts";
import type {
  Completion,
  Idempotency,
  JobCounts,
  JobFilter,
  JobPage,
  JobStore,
  NewJob,
  TakenTask,
} from "../../jobs/ports.ts";
import { changeSeqOf, createLogEnd, lastNumber, readChanges, readEvents } from "./change-log.ts";
import { type Committer, createJob, type Left, readJob, readSettledJob, tasksOf, transition } from "./job-commit.ts";
import { applyChange } from "./job-draft.ts";
import { jobKey, jobPartition, parseJobItem, toTask } from "./job-items.ts";
import { createSweep, settleStale } from "./sweep.ts";
import { getItem, getItems, type Item, type ItemKey, putItem, queryItems, type Table } from "./table.ts";
import { beatTask, completeTask, takeNamed, takeTask } from "./task-attempts.ts";

const DAY_MS = 24 * 3600_000;

/** What a store may be told besides. */
export interface JobStoreOptions {
  /** Hears of every message that was sent or put back, so that somebody comes for it. */
  readonly onSent?: Committer["onSent"];
}

/**
 * Jobs, tasks and events in a table. A transition is one conditional write; what it brings with it follows, by whoever comes to the job next
 * where its writer dies (`job-commit.ts`). The next task is taken right behind the commit of the one before, not with it.
 */
export function createJobStore(table: Table, clock: Clock, options: JobStoreOptions = {}): JobStore {
  const committer = createCommitter(table, clock, options);
  const stale = settleStale(committer);
  const take: JobStore["takeTask"] = async (from, decide) => {
    const taken = await takeTask(committer, from, decide);
    if (taken === undefined) await stale();
    return taken;
  };
  return {
    create: (job) => create(committer, job),
    get: async (jobId) => (await readJob(table, jobId))?.job,
    list: (filter) => listJobs(table, filter, clock.nowMs()),
    lastChange: async () => {
      const last = await lastNumber(table);
      return last === 0 ? 0 : changeSeqOf(last);
    },
    listChanged: (changeSeq, limit) => listChanged(table, changeSeq, limit),
    update: async (jobId, decide) => {
      const moved = await transition(committer, jobId, async (draft, nowMs) => {
        const change = decide(draft.job);
        if (change !== undefined) await applyChange(draft, change, nowMs);
        return change;
      });
      return moved?.job;
    },
    getTask: async (ref) => {
      const record = await readSettledJob(committer, ref.jobId);
      const task = record && (await tasksOf(table, record).loadTask(ref));
      return task && toTask(task);
    },
    listTasks: async (jobId, stage) => {
      const record = await readSettledJob(committer, jobId);
      if (record === undefined) return [];
      return (await tasksOf(table, record).loadTasks(stage)).map(toTask).sort(compareTasks);
    },
    takeTask: take,
    takeNamed: (ref, lease, decide) => takeNamed(committer, ref, lease, decide),
    completeTask: async (completion, decide) => {
      const ended = await completeTask(committer, completion, decide);
      if (ended === undefined) return undefined;
      return { job: ended.job, next: await takeNext(committer, completion, ended.left) };
    },
    beat: (beat) => beatTask(committer, beat),
    listEvents: ({ jobId, afterSeq, limit }) =>
      readEvents(table, jobId === undefined ? undefined : jobPartition(jobId), afterSeq, limit),
    count: () => countJobs(table, clock.nowMs()),
    sweep: createSweep(committer),
  };
}

/** Takes the task that a completion is to be followed by. The outcome is recorded, however that goes: to fail here would say that it is not. */
async function takeNext(
  committer: Committer,
  { takeNext: next }: Completion,
  left: Left | undefined,
): Promise<TakenTask | undefined> {
  if (next === undefined) return undefined;
  try {
    return await takeTask(committer, next.from, next.onStart, left);
  } catch (error) {
    // Whoever asks for the next task by itself hears of it where it lasts.
    if (error instanceof ReelmillError && error.retryable) return undefined;
    throw error;
  }
}

/** What transitions of a table's jobs are written with. */
export function createCommitter(
  table: Table,
  clock: Clock,
  { onSent = async () => undefined }: JobStoreOptions = {},
): Committer {
  return { table, clock, logEnd: createLogEnd(table, clock), onSent };
}

/** Key of what is remembered of an idempotency key. */
function idempotencyKey(key: string): ItemKey {
  return { pk: `idempotency#${key}`, sk: "key" };
}

async function create(committer: Committer, added: NewJob): Promise<{ readonly job: Job; readonly isNew: boolean }> {
  const { table, clock } = committer;
  const { idempotency } = added;
  const nowMs = clock.nowMs();
  // The first to write the key decides on the id; whoever comes with the same key sees to it that there is that very job.
  const id = idempotency === null ? added.id : await claimKey(table, idempotency, added.id, nowMs);
  const made = await createJob(committer, createQueuedJob({ ...added, id }, nowMs, 0), (draft) =>
    applyChange(draft, { addTasks: [PLAN_TASK], events: [queuedEvent(added)] }, nowMs),
  );
  if (made !== undefined) return { job: made, isNew: true };
  const first = await readSettledJob(committer, id);
  return first === undefined ? await create(committer, added) : { job: first.job, isNew: false };
}

/** The id of the job that the key stands for. Throws IDEMPOTENCY_CONFLICT. */
async function claimKey(table: Table, idempotency: Idempotency, jobId: string, nowMs: number): Promise<string> {
  const { key, bodyHash, keepMs } = idempotency;
  const expiresAtMs = nowMs + keepMs;
  const item = { ...idempotencyKey(key), jobId, bodyHash, expiresAtMs, ttl: Math.ceil(expiresAtMs / 1000) };
  if (await putItem(table, item, [{ path: ["pk"], is: "absent" }])) return jobId;
  // One that has run out may still be there: DynamoDB removes such within days.
  if (await putItem(table, item, [{ path: ["expiresAtMs"], is: "<", value: nowMs + 1 }])) return jobId;
  const known = await getItem(table, idempotencyKey(key));
  if (known === undefined) return await claimKey(table, idempotency, jobId, nowMs);
  if (known["bodyHash"] !== bodyHash) throw idempotencyConflict(key, String(known["jobId"]));
  return String(known["jobId"]);
}

async function listJobs(table: Table, filter: JobFilter, nowMs: number): Promise<JobPage> {
  const { pipeline, statuses, parentJobId, idempotencyKey: key, limit, cursor } = filter;
  requireJobCursor(cursor);
  const isWanted = (item: Item): boolean =>
    (pipeline === undefined || item["pipeline"] === pipeline) &&
    (statuses === undefined || statuses.some((status) => status === item["status"])) &&
    (parentJobId === undefined || item["parentJobId"] === parentJobId) &&
    (cursor === undefined || String(item["GSI1SK"]) < cursor);
  const listed = key === undefined ? queryItems(table, listing(cursor, limit)) : jobOfKey(table, key, nowMs);
  const ids: string[] = [];
  for await (const item of listed) {
    if (isWanted(item)) ids.push(String(item["GSI1SK"]));
    if (ids.length > limit) break;
  }
  const jobs = await readJobs(table, ids.slice(0, limit));
  return { jobs, nextCursor: ids.length > limit ? ids[limit - 1] : undefined };
}

function listing(cursor: string | undefined, limit: number) {
  const range = cursor === undefined ? {} : { to: cursor };
  return { pk: "jobs", index: "GSI1", isDescending: true, pageSize: limit + 2, ...range } as const;
}

async function* jobOfKey(table: Table, key: string, nowMs: number): AsyncGenerator<Item> {
  const known = await getItem(table, idempotencyKey(key));
  if (known === undefined || Number(known["expiresAtMs"]) <= nowMs) return;
  const job = await getItem(table, jobKey(String(known["jobId"])));
  if (job !== undefined) yield job;
}

/** Jobs in the order of their ids, less those that were forgotten meanwhile. */
async function readJobs(table: Table, ids: readonly string[]): Promise<readonly Job[]> {
  const items = await getItems(table, ids.map(jobKey));
  const records = await Promise.all(items.map((item) => parseJobItem(table, item)));
  const jobs = new Map(
    records.flatMap((record) => (record === undefined ? [] : [[record.job.id, record.job] as const])),
  );
  return ids.flatMap((id) => jobs.get(id) ?? []);
}

/** A job is told at its last change alone, so that each is told once. */
async function listChanged(table: Table, changeSeq: number, limit: number): Promise<readonly Job[]> {
  const changed: Job[] = [];
  if (limit < 1) return changed;
  for await (const { jobId, changeSeq: at } of readChanges(table, changeSeq)) {
    const job = (await readJob(table, jobId))?.job;
    // Where the entry is ahead of the job, that is about to hear of it.
    if (job !== undefined && job.changeSeq <= at) changed.push({ ...job, changeSeq: at });
    if (changed.length >= limit) break;
  }
  return changed;
}

async function countJobs(table: Table, nowMs: number): Promise<JobCounts> {
  const byStatus = Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])) as Record<JobStatus, number>;
  let endedLastDay = 0;
  for await (const item of queryItems(table, { pk: "jobs", index: "GSI1", only: ["status", "finishedAtMs"] })) {
    byStatus[item["status"] as JobStatus] += 1;
    if (Number(item["finishedAtMs"] ?? 0) > nowMs - DAY_MS) endedLastDay += 1;
  }
  return { byStatus, endedLastDay };
}
