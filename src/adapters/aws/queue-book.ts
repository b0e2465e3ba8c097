import { randomUUID } from "node:crypto";
import type { TaskRef } from "../../jobs/job.ts";
import { MAX_MESSAGE_WAIT_MS, type TaskMessage } from "../../jobs/ports.ts";
import {
  type Change,
  type Condition,
  getItem,
  type Item,
  type ItemKey,
  type Path,
  putItem,
  queryItems,
  type Table,
  updateItem,
} from "./table.ts";

/*
 * Who holds what. Messages themselves are never changed: all that happens to those of a queue is told in one item, its book. So whatever is
 * asked of a lease is one write to one item, and how many messages of a queue are out is known exactly, over all receivers.
 */

/** What is known of a message that was received before. */
export interface Hold {
  /** Sort key of the message. */
  readonly sk: string;
  readonly ref: TaskRef;
  /** Undefined where nobody holds it: it was put back. */
  readonly owner?: string;
  /** Until then it is nobody else's, or waits for its delay to pass. */
  readonly untilMs: number;
  /** Another one after each receive. */
  readonly nonce: string;
  readonly receiveCount: number;
}

/** The book of a queue. */
export interface Book {
  readonly queue: string;
  readonly isPaused: boolean;
  /** Rises with all that may change what is received next. */
  readonly takes: number;
  /** By the messages' ids. */
  readonly holds: Readonly<Record<string, Hold>>;
}

const BOOKS = "queues";

function keyOf(queue: string): ItemKey {
  return { pk: BOOKS, sk: queue };
}

/** The books of all queues, by name. */
export async function readBooks(table: Table): Promise<readonly Book[]> {
  const books: Book[] = [];
  for await (const item of queryItems(table, { pk: BOOKS })) books.push(toBook(item));
  return books;
}

function toBook(item: Item): Book {
  // What this adapter wrote.
  return {
    queue: item["sk"] as string,
    isPaused: item["isPaused"] as boolean,
    takes: item["takes"] as number,
    holds: item["holds"] as Book["holds"],
  };
}

/** Opens the book of a queue that has none. Asked each time, by a read, which is cheaper than a write in vain: a table may be lost and made anew. */
export async function openBook(table: Table, queue: string): Promise<void> {
  if ((await getItem(table, keyOf(queue))) !== undefined) return;
  const book = { isPaused: false, takes: 0, holds: {} };
  await putItem(table, { ...keyOf(queue), ...book }, [{ path: ["pk"], is: "absent" }]);
}

/** Whether a message is not to be received for now. A wait longer than any that is given out is the trace of a clock that was set back. */
export function isHeldBack(hold: Hold | undefined, nowMs: number): boolean {
  return hold !== undefined && hold.untilMs > nowMs && hold.untilMs <= nowMs + MAX_MESSAGE_WAIT_MS;
}

/** Whether somebody works at the message. */
export function isOut(hold: Hold | undefined, nowMs: number): boolean {
  return hold?.owner !== undefined && isHeldBack(hold, nowMs);
}

/** A message that nobody holds. */
export interface Waiting {
  readonly id: number;
  readonly sk: string;
  readonly ref: TaskRef;
}

/**
 * Takes a message for an owner; undefined where the book has changed since it was read, or whoever held the message has given a sign of life
 * since, which `takes` does not tell.
 */
export async function takeMessage(
  table: Table,
  { queue, takes, holds }: Book,
  { id, sk, ref }: Waiting,
  { owner, untilMs }: { readonly owner: string; readonly untilMs: number },
): Promise<TaskMessage | undefined> {
  const before = holds[id];
  const receiveCount = (before?.receiveCount ?? 0) + 1;
  const nonce = randomUUID();
  const hold: Hold = { sk, ref, owner, untilMs, nonce, receiveCount };
  const path = ["holds", String(id)] as const;
  const isSame: Condition[] = [{ path: ["takes"], is: "=", value: takes }];
  if (before !== undefined) isSame.push({ path: [...path, "untilMs"], is: "=", value: before.untilMs });
  const taken = await updateItem(table, keyOf(queue), { set: [[path, hold]], add: [[["takes"], 1]], where: isSame });
  return taken && { id, queue, ref, receiveCount, receipt: `${nonce}/${sk}` };
}

/** The parts of a receipt. */
export function parseReceipt({ receipt }: TaskMessage): { readonly nonce: string; readonly sk: string } {
  const [nonce = "", ...sk] = receipt.split("/");
  return { nonce, sk: sk.join("/") };
}

/** What holds while the lease does that a message came with. */
function whileHeld(id: number, nonce: string): readonly Condition[] {
  return [
    { path: ["holds", String(id), "nonce"], is: "=", value: nonce },
    { path: ["holds", String(id), "owner"], is: "there" },
  ];
}

/** One lease, by its receipt. */
export interface HeldMessage {
  readonly queue: string;
  readonly id: number;
  readonly nonce: string;
}

async function changeHold(table: Table, { queue, id, nonce }: HeldMessage, change: Change): Promise<boolean> {
  return (await updateItem(table, keyOf(queue), { ...change, where: whileHeld(id, nonce) })) !== undefined;
}

/** Prolongs a lease; false where it was lost. */
export async function extendHold(table: Table, held: HeldMessage, untilMs: number): Promise<boolean> {
  return await changeHold(table, held, { set: [[["holds", String(held.id), "untilMs"], untilMs]] });
}

/** Lets go of a message, which may be received again from then on; false where the lease was lost. */
export async function putBack(table: Table, held: HeldMessage, dueAtMs: number): Promise<boolean> {
  const hold = ["holds", String(held.id)] as const;
  return await changeHold(table, held, {
    set: [[[...hold, "untilMs"], dueAtMs]],
    remove: [[...hold, "owner"]],
    add: [[["takes"], 1]],
  });
}

/** Strikes a message that is being taken off; false where the lease was lost. */
export async function strikeHold(table: Table, held: HeldMessage): Promise<boolean> {
  return await changeHold(table, held, { remove: [["holds", String(held.id)]] });
}

/** DynamoDB takes expressions of 4096 bytes; each message takes a dozen. */
const STRUCK_AT_ONCE = 100;

/**
 * Strikes messages that are not wanted any more, whoever holds them; gives the book as it then is, undefined where there is nothing to strike or no
 * book, as in a table that was made anew.
 */
export async function strikeAll(table: Table, queue: string, ids: readonly number[]): Promise<Book | undefined> {
  let book: Book | undefined;
  for (let from = 0; from < ids.length; from += STRUCK_AT_ONCE) {
    const remove = ids.slice(from, from + STRUCK_AT_ONCE).map((id): Path => ["holds", String(id)]);
    const struck = await updateItem(table, keyOf(queue), { remove, where: [{ path: ["pk"], is: "there" }] });
    if (struck === undefined) return undefined;
    book = toBook(struck);
  }
  return book;
}

/** A paused queue gives out nothing. */
export async function pauseBook(table: Table, queue: string, isPaused: boolean): Promise<void> {
  await openBook(table, queue);
  await updateItem(table, keyOf(queue), { set: [[["isPaused"], isPaused]], add: [[["takes"], 1]] });
}
