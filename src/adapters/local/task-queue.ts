import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { MAX_MESSAGE_WAIT_MS, type QueueDepth, type TaskMessage, type TaskQueue } from "../../jobs/ports.ts";
import { transact } from "./database.ts";
import { parseDeadRow, parseMessageRow, type Row } from "./rows.ts";

/** The queue in the database's `messages`; the store's transitions write there too, so that a message goes out with its cause. */
export function createTaskQueue(database: DatabaseSync, clock: Clock): TaskQueue {
  const best = database.prepare(`
    SELECT id, priority FROM messages
    WHERE queue = ?1 AND dead_at_ms IS NULL AND NOT (visible_at_ms > ?2 AND visible_at_ms <= ?2 + ${MAX_MESSAGE_WAIT_MS})
      AND NOT EXISTS (SELECT 1 FROM queues WHERE name = ?1 AND is_paused = 1)
      AND (SELECT COUNT(*) FROM messages WHERE queue = ?1 AND owner IS NOT NULL
           AND visible_at_ms > ?2 AND visible_at_ms <= ?2 + ${MAX_MESSAGE_WAIT_MS}) < ?3
    ORDER BY priority DESC, id LIMIT 1`);
  const take = database.prepare(`
    UPDATE messages SET owner = ?2, visible_at_ms = ?3, receive_count = receive_count + 1, receipt = receipt + 1
    WHERE id = ?1 RETURNING *`);
  const held = "id = ?1 AND receipt = ?2 AND owner IS NOT NULL AND dead_at_ms IS NULL";
  const extend = database.prepare(`UPDATE messages SET visible_at_ms = ?3 WHERE ${held}`);
  const remove = database.prepare(`DELETE FROM messages WHERE ${held}`);
  const putBack = database.prepare(`UPDATE messages SET owner = NULL, visible_at_ms = ?3 WHERE ${held}`);
  const bury = database.prepare(`UPDATE messages SET owner = NULL, dead_at_ms = ?3, reason = ?4 WHERE ${held}`);
  const releaseOwner = database.prepare(`
    UPDATE messages SET owner = NULL, visible_at_ms = ?2
    WHERE owner = ?1 AND dead_at_ms IS NULL RETURNING *`);
  const getDead = database.prepare("SELECT * FROM messages WHERE id = ?1 AND dead_at_ms IS NOT NULL");
  const listDead = database.prepare(
    "SELECT * FROM messages WHERE dead_at_ms IS NOT NULL AND (?1 IS NULL OR queue = ?1) ORDER BY id LIMIT ?2",
  );
  const discard = database.prepare("DELETE FROM messages WHERE id = ?1 AND dead_at_ms IS NOT NULL");
  const pause = database.prepare(
    "INSERT INTO queues (name, is_paused) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET is_paused = ?2",
  );
  const changes = (message: TaskMessage, run: (id: number, receipt: number) => { readonly changes: number | bigint }) =>
    transact(database, () => run(message.id, Number(message.receipt)).changes === 1);

  return {
    receive: async ({ queues, owner, leaseMs }) => {
      const nowMs = clock.nowMs();
      // A look without the write lock first: idle workers must not hold up busy ones.
      const isAnyDue = (): boolean =>
        queues.some(({ name, maxInFlight }) => best.get(name, nowMs, maxInFlight) !== undefined);
      if (!isAnyDue()) return undefined;
      return transact(database, () => {
        const due = queues
          .map(({ name, maxInFlight }) => best.get(name, nowMs, maxInFlight) as Row | undefined)
          .filter((row) => row !== undefined)
          .map((row) => ({ id: row["id"] as number, priority: row["priority"] as number }))
          .sort((a, b) => b.priority - a.priority || a.id - b.id)[0];
        return due && parseMessageRow(take.get(due.id, owner, nowMs + leaseMs) as Row);
      });
    },
    extend: async (message, leaseMs) =>
      changes(message, (id, receipt) => extend.run(id, receipt, clock.nowMs() + leaseMs)),
    ack: async (message) => changes(message, (id, receipt) => remove.run(id, receipt)),
    release: async (message, delayMs) =>
      changes(message, (id, receipt) => putBack.run(id, receipt, clock.nowMs() + delayMs)),
    releaseOwner: async (owner) =>
      transact(database, () =>
        (releaseOwner.all(owner, clock.nowMs()) as readonly Row[]).map((row) => parseMessageRow(row).ref),
      ),
    bury: async (message, reason) =>
      changes(message, (id, receipt) => bury.run(id, receipt, clock.nowMs(), JSON.stringify(reason))),
    getDead: async (id) => {
      const row = getDead.get(id) as Row | undefined;
      return row && parseDeadRow(row);
    },
    listDead: async ({ queue, limit }) => (listDead.all(queue ?? null, limit) as readonly Row[]).map(parseDeadRow),
    discard: async (id) => transact(database, () => discard.run(id).changes === 1),
    depths: async () => readDepths(database, clock.nowMs()),
    setPaused: async (queue, isPaused) => {
      transact(database, () => pause.run(queue, isPaused ? 1 : 0));
    },
  };
}

function readDepths(database: DatabaseSync, nowMs: number): readonly QueueDepth[] {
  const rows = database
    .prepare(`
      SELECT names.name AS queue,
        COUNT(m.id) FILTER (WHERE m.dead_at_ms IS NULL AND (m.owner IS NULL OR m.visible_at_ms <= ?1)) AS waiting,
        COUNT(m.id) FILTER (WHERE m.dead_at_ms IS NULL AND m.owner IS NOT NULL AND m.visible_at_ms > ?1) AS in_flight,
        COUNT(m.id) FILTER (WHERE m.dead_at_ms IS NOT NULL) AS dead,
        MIN(m.sent_at_ms) FILTER (WHERE m.dead_at_ms IS NULL AND (m.owner IS NULL OR m.visible_at_ms <= ?1)) AS oldest,
        COALESCE((SELECT is_paused FROM queues q WHERE q.name = names.name), 0) AS is_paused
      FROM (SELECT name FROM queues UNION SELECT DISTINCT queue FROM messages UNION SELECT DISTINCT pipeline FROM jobs) names
      LEFT JOIN messages m ON m.queue = names.name
      GROUP BY names.name ORDER BY names.name`)
    .all(nowMs) as readonly Row[];
  return rows.map((row) => ({
    queue: row["queue"] as string,
    waiting: row["waiting"] as number,
    inFlight: row["in_flight"] as number,
    dead: row["dead"] as number,
    isPaused: row["is_paused"] === 1,
    oldestSentAtMs: row["oldest"] as number | null,
  }));
}
