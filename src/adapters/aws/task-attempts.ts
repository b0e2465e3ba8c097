import { randomUUID } from "node:crypto";
import type { Json } from "../../base/json.ts";
import type { TaskRef } from "../../jobs/job.ts";
import { shareOf } from "../../jobs/job-change.ts";
import type {
  Beat,
  Completion,
  Decide,
  DecideOnTask,
  Lease,
  ReceiveOptions,
  TakenTask,
  TaskMessage,
} from "../../jobs/ports.ts";
import { appendEntry, changeSeqOf } from "./change-log.ts";
import { type Committer, type Left, type Moved, readSettledJob, tasksOf, transition } from "./job-commit.ts";
import { endTask, type JobDraft, startTask } from "./job-draft.ts";
import { type JobRecord, jobKey, type Progressing, readProgressing, runningName, taskKey } from "./job-items.ts";
import { extendHold, parseReceipt } from "./queue-book.ts";
import { messageKey, receiveMessage, receiveNamed, removeMessage } from "./queue-messages.ts";
import { getItem, type Path, type Table, updateItem } from "./table.ts";
import { removeValue, storeValue } from "./values.ts";

/**
 * Receives messages until one leads to a task that can be begun; those that lead nowhere any more are taken off. Right behind a transition, what
 * that left is not read again: every write that goes by it is refused where it is over.
 */
export async function takeTask(
  committer: Committer,
  options: ReceiveOptions,
  decide: DecideOnTask,
  last?: Left,
): Promise<TakenTask | undefined> {
  const { table, clock } = committer;
  let { book } = last ?? {};
  const receive = async (): Promise<TaskMessage | undefined> => {
    const known = book;
    book = undefined;
    return await receiveMessage(table, options, () => clock.nowMs(), known);
  };
  return await begin(committer, receive, decide, last?.record);
}

/** Begins an attempt at the task named, where it is due. */
export async function takeNamed(
  committer: Committer,
  ref: TaskRef,
  lease: Lease,
  decide: DecideOnTask,
): Promise<TakenTask | undefined> {
  const { table, clock } = committer;
  const receive = async (): Promise<TaskMessage | undefined> => {
    const record = await readSettledJob(committer, ref.jobId);
    const task = record && (await tasksOf(table, record).loadTask(ref));
    if (record === undefined || task === undefined) return undefined;
    const { rank, job } = record;
    const { messageId: id } = task;
    const sk = messageKey({ priority: job.priority, rank }, id);
    return await receiveNamed(table, job.pipeline, { id, sk, ref }, lease, () => clock.nowMs());
  };
  return await begin(committer, receive, decide);
}

async function begin(
  committer: Committer,
  receive: () => Promise<TaskMessage | undefined>,
  decide: DecideOnTask,
  last?: JobRecord,
): Promise<TakenTask | undefined> {
  for (;;) {
    const message = await receive();
    if (message === undefined) return undefined;
    const { jobId } = message.ref;
    const start = (draft: JobDraft, nowMs: number) => startTask(draft, message, decide, nowMs);
    const begun = await transition(committer, jobId, start, last?.job.id === jobId ? last : undefined);
    if (begun !== undefined) return { message, job: begun.job, ...begun.result };
    await removeMessage(committer.table, message);
  }
}

/** Ends an attempt; undefined where it is not current any more. */
export async function completeTask(
  committer: Committer,
  completion: Completion,
  decide: Decide,
): Promise<Moved<true> | undefined> {
  return await transition(committer, completion.ref.jobId, (draft, nowMs) => endTask(draft, completion, decide, nowMs));
}

/** Progress is told to those who follow changes no more often. */
const LOG_PROGRESS_MS = 1000;
/** Entries without events are of no use once they were read. */
const KEEP_PROGRESS_MS = 24 * 3600_000;

/** Whether the attempt is still wanted. Progress goes to the job's item, which is what tells whether it is; no version is given for it. */
export async function beatTask(committer: Committer, beat: Beat): Promise<boolean> {
  const { table, clock } = committer;
  const { ref, attempt, message, leaseMs, checkpoint, phase } = beat;
  const name = runningName(ref);
  const progressing = await readProgressing(table, ref.jobId);
  const current = progressing?.running[name];
  if (progressing === undefined || current?.attempt !== attempt) return false;
  const nowMs = clock.nowMs();
  const held = { ...message, nonce: parseReceipt(message).nonce };
  if (leaseMs !== undefined && !(await extendHold(table, held, nowMs + leaseMs))) return false;
  const progress = shareOf(beat.progress);
  const isMoved = progress !== current.progress || phase !== current.phase;
  const path = (field: string): Path => ["running", name, field];
  if (isMoved) {
    const set = [
      [path("progress"), progress],
      [path("phase"), phase],
      [["updatedAtMs"], nowMs],
    ] as const;
    const where = [{ path: path("attempt"), is: "=", value: attempt }] as const;
    if ((await updateItem(table, jobKey(ref.jobId), { set, where })) === undefined) return false;
  }
  if (checkpoint !== undefined) {
    if (!(await keepCheckpoint(table, beat, checkpoint))) return false;
  }
  await logProgress(committer, ref.jobId, progressing, isMoved, nowMs);
  return true;
}

/** False where the attempt is not current any more. The checkpoint before goes: a long task keeps many. */
async function keepCheckpoint(table: Table, { ref, attempt }: Beat, checkpoint: Json): Promise<boolean> {
  const key = taskKey(ref);
  const earlier = (await getItem(table, key))?.["checkpoint"];
  const stored = await storeValue(table, key.pk, checkpoint);
  const where = [{ path: ["attempt"], is: "=", value: attempt }] as const;
  const isKept = (await updateItem(table, key, { set: [[["checkpoint"], stored]], where })) !== undefined;
  await removeValue(table, key.pk, isKept ? earlier : stored);
  return isKept;
}

/** Tells those who follow changes; now and then, because all changes of all jobs go into one log. */
async function logProgress(
  committer: Committer,
  jobId: string,
  { updatedAtMs, loggedAtMs }: Progressing,
  isMoved: boolean,
  nowMs: number,
): Promise<void> {
  const isUntold = isMoved || updatedAtMs > loggedAtMs;
  if (!isUntold || Math.abs(nowMs - loggedAtMs) < LOG_PROGRESS_MS) return;
  const entry = { jobId, change: randomUUID(), events: [], ttl: Math.ceil((nowMs + KEEP_PROGRESS_MS) / 1000) };
  const { table, logEnd } = committer;
  const number = await appendEntry(committer, entry, await logEnd.next(), async () => true);
  if (number === undefined) return;
  const changeSeq = changeSeqOf(number);
  await updateItem(table, jobKey(jobId), {
    set: [
      [["changeSeq"], changeSeq],
      [["loggedAtMs"], nowMs],
    ],
    where: [{ path: ["changeSeq"], is: "<", value: changeSeq }],
  });
}
