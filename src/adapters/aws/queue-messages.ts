import type { JobError, Stage, TaskRef } from "../../jobs/job.ts";
import type { DeadLetter, Lease, MessageState, ReceiveOptions, TaskMessage } from "../../jobs/ports.ts";
import {
  type Book,
  isHeldBack,
  isOut,
  parseReceipt,
  readBooks,
  strikeAll,
  strikeHold,
  takeMessage,
  type Waiting,
} from "./queue-book.ts";
import { retrying } from "./retrying.ts";
import {
  deleteItem,
  firstItem,
  getItem,
  type Item,
  LAST,
  putItem,
  queryItems,
  sortable,
  type Table,
  type Write,
} from "./table.ts";

/** Where the messages of a job lie. */
export interface MessagePlace {
  readonly queue: string;
  readonly priority: number;
  /** Among equals those of lower rank are received first: the older job's. */
  readonly rank: number;
}

/** A message to be sent. */
export interface NewMessage extends Waiting {
  readonly queue: string;
  readonly sentAtMs: number;
}

const MOST_URGENT = 1000;

/** What the sort keys of all messages of a job begin with; they are received in the order of these keys. */
export function messagePrefix({ priority, rank }: Omit<MessagePlace, "queue">): string {
  return `${sortable(MOST_URGENT - priority)}#${sortable(rank)}#`;
}

/** The sort key of a message. */
export function messageKey(place: Omit<MessagePlace, "queue">, id: number): string {
  return `${messagePrefix(place)}${sortable(id)}`;
}

function partitionOf(queue: string): string {
  return `queue#${queue}`;
}

/** What sends a message; sending it again changes nothing. */
export function sending({ queue, id, sk, ref, sentAtMs }: NewMessage): Write {
  return { put: { pk: partitionOf(queue), sk, id, ...ref, sentAtMs } };
}

/** What takes a message off whose work is done; its book is to be told, too. */
export function discarding({ queue, sk }: { readonly queue: string; readonly sk: string }): Write {
  return { remove: { pk: partitionOf(queue), sk } };
}

function refOf(item: Item): TaskRef {
  return { jobId: item["jobId"] as string, stage: item["stage"] as Stage, index: item["index"] as number };
}

/** A book as it was a moment ago. */
export interface KnownBook {
  readonly book: Book;
  readonly asOfMs: number;
}

/** Beats do not change what a take goes by: in an older book, leases look lapsed that have been prolonged since. */
const BOOK_IS_KNOWN_MS = 1000;

/** The message that is received next, of those queues that have room. A book as it just was is not read again, where it is the only one. */
export async function receiveMessage(
  table: Table,
  options: ReceiveOptions,
  now: () => number,
  last?: KnownBook,
): Promise<TaskMessage | undefined> {
  if (options.queues.length === 0) return undefined;
  const isOfAll = options.queues.every(({ name }) => name === last?.book.queue);
  const known = last && isOfAll && Math.abs(now() - last.asOfMs) < BOOK_IS_KNOWN_MS ? last.book : undefined;
  const { message } = await retrying("The queue", async (tries) => {
    const nowMs = now();
    const isKnown = known !== undefined && tries === 0;
    const first = await findFirst(table, isKnown ? [known] : await readBooks(table), options, nowMs);
    // What was known may be over: there may be room by now.
    if (first === undefined) return isKnown ? undefined : { message: undefined };
    const { owner, leaseMs } = options;
    const message = await takeMessage(table, first.book, first.waiting, { owner, untilMs: nowMs + leaseMs });
    return message && { message };
  });
  return message;
}

/** The message given, however many others are out; undefined where it is not there or not due, or its queue is paused. */
export async function receiveNamed(
  table: Table,
  queue: string,
  waiting: Waiting,
  { owner, leaseMs }: Lease,
  now: () => number,
): Promise<TaskMessage | undefined> {
  const { message } = await retrying("The queue", async () => {
    const nowMs = now();
    const book = (await readBooks(table)).find((one) => one.queue === queue);
    const isDue = book !== undefined && !book.isPaused && !isHeldBack(book.holds[waiting.id], nowMs);
    if (!isDue || !(await isMessage(table, queue, waiting.sk))) return { message: undefined };
    const message = await takeMessage(table, book, waiting, { owner, untilMs: nowMs + leaseMs });
    return message && { message };
  });
  return message;
}

interface Candidate {
  readonly book: Book;
  readonly waiting: Waiting;
}

async function findFirst(
  table: Table,
  books: readonly Book[],
  { queues }: ReceiveOptions,
  nowMs: number,
): Promise<Candidate | undefined> {
  let first: Candidate | undefined;
  for (const book of books) {
    const bound = queues.find(({ name }) => name === book.queue);
    if (bound === undefined) continue;
    const outNow = Object.values(book.holds).filter((hold) => isOut(hold, nowMs)).length;
    if (book.isPaused || outNow >= bound.maxInFlight) continue;
    const waiting = await firstWaiting(table, book, bound.jobId, nowMs);
    if (waiting !== undefined && (first === undefined || waiting.sk < first.waiting.sk)) first = { book, waiting };
  }
  return first;
}

async function firstWaiting(
  table: Table,
  book: Book,
  jobId: string | undefined,
  nowMs: number,
): Promise<Waiting | undefined> {
  for await (const waiting of seeWaiting(table, book, jobId, nowMs)) return waiting;
  return undefined;
}

/**
 * Messages that are due and nobody's, of one job or of all, in the order in which they are received. A page holds as many as may have to be skipped,
 * and one more.
 */
export async function* seeWaiting(
  table: Table,
  { queue, holds }: Book,
  jobId: string | undefined,
  nowMs: number,
): AsyncGenerator<Waiting> {
  // Where one job's are looked for, as many as there may be of others' before them.
  const page = jobId === undefined ? { pageSize: Object.keys(holds).length + 1 } : {};
  for await (const item of queryItems(table, { pk: partitionOf(queue), ...page })) {
    const id = item["id"] as number;
    if (jobId !== undefined && item["jobId"] !== jobId) continue;
    if (!isHeldBack(holds[id], nowMs)) yield { id, sk: item["sk"] as string, ref: refOf(item) };
  }
}

/** Jobs whose first message is due and nobody's, in the order in which they are received, of the first so many jobs of the queue. */
export async function* seeWaitingJobs(
  table: Table,
  { queue, holds }: Book,
  limit: number,
  nowMs: number,
): AsyncGenerator<string> {
  let from = "";
  for (let seen = 0; seen < limit; seen++) {
    const item = await firstItem(table, { pk: partitionOf(queue), from });
    if (item === undefined) return;
    const sk = String(item["sk"]);
    // Those of one job have the same beginning.
    from = sk.slice(0, sk.lastIndexOf("#") + 1) + LAST;
    if (!isHeldBack(holds[Number(item["id"])], nowMs)) yield refOf(item).jobId;
  }
}

/** Takes a message off its queue; false where the lease was lost. A message that is struck but not removed yet comes again, as any may. */
export async function removeMessage(table: Table, message: TaskMessage): Promise<boolean> {
  const { nonce, sk } = parseReceipt(message);
  if (!(await strikeHold(table, { ...message, nonce }))) return false;
  await deleteItem(table, { pk: partitionOf(message.queue), sk });
  return true;
}

/** Removes the messages of a job up to one of them; those sent later stay. */
export async function dropMessages(table: Table, place: MessagePlace, upToId: number): Promise<void> {
  const prefix = messagePrefix(place);
  const range = { pk: partitionOf(place.queue), from: prefix, to: `${prefix}${LAST}` };
  const ids: number[] = [];
  for await (const item of queryItems(table, range)) {
    if ((item["id"] as number) > upToId) continue;
    ids.push(item["id"] as number);
    await deleteItem(table, { pk: range.pk, sk: item["sk"] as string });
  }
  await strikeAll(table, place.queue, ids);
}

const DEAD = "dead";

/** Keeps a message that is given up, which is still there; where it is not, that was done before. */
export async function keepDead(
  table: Table,
  letter: Omit<DeadLetter, "sentAtMs"> & { readonly sk: string },
): Promise<boolean> {
  const { id, queue, sk, ref, receiveCount, deadAtMs, reason } = letter;
  const item = await getItem(table, { pk: partitionOf(queue), sk });
  if (item === undefined) return false;
  const times = { receiveCount, deadAtMs, sentAtMs: item["sentAtMs"] };
  return await putItem(table, {
    pk: DEAD,
    sk: sortable(id),
    id,
    queue,
    ...ref,
    ...times,
    reason: JSON.stringify(reason),
  });
}

function toDead(item: Item): DeadLetter {
  return {
    id: item["id"] as number,
    queue: item["queue"] as string,
    ref: refOf(item),
    receiveCount: item["receiveCount"] as number,
    sentAtMs: item["sentAtMs"] as number,
    deadAtMs: item["deadAtMs"] as number,
    reason: JSON.parse(item["reason"] as string) as JobError,
  };
}

/** A dead letter. */
export async function getDead(table: Table, id: number): Promise<DeadLetter | undefined> {
  const item = await getItem(table, { pk: DEAD, sk: sortable(id) });
  return item && toDead(item);
}

/** Dead letters, oldest first. */
export async function* listDead(table: Table): AsyncGenerator<DeadLetter> {
  for await (const item of queryItems(table, { pk: DEAD })) yield toDead(item);
}

/** Forgets a dead letter; false where there is none. */
export async function discardDead(table: Table, id: number): Promise<boolean> {
  return (await deleteItem(table, { pk: DEAD, sk: sortable(id) })) !== undefined;
}

/** Gives a message up; false where the lease was lost. */
export async function buryMessage(
  table: Table,
  message: TaskMessage,
  reason: JobError,
  nowMs: number,
): Promise<boolean> {
  const { nonce, sk } = parseReceipt(message);
  const { queue } = message;
  if (!(await strikeHold(table, { ...message, nonce }))) return false;
  await keepDead(table, { ...message, sk, deadAtMs: nowMs, reason });
  await deleteItem(table, { pk: partitionOf(queue), sk });
  return true;
}

/** What is known of a message without receiving it. */
export interface SeenMessage {
  readonly sentAtMs: number;
  /** From when on it can be received. */
  readonly dueAtMs: number;
  readonly isOut: boolean;
}

/** The messages of a queue, in the order in which they are received. */
export async function* seeMessages(table: Table, { queue, holds }: Book, nowMs: number): AsyncGenerator<SeenMessage> {
  for await (const item of queryItems(table, { pk: partitionOf(queue), only: ["id", "sentAtMs"] })) {
    const hold = holds[item["id"] as number];
    const sentAtMs = item["sentAtMs"] as number;
    yield { sentAtMs, dueAtMs: Math.max(sentAtMs, hold?.untilMs ?? 0), isOut: isOut(hold, nowMs) };
  }
}

/** The messages of a job, in that order. */
export async function seeMessagesOf(
  table: Table,
  { queue, holds }: Book,
  jobId: string,
): Promise<readonly MessageState[]> {
  const found: MessageState[] = [];
  for await (const item of queryItems(table, { pk: partitionOf(queue) })) {
    if (item["jobId"] !== jobId) continue;
    const { owner = null, untilMs = 0, receiveCount = 0 } = holds[item["id"] as number] ?? {};
    const sentAtMs = item["sentAtMs"] as number;
    found.push({ ref: refOf(item), sentAtMs, receiveCount, owner, heldUntilMs: untilMs });
  }
  return found;
}

/** Whether there is the message of a sort key. */
export async function isMessage(table: Table, queue: string, sk: string): Promise<boolean> {
  return (await getItem(table, { pk: partitionOf(queue), sk })) !== undefined;
}
