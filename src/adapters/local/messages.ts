import type { DatabaseSync } from "node:sqlite";
import type { JobError, TaskRef } from "../../jobs/job.ts";
import { type Lease, MAX_MESSAGE_WAIT_MS, type ReceiveOptions, type TaskMessage } from "../../jobs/ports.ts";
import { parseMessageRow, type Row } from "./rows.ts";

/** Where the messages of a job lie. */
export interface MessagePlace {
  readonly queue: string;
  readonly priority: number;
  /** Among equals those of lower rank are received first: the older job's. */
  readonly rank: number;
}

/** The single writes on `messages`; every one but the looks runs inside its caller's transaction. */
export interface Messages {
  send(place: MessagePlace, ref: TaskRef, id: number, nowMs: number): void;
  /** Whether `receive` would give anything; reads alone. */
  isAnyDue(options: ReceiveOptions, nowMs: number): boolean;
  receive(options: ReceiveOptions, nowMs: number): TaskMessage | undefined;
  /** The message of a task, however many others are out. */
  receiveNamed(place: MessagePlace, ref: TaskRef, lease: Lease, nowMs: number): TaskMessage | undefined;
  // These do nothing and give false where the lease was lost.
  extend(message: TaskMessage, untilMs: number): boolean;
  remove(message: TaskMessage): boolean;
  putBack(message: TaskMessage, atMs: number): boolean;
  bury(message: TaskMessage, reason: JobError, nowMs: number): boolean;
  /** All messages of a job but dead ones. */
  dropOfJob(place: MessagePlace): void;
  /** The dead letter of a task. */
  dropDead(ref: TaskRef): void;
}

/** Statements prepared once. */
function prepare(database: DatabaseSync) {
  const isHeld = "queue = ?1 AND urgency = ?2 AND rank = ?3 AND id = ?4 AND receipt = ?5 AND owner IS NOT NULL";
  const isGivenOut = "NOT EXISTS (SELECT 1 FROM queues WHERE name = ?1 AND is_paused = 1)";
  // A wait longer than any that is given out is the trace of a clock that was set back.
  const isLater = `visible_at_ms > ?2 AND visible_at_ms <= ?2 + ${MAX_MESSAGE_WAIT_MS}`;
  return {
    insert: database.prepare(`
      INSERT INTO messages (queue, urgency, rank, id, job_id, stage, idx, sent_at_ms, visible_at_ms, receive_count, receipt)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 0, 0)`),
    best: database.prepare(`
      SELECT urgency, rank, id FROM messages
      WHERE queue = ?1 AND NOT (${isLater}) AND (?4 IS NULL OR job_id = ?4)
        AND ${isGivenOut}
        AND (SELECT COUNT(*) FROM messages WHERE queue = ?1 AND owner IS NOT NULL AND ${isLater}) < ?3
      ORDER BY urgency, rank, id LIMIT 1`),
    named: database.prepare(`
      SELECT urgency, rank, id FROM messages
      WHERE queue = ?1 AND NOT (${isLater}) AND ${isGivenOut}
        AND urgency = ?3 AND rank = ?4 AND stage = ?5 AND idx = ?6`),
    take: database.prepare(`
      UPDATE messages SET owner = ?5, visible_at_ms = ?6, receive_count = receive_count + 1, receipt = receipt + 1
      WHERE queue = ?1 AND urgency = ?2 AND rank = ?3 AND id = ?4 RETURNING *`),
    extend: database.prepare(`UPDATE messages SET visible_at_ms = ?6 WHERE ${isHeld}`),
    remove: database.prepare(`DELETE FROM messages WHERE ${isHeld}`),
    putBack: database.prepare(`UPDATE messages SET owner = NULL, visible_at_ms = ?6 WHERE ${isHeld}`),
    bury: database.prepare(`
      INSERT INTO dead_letters (id, queue, job_id, stage, idx, receive_count, sent_at_ms, dead_at_ms, reason)
      SELECT id, queue, job_id, stage, idx, receive_count, sent_at_ms, ?6, ?7 FROM messages WHERE ${isHeld}`),
    dropOfJob: database.prepare("DELETE FROM messages WHERE queue = ?1 AND urgency = ?2 AND rank = ?3"),
    dropDead: database.prepare("DELETE FROM dead_letters WHERE job_id = ?1 AND stage = ?2 AND idx = ?3"),
  };
}

interface Candidate {
  readonly queue: string;
  readonly urgency: number;
  readonly rank: number;
  readonly id: number;
}

/** The writes on a database whose schema is in place. */
export function createMessages(database: DatabaseSync): Messages {
  const sql = prepare(database);
  const best = ({ queues }: ReceiveOptions, nowMs: number): Candidate | undefined => {
    let first: Candidate | undefined;
    for (const { name: queue, maxInFlight, jobId = null } of queues) {
      const row = sql.best.get(queue, nowMs, maxInFlight, jobId) as Omit<Candidate, "queue"> | undefined;
      if (row !== undefined && (first === undefined || isBefore(row, first))) first = { queue, ...row };
    }
    return first;
  };
  const take = ({ queue, urgency, rank, id }: Candidate, { owner, leaseMs }: Lease, nowMs: number): TaskMessage =>
    parseMessageRow(sql.take.get(queue, urgency, rank, id, owner, nowMs + leaseMs) as Row);
  const isChanged = ({ changes }: { readonly changes: number | bigint }): boolean => changes === 1;
  return {
    send: ({ queue, priority, rank }, { jobId, stage, index }, id, nowMs) => {
      sql.insert.run(queue, -priority, rank, id, jobId, stage, index, nowMs);
    },
    isAnyDue: (options, nowMs) => best(options, nowMs) !== undefined,
    receive: (options, nowMs) => {
      const due = best(options, nowMs);
      return due && take(due, options, nowMs);
    },
    receiveNamed: ({ queue, priority, rank }, { stage, index }, lease, nowMs) => {
      const row = sql.named.get(queue, nowMs, -priority, rank, stage, index) as Order | undefined;
      return row && take({ queue, ...row }, lease, nowMs);
    },
    extend: (message, untilMs) => isChanged(sql.extend.run(...heldKey(message), untilMs)),
    remove: (message) => isChanged(sql.remove.run(...heldKey(message))),
    putBack: (message, atMs) => isChanged(sql.putBack.run(...heldKey(message), atMs)),
    bury: (message, reason, nowMs) => {
      const key = heldKey(message);
      return isChanged(sql.bury.run(...key, nowMs, JSON.stringify(reason))) && isChanged(sql.remove.run(...key));
    },
    dropOfJob: ({ queue, priority, rank }) => {
      sql.dropOfJob.run(queue, -priority, rank);
    },
    dropDead: ({ jobId, stage, index }) => {
      sql.dropDead.run(jobId, stage, index);
    },
  };
}

/** A receipt holds the rest of the key: urgency, rank, and how often the message was received. */
function heldKey({ queue, id, receipt }: TaskMessage): readonly [string, number, number, number, number] {
  const [urgency = Number.NaN, rank = Number.NaN, count = Number.NaN] = receipt.split("/").map(Number);
  return [queue, urgency, rank, id, count];
}

type Order = Omit<Candidate, "queue">;

function isBefore(a: Order, b: Order): boolean {
  if (a.urgency !== b.urgency) return a.urgency < b.urgency;
  return a.rank !== b.rank ? a.rank < b.rank : a.id < b.id;
}
