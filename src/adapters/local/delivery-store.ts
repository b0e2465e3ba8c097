import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type {
  ClaimedDelivery,
  Delivery,
  DeliveryAttempt,
  DeliveryNext,
  DeliveryState,
  DeliveryStore,
  NewDelivery,
} from "../../jobs/deliveries.ts";
import { MAX_RETRY_DELAY_MS, RETRY_FOR_MS } from "../../jobs/delivery-schedule.ts";
import type { JobWebhook } from "../../jobs/job.ts";
import { commit, commitDurably, type LocalDatabase } from "./database.ts";

interface DeliveryRow {
  readonly id: string;
  readonly job_id: string;
  readonly job_attempt: number;
  readonly url: string;
  readonly format: JobWebhook["format"];
  readonly payload: string;
  readonly state: DeliveryState;
  readonly created_at_ms: number;
  readonly next_attempt_at_ms: number | null;
  readonly retry_until_ms: number;
  readonly failures: number;
}

interface AttemptRow {
  readonly at_ms: number;
  readonly duration_ms: number;
  readonly status: number | null;
  readonly error_code: ErrorCode | null;
  readonly error_message: string | null;
}

/** Deliveries in a database as `openDatabase` gives it. The database stays the caller's. */
export function createDeliveryStore(database: LocalDatabase, clock: Clock): DeliveryStore {
  const inDatabase = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ReelmillError) throw error;
      const message = "The database of deliveries cannot be used for now.";
      throw new ReelmillError("STORE_UNAVAILABLE", message, { cause: error });
    }
  };
  /** Waits for the disk off the main thread, which has requests to answer meanwhile. */
  const inTransaction = <T>(work: () => T): Promise<T> => inDatabase(() => commitDurably(database, work));
  return {
    position: () => inDatabase(() => readPosition(database)),
    enqueue: (deliveries, position) => {
      const work = (): number => enqueue(database, clock.nowMs(), deliveries, position);
      // A position that a power cut takes back is only gone through again.
      return deliveries.length === 0 ? inDatabase(() => commit(database, work)) : inTransaction(work);
    },
    claim: (options) => inDatabase(() => claim(database, clock.nowMs(), options)),
    record: (claimed, attempt, next) =>
      inTransaction(() => record(database, clock.nowMs(), claimed, { attempt, next })),
    release: (claimed) => inDatabase(() => release(database, claimed)),
    get: (id) => inDatabase(() => read(database, id)),
    list: (options) => inDatabase(() => list(database, options)),
    redeliver: (id) => inTransaction(() => redeliver(database, clock.nowMs(), id)),
    sweep: (settledBeforeMs) => inTransaction(() => sweep(database, settledBeforeMs)),
  };
}

function readPosition(database: DatabaseSync): number {
  const row = database.prepare("SELECT event_seq FROM delivery_position WHERE id = 1").get();
  return (row as { readonly event_seq: number } | undefined)?.event_seq ?? 0;
}

function enqueue(database: DatabaseSync, nowMs: number, deliveries: readonly NewDelivery[], position: number): number {
  const insert = database.prepare(`
    INSERT INTO deliveries
      (id, job_id, job_attempt, url, format, payload, state, created_at_ms, next_attempt_at_ms, retry_until_ms)
    VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)
    ON CONFLICT (job_id, job_attempt, url) DO NOTHING`);
  let added = 0;
  for (const { id, jobId, jobAttempt, url, format, payload } of deliveries) {
    const text = JSON.stringify(payload);
    const done = insert.run(id, jobId, jobAttempt, url, format, text, nowMs, nowMs, nowMs + RETRY_FOR_MS);
    added += Number(done.changes);
  }
  database
    .prepare(`
      INSERT INTO delivery_position (id, event_seq) VALUES (1, ?)
      ON CONFLICT (id) DO UPDATE SET event_seq = max(event_seq, excluded.event_seq)`)
    .run(position);
  return added;
}

/**
 * One statement, so that no two processes get the same. Times further ahead than any that is ever set are of a clock that was
 * put back since: what they are of is due, or free, now.
 */
function claim(
  database: DatabaseSync,
  nowMs: number,
  { leaseMs, exceptUrls }: { readonly leaseMs: number; readonly exceptUrls: readonly string[] },
): ClaimedDelivery | undefined {
  const receipt = randomUUID();
  const row = database
    .prepare(`
      UPDATE deliveries SET receipt = :receipt, lease_until_ms = :now + :lease, lease_ms = :lease
      WHERE id = (
        SELECT id FROM deliveries
        WHERE state = 'pending'
          AND (next_attempt_at_ms <= :now OR next_attempt_at_ms > :now + :maxDelay)
          AND (lease_until_ms IS NULL OR lease_until_ms <= :now OR lease_until_ms > :now + lease_ms)
          AND url NOT IN (SELECT value FROM json_each(:urls))
        ORDER BY next_attempt_at_ms, id LIMIT 1
      )
      RETURNING id`)
    .get({ receipt, now: nowMs, lease: leaseMs, maxDelay: MAX_RETRY_DELAY_MS, urls: JSON.stringify(exceptUrls) });
  if (row === undefined) return undefined;
  const delivery = read(database, (row as { readonly id: string }).id);
  return delivery && { delivery, receipt };
}

function record(
  database: DatabaseSync,
  nowMs: number,
  { delivery, receipt }: ClaimedDelivery,
  { attempt, next }: { readonly attempt: DeliveryAttempt; readonly next: DeliveryNext },
): boolean {
  const isPending = next.state === "pending";
  const { changes } = database
    .prepare(`
      UPDATE deliveries SET state = ?, next_attempt_at_ms = ?, settled_at_ms = ?, failures = failures + ?,
        receipt = NULL, lease_until_ms = NULL, lease_ms = NULL
      WHERE id = ? AND receipt = ?`)
    .run(
      next.state,
      isPending ? next.nextAttemptAtMs : null,
      isPending ? null : nowMs,
      attempt.error === null ? 0 : 1,
      delivery.id,
      receipt,
    );
  if (changes === 0) return false;
  database
    .prepare(`
      INSERT INTO delivery_attempts (delivery_id, number, at_ms, duration_ms, status, error_code, error_message)
      SELECT :id, coalesce(max(number), 0) + 1, :at, :duration, :status, :code, :message
      FROM delivery_attempts WHERE delivery_id = :id`)
    .run({
      id: delivery.id,
      at: attempt.atMs,
      duration: attempt.durationMs,
      status: attempt.status,
      code: attempt.error?.code ?? null,
      message: attempt.error?.message ?? null,
    });
  return true;
}

function release(database: DatabaseSync, { delivery, receipt }: ClaimedDelivery): boolean {
  const sql =
    "UPDATE deliveries SET receipt = NULL, lease_until_ms = NULL, lease_ms = NULL WHERE id = ? AND receipt = ?";
  return database.prepare(sql).run(delivery.id, receipt).changes > 0;
}

function read(database: DatabaseSync, id: string): Delivery | undefined {
  const row = database.prepare("SELECT * FROM deliveries WHERE id = ?").get(id) as DeliveryRow | undefined;
  return row && toDelivery(database, row);
}

function list(database: DatabaseSync, options: Parameters<DeliveryStore["list"]>[0]): readonly Delivery[] {
  const { jobId, state, beforeId, limit } = options;
  const terms = [
    ["job_id = ?", jobId],
    ["state = ?", state],
    ["id < ?", beforeId],
  ] as const;
  const given = terms.flatMap(([term, value]) => (value === undefined ? [] : [{ term, value }]));
  const where = given.length === 0 ? "" : `WHERE ${given.map(({ term }) => term).join(" AND ")}`;
  const rows = database
    .prepare(`SELECT * FROM deliveries ${where} ORDER BY id DESC LIMIT ?`)
    .all(...given.map(({ value }) => value), limit);
  return (rows as unknown as readonly DeliveryRow[]).map((row) => toDelivery(database, row));
}

/** What is being sent at the time goes on: its outcome counts, as that of any other attempt. */
function redeliver(database: DatabaseSync, nowMs: number, id: string): Delivery | undefined {
  database
    .prepare(`
      UPDATE deliveries
      SET state = 'pending', next_attempt_at_ms = ?, retry_until_ms = ?, failures = 0, settled_at_ms = NULL
      WHERE id = ?`)
    .run(nowMs, nowMs + RETRY_FOR_MS, id);
  return read(database, id);
}

function sweep(database: DatabaseSync, settledBeforeMs: number): number {
  const old = "SELECT id FROM deliveries WHERE state <> 'pending' AND settled_at_ms < ?";
  database.prepare(`DELETE FROM delivery_attempts WHERE delivery_id IN (${old})`).run(settledBeforeMs);
  return Number(database.prepare(`DELETE FROM deliveries WHERE id IN (${old})`).run(settledBeforeMs).changes);
}

function toDelivery(database: DatabaseSync, row: DeliveryRow): Delivery {
  const attempts = database
    .prepare("SELECT * FROM delivery_attempts WHERE delivery_id = ? ORDER BY number")
    .all(row.id) as unknown as readonly AttemptRow[];
  return {
    id: row.id,
    jobId: row.job_id,
    jobAttempt: row.job_attempt,
    url: row.url,
    format: row.format,
    payload: JSON.parse(row.payload) as Json,
    createdAtMs: row.created_at_ms,
    nextAttemptAtMs: row.next_attempt_at_ms,
    retryUntilMs: row.retry_until_ms,
    failures: row.failures,
    attempts: attempts.map(toAttempt),
    state: row.state,
  };
}

function toAttempt({ at_ms, duration_ms, status, error_code, error_message }: AttemptRow): DeliveryAttempt {
  const error = error_code === null ? null : { code: error_code, message: error_message ?? "" };
  return { atMs: at_ms, durationMs: duration_ms, status, error };
}
