import type { Clock } from "../../base/clock.ts";
import type { TaskRef } from "../../jobs/job.ts";
import type { DeadLetter, QueueDepth, TaskQueue } from "../../jobs/ports.ts";
import {
  type Book,
  extendHold,
  type HeldMessage,
  type Hold,
  parseReceipt,
  pauseBook,
  putBack,
  readBooks,
} from "./queue-book.ts";
import {
  buryMessage,
  discardDead,
  getDead,
  listDead,
  receiveMessage,
  removeMessage,
  seeMessages,
  seeMessagesOf,
} from "./queue-messages.ts";
import type { Table } from "./table.ts";

/**
 * The queues of a table; the store's transitions send and take off messages there. Exact in order, leases and numbers, which SQS is not:
 * that only tells workers, and what scales them, that there is something to look for (`bell.ts`).
 */
export function createTaskQueue(table: Table, clock: Clock): TaskQueue {
  const now = (): number => clock.nowMs();
  return {
    receive: (options) => receiveMessage(table, options, now),
    extend: (message, leaseMs) =>
      extendHold(table, { ...message, nonce: parseReceipt(message).nonce }, now() + leaseMs),
    ack: (message) => removeMessage(table, message),
    release: (message, delayMs) => putBack(table, { ...message, nonce: parseReceipt(message).nonce }, now() + delayMs),
    extendOwner: async (owner, leaseMs) => {
      for (const { held } of await heldBy(table, owner)) await extendHold(table, held, now() + leaseMs);
    },
    releaseOwner: async (owner) => {
      const released: TaskRef[] = [];
      for (const { held, hold } of await heldBy(table, owner)) {
        if (await putBack(table, held, now())) released.push(hold.ref);
      }
      return released;
    },
    bury: (message, reason) => buryMessage(table, message, reason, now()),
    getDead: (id) => getDead(table, id),
    listDead: async ({ queue, limit }) => {
      const letters: DeadLetter[] = [];
      if (limit < 1) return letters;
      for await (const letter of listDead(table)) {
        if (queue === undefined || letter.queue === queue) letters.push(letter);
        if (letters.length >= limit) break;
      }
      return letters;
    },
    discard: (id) => discardDead(table, id),
    countWaiting: async (queues, limit) => {
      let waiting = 0;
      for (const book of await readBooks(table)) {
        if (book.isPaused || !queues.includes(book.queue)) continue;
        waiting += await countUpTo(table, book, limit, now());
      }
      return waiting;
    },
    depths: () => readDepths(table, now()),
    listOfJob: async (queue, jobId) => {
      const book = (await readBooks(table)).find((one) => one.queue === queue);
      return book === undefined ? [] : await seeMessagesOf(table, book, jobId);
    },
    setPaused: (queue, isPaused) => pauseBook(table, queue, isPaused),
  };
}

async function heldBy(table: Table, owner: string): Promise<readonly { held: HeldMessage; hold: Hold }[]> {
  return (await readBooks(table)).flatMap(({ queue, holds }) =>
    Object.entries(holds)
      .filter(([, hold]) => hold.owner === owner)
      .map(([id, hold]) => ({ held: { queue, id: Number(id), nonce: hold.nonce }, hold })),
  );
}

async function countUpTo(table: Table, book: Book, limit: number, nowMs: number): Promise<number> {
  let waiting = 0;
  for await (const { isOut } of seeMessages(table, book, nowMs)) {
    if (waiting >= limit) break;
    if (!isOut) waiting += 1;
  }
  return waiting;
}

async function readDepths(table: Table, nowMs: number): Promise<readonly QueueDepth[]> {
  const dead = new Map<string, number>();
  for await (const { queue } of listDead(table)) dead.set(queue, (dead.get(queue) ?? 0) + 1);
  const depths: QueueDepth[] = [];
  for (const book of await readBooks(table)) {
    const { queue, isPaused } = book;
    let [waiting, inFlight] = [0, 0];
    let oldestSentAtMs: number | null = null;
    let oldestDueAtMs: number | null = null;
    for await (const { sentAtMs, dueAtMs, isOut } of seeMessages(table, book, nowMs)) {
      if (isOut) inFlight += 1;
      else {
        waiting += 1;
        oldestSentAtMs = Math.min(sentAtMs, oldestSentAtMs ?? sentAtMs);
        oldestDueAtMs = Math.min(dueAtMs, oldestDueAtMs ?? dueAtMs);
      }
    }
    depths.push({ queue, waiting, inFlight, dead: dead.get(queue) ?? 0, isPaused, oldestSentAtMs, oldestDueAtMs });
  }
  return depths;
}
