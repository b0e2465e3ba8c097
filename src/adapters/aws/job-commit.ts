import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { Job, JobError, TaskRef } from "../../jobs/job.ts";
import { appendEntry, changeSeqOf, copiesOf, type LogEnd, type LoggedEvent } from "./change-log.ts";
import { createDraft, type JobDraft, type Settled, type TaskEffect } from "./job-draft.ts";
import {
  type JobRecord,
  jobKey,
  jobPartition,
  parseJobItem,
  parseTaskItem,
  progressOf,
  refOfTask,
  type TaskRecord,
  taskKey,
  taskRange,
} from "./job-items.ts";
import { openBook, putBack, strikeAll } from "./queue-book.ts";
import {
  discardDead,
  discarding,
  dropMessages,
  type KnownBook,
  keepDead,
  messageKey,
  type NewMessage,
  sending,
} from "./queue-messages.ts";
import { retrying } from "./retrying.ts";
import { takeNumbers } from "./sequence.ts";
import {
  type Condition,
  getItem,
  type Path,
  putItem,
  queryItems,
  sortable,
  type Table,
  updateItem,
  type Write,
  writeItems,
} from "./table.ts";
import { loadValue, removeValue, storeValue } from "./values.ts";

/*
 * How many items are changed as one without a transaction: the job's item takes the new state together with the list of all that is still to
 * be written, in one conditional write. From then on it has happened. Whoever wrote it goes on to do what the list says; where that one dies,
 * whoever comes to the job next does. Everything on the list may be done twice, by two at once and late: what is written about a task is
 * fenced by the version of the job that brought it, messages by their own ids, the log by an entry number that all agree on.
 */

/** A message that somebody is to come for. */
export interface SentMessage {
  readonly queue: string;
  readonly id: number;
  /** Its sort key. */
  readonly sk: string;
  readonly ref: TaskRef;
  /** It is due after so long. */
  readonly delayMs: number;
}

/** What transitions are written with. */
export interface Committer {
  readonly table: Table;
  readonly clock: Clock;
  readonly logEnd: LogEnd;
  /** Hears of every message that was sent or put back. */
  readonly onSent: (message: SentMessage) => Promise<void>;
}

/** The list of what a transition still has to write. */
interface Pending {
  readonly jobId: string;
  /** Tells the transition from those that wanted to come before it. */
  readonly change: string;
  readonly version: number;
  readonly tasks: readonly TaskEffect[];
  readonly messages: readonly NewMessage[];
  /** Up to which id messages of the job are dropped. */
  readonly dropsUpToId: number | null;
  readonly place: { readonly queue: string; readonly priority: number; readonly rank: number };
  readonly settled: readonly Settled[];
  readonly revived: readonly number[];
  readonly events: readonly LoggedEvent[];
}

/** Reads a job whose last transition may not be written out. */
export async function readJob(table: Table, jobId: string): Promise<JobRecord | undefined> {
  const item = await getItem(table, jobKey(jobId));
  return item && (await parseJobItem(table, item));
}

/** Reads a job all of whose transitions are written out, by here where they were not. */
export async function readSettledJob(committer: Committer, jobId: string): Promise<JobRecord | undefined> {
  const { found } = await retrying(`The job ${jobId}`, async (tries) => {
    const record = await readJob(committer.table, jobId);
    if (record?.pending === undefined) return { found: record };
    // Whoever wrote it is probably about to be done with it.
    if (tries < TRIES_BEFORE_HELP) return undefined;
    await writeOut(committer, record);
    return undefined;
  });
  return found;
}

/** Some 30 ms. */
const TRIES_BEFORE_HELP = 6;

/** What a transition left behind, written out. */
export interface Left {
  readonly record: JobRecord;
  /** Of the job's queue, where a message was taken off. */
  readonly book: KnownBook | undefined;
}

/** What came of a transition. */
export interface Moved<Result> {
  readonly job: Job;
  /** Undefined where somebody else wrote it out. */
  readonly left: Left | undefined;
  readonly result: Result;
}

/**
 * Drafts and writes a transition of a job, again where somebody else was first. Undefined where there is no job, or the work gives that. A job
 * that was just read is not read for the first try: where it is over, that is refused.
 */
export async function transition<Result>(
  committer: Committer,
  jobId: string,
  work: (draft: JobDraft, nowMs: number) => Promise<Result | undefined>,
  known?: JobRecord,
): Promise<Moved<Result> | undefined> {
  const { moved } = await retrying(`The job ${jobId}`, async (tries) => {
    const isKnown = known !== undefined && tries === 0;
    const before = isKnown ? known : await readSettledJob(committer, jobId);
    if (before === undefined) return { moved: undefined };
    const draft = createDraft({ before, job: before.job, ...tasksOf(committer.table, before) });
    const nowMs = committer.clock.nowMs();
    const result = await work(draft, nowMs);
    // That nothing is to be done is said of the job as it is now alone.
    if (result === undefined) return isKnown ? undefined : { moved: undefined };
    const committed = await commit(committer, draft, before.rank, nowMs);
    return committed && { moved: { ...committed, result } };
  });
  return moved;
}

/** Writes a job that is not there yet; undefined where it is. */
export async function createJob(
  committer: Committer,
  job: Job,
  work: (draft: JobDraft, nowMs: number) => Promise<void>,
): Promise<Job | undefined> {
  const none = { loadTasks: async () => [], loadTask: async () => undefined };
  const draft = createDraft({ before: undefined, job, ...none });
  const nowMs = committer.clock.nowMs();
  await work(draft, nowMs);
  const rank = await takeNumbers(committer.table, 1);
  return (await commit(committer, draft, rank, nowMs))?.job;
}

/** The tasks of a job as they are stored. */
export function tasksOf(table: Table, { job, running }: JobRecord): Pick<JobDraft, "loadTasks" | "loadTask"> {
  const loadTask: JobDraft["loadTask"] = async (ref) => {
    const { task } = await retrying(`The task ${ref.stage} ${ref.index} of the job ${job.id}`, async () => {
      const item = await getItem(table, taskKey(ref));
      if (item === undefined) return { task: undefined };
      const task = await parseTaskItem(table, item, job.id, running);
      // A value that was replaced while it was read is not one that is not there.
      return task && { task };
    });
    return task;
  };
  return {
    loadTask,
    loadTasks: async (stage) => {
      const tasks: TaskRecord[] = [];
      for await (const item of queryItems(table, taskRange(job.id, stage))) {
        const task = (await parseTaskItem(table, item, job.id, running)) ?? (await loadTask(refOfTask(job.id, item)));
        if (task !== undefined) tasks.push(task);
      }
      return tasks;
    },
  };
}

/** Undefined where another transition came first. */
async function commit(
  committer: Committer,
  draft: JobDraft,
  rank: number,
  nowMs: number,
): Promise<Omit<Moved<unknown>, "result"> | undefined> {
  const { table } = committer;
  const { before } = draft;
  const pk = jobPartition(draft.job.id);
  const version = (before?.version ?? 0) + 1;
  const pending = await listPending(table, draft, { rank, version, nowMs });
  const logNumber = await committer.logEnd.next();
  const lastMessageId = pending.messages.at(-1)?.id ?? before?.lastMessageId ?? 0;
  const record: JobRecord = {
    ...{ rank, version, logNumber, lastMessageId, loggedAtMs: nowMs },
    job: { ...draft.job, updatedAtMs: nowMs },
    totalWeight: draft.totalWeight,
    doneWeight: draft.doneWeight,
    running: draft.running,
    change: pending.change,
    pending: await storeValue(table, pk, pending as unknown as Json),
  };
  const isWritten =
    before === undefined ? await insertJob(table, record, nowMs) : await updateJob(table, before, record, nowMs);
  // A write whose answer was lost is sent again, and then finds itself.
  if (!isWritten && (await getItem(table, jobKey(draft.job.id)))?.["change"] !== pending.change) {
    await removeValue(table, pk, record.pending);
    return undefined;
  }
  const left = await writeOut(committer, record, pending);
  const { changeSeq } = left?.record.job ?? record.job;
  return { job: { ...record.job, progress: progressOf(record), changeSeq }, left };
}

/** The effects of a draft in the form in which they are written, with all numbers given. */
async function listPending(
  table: Table,
  { job, before, effects }: JobDraft,
  { rank, version, nowMs }: { readonly rank: number; readonly version: number; readonly nowMs: number },
): Promise<Pending> {
  const place = { queue: job.pipeline, priority: job.priority, rank };
  const firstId = effects.sent.length === 0 ? 0 : await takeNumbers(table, effects.sent.length);
  const messages = effects.sent.map((ref, index) => {
    const id = firstId + index;
    return { queue: place.queue, id, sk: messageKey(place, id), ref, sentAtMs: nowMs };
  });
  const sending: TaskEffect[] = messages.map(({ ref, id }) => ({ ref, fields: { messageId: id } }));
  return {
    jobId: job.id,
    change: randomUUID(),
    ...{ version, place, messages },
    tasks: mergeTasks([...effects.tasks, ...sending]),
    dropsUpToId: effects.dropsMessages ? (before?.lastMessageId ?? 0) : null,
    settled: effects.settled,
    revived: effects.revived,
    events: effects.events,
  };
}

/** One effect for each task, so that it is written once. */
function mergeTasks(effects: readonly TaskEffect[]): readonly TaskEffect[] {
  const merged = new Map<string, TaskEffect>();
  for (const { ref, fields } of effects) {
    const name = `${ref.stage}-${ref.index}`;
    merged.set(name, { ref, fields: { ...merged.get(name)?.fields, ...fields } });
  }
  return [...merged.values()];
}

/** When a job is to be looked at by others: while it is being written out, and once it has ended. */
function secondIndex(
  { job, pending }: JobRecord,
  nowMs: number,
): { readonly pk: string; readonly sk: string } | undefined {
  if (pending !== undefined) return { pk: "pending", sk: `${sortable(nowMs)}#${job.id}` };
  if (job.finishedAtMs === null) return undefined;
  return { pk: "ended", sk: `${sortable(job.finishedAtMs)}#${job.id}` };
}

async function attributesOf(
  table: Table,
  record: JobRecord,
  nowMs: number,
): Promise<Readonly<Record<string, unknown>>> {
  const { job, rank, version, change, logNumber, lastMessageId, loggedAtMs, totalWeight, doneWeight, pending } = record;
  const pk = jobPartition(job.id);
  const index = secondIndex(record, nowMs);
  const { tasks, status, stage, attempt, startedAtMs, finishedAtMs, updatedAtMs } = job;
  return {
    ...{ ...tasks, status, stage, attempt, startedAtMs, finishedAtMs, updatedAtMs },
    ...{ rank, version, change, logNumber, lastMessageId, loggedAtMs, totalWeight, doneWeight, pending },
    error: await storeValue(table, pk, job.error as unknown as Json),
    result: await storeValue(table, pk, job.result),
    GSI2PK: index?.pk,
    GSI2SK: index?.sk,
  };
}

async function insertJob(table: Table, record: JobRecord, nowMs: number): Promise<boolean> {
  const { job, running } = record;
  const key = jobKey(job.id);
  const { id, pipeline, priority, idempotencyKey, parentJobId, createdAtMs, changeSeq, webhook, traceparent } = job;
  const item = {
    ...key,
    ...{ id, pipeline, priority, idempotencyKey, parentJobId, createdAtMs, changeSeq, running, traceparent },
    webhook: JSON.stringify(webhook),
    params: await storeValue(table, key.pk, job.params, "params"),
    ...(await attributesOf(table, record, nowMs)),
    GSI1PK: "jobs",
    GSI1SK: id,
  };
  return await putItem(table, item, [{ path: ["pk"], is: "absent" }]);
}

/** Attempts under way are written one by one: beats write to them, too, and are not to be undone. */
async function updateJob(table: Table, before: JobRecord, record: JobRecord, nowMs: number): Promise<boolean> {
  const attributes = Object.entries(await attributesOf(table, record, nowMs)).filter(
    ([, value]) => value !== undefined,
  );
  const begun = Object.entries(record.running).filter(([name, attempt]) => before.running[name] !== attempt);
  const gone = Object.keys(before.running).filter((name) => record.running[name] === undefined);
  const set: (readonly [Path, unknown])[] = attributes.map(([name, value]) => [[name], value]);
  const updated = await updateItem(table, jobKey(record.job.id), {
    set: [...set, ...begun.map(([name, attempt]): readonly [Path, unknown] => [["running", name], attempt])],
    remove: gone.map((name): Path => ["running", name]),
    where: isVersion(before.version),
  });
  return updated !== undefined;
}

function isVersion(version: number): readonly Condition[] {
  return [{ path: ["version"], is: "=", value: version }];
}

/** Does what the last transition of a job has still to do; undefined where somebody else has done it meanwhile. */
async function writeOut(committer: Committer, record: JobRecord, known?: Pending): Promise<Left | undefined> {
  const { table } = committer;
  const { job, version } = record;
  const pk = jobPartition(job.id);
  const pending = known ?? ((await loadValue(table, pk, record.pending)) as unknown as Pending | undefined);
  if (pending === undefined) return undefined;
  await writeTasks(table, pending);
  await returnMessages(committer, pending);
  const propose = async (from: number, to: number): Promise<boolean> => {
    const where: Condition[] = [...isVersion(version), { path: ["logNumber"], is: "=", value: from }];
    return (await updateItem(table, jobKey(job.id), { set: [[["logNumber"], to]], where })) !== undefined;
  };
  const number = await appendEntry(committer, pending, record.logNumber, propose);
  if (number === undefined) return undefined;
  const copies = copiesOf(pk, number, pending).map((put): Write => ({ put }));
  const book = await writeMessages(committer, pending, copies);
  const changeSeq = changeSeqOf(number);
  const settled = { ...record, job: { ...job, changeSeq }, logNumber: number, pending: undefined };
  const index = secondIndex(settled, 0);
  const marks = [["GSI2PK"], ["GSI2SK"]] as const;
  await updateItem(table, jobKey(job.id), {
    set: [
      [["changeSeq"], changeSeq],
      ...(index === undefined
        ? []
        : ([
            [marks[0], index.pk],
            [marks[1], index.sk],
          ] as const)),
    ],
    remove: [["pending"], ...(index === undefined ? marks : [])],
    where: [...isVersion(version), { path: ["pending"], is: "there" }],
  });
  await removeValue(table, pk, record.pending);
  return { record: settled, book };
}

const MAX_WRITES_AT_ONCE = 16;

async function writeTasks(table: Table, { tasks, version }: Pending): Promise<void> {
  for (let at = 0; at < tasks.length; at += MAX_WRITES_AT_ONCE) {
    await Promise.all(tasks.slice(at, at + MAX_WRITES_AT_ONCE).map((effect) => writeTask(table, effect, version)));
  }
}

/** Fields that may be long. */
const VALUES = ["input", "output", "error", "checkpoint"] as const;

async function writeTask(table: Table, { ref, fields }: TaskEffect, version: number): Promise<void> {
  const key = taskKey(ref);
  const set: [Path, unknown][] = [[["jobVersion"], version]];
  for (const [name, value] of Object.entries(fields)) {
    const isValue = VALUES.some((long) => long === name);
    const stored = isValue ? await storeValue(table, key.pk, value as Json, `${version}-${key.sk}-${name}`) : value;
    set.push([[name], stored]);
  }
  // What a later version of the job wrote is not to be undone by whoever was late.
  const isOlder: Condition = { path: ["jobVersion"], is: "<", value: version };
  const isNew = fields.input !== undefined;
  if (isNew && (await updateItem(table, key, { set, where: [{ path: ["pk"], is: "absent" }] })) !== undefined) return;
  await updateItem(table, key, { set, where: [isOlder] });
}

/** What becomes of messages that may come again: in the order in which it is safe to be cut short. */
async function returnMessages(committer: Committer, pending: Pending): Promise<void> {
  const { table } = committer;
  for (const id of pending.revived) await discardDead(table, id);
  for (const settled of pending.settled) {
    if (settled.as === "retried") await putBackLater(committer, settled);
    if (settled.as === "dead") await keepDead(table, { ...settled, reason: settled.reason as unknown as JobError });
  }
  if (pending.dropsUpToId !== null) await dropMessages(table, pending.place, pending.dropsUpToId);
}

async function putBackLater(
  { table, clock, onSent }: Committer,
  settled: Settled & { readonly as: "retried" },
): Promise<void> {
  // Where the lease was lost, whoever has the message by now finds the task queued.
  if (!(await putBack(table, settled, settled.dueAtMs))) return;
  await onSent({ ...settled, delayMs: Math.max(0, settled.dueAtMs - clock.nowMs()) });
}

/** Takes off messages that are done with, whoever holds them by now, and sends others; gives the book of the queue of the former. */
async function writeMessages(
  { table, clock, onSent }: Committer,
  { place, settled, messages }: Pending,
  besides: readonly Write[],
): Promise<KnownBook | undefined> {
  const over = settled.filter((one) => one.as !== "retried");
  await writeItems(table, [...besides, ...over.map(discarding), ...messages.map(sending)]);
  const ids = over.map(({ id }) => id);
  const asOfMs = clock.nowMs();
  const book = await strikeAll(table, place.queue, ids);
  // Whose messages were struck has a book. Without one nobody would receive what was just sent.
  if (messages.length > 0 && book === undefined) await openBook(table, place.queue);
  for (const message of messages) await onSent({ ...message, delayMs: 0 });
  return book && { book, asOfMs };
}
