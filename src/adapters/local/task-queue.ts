import type { Clock } from "../../base/clock.ts";
import type { QueueDepth, TaskQueue } from "../../jobs/ports.ts";
import { commit, commitDurably, type LocalDatabase, read } from "./database.ts";
import { createMessages } from "./messages.ts";
import { parseDeadRow, parseMessageRow, parseMessageState, type Row } from "./rows.ts";

/** The queue in the database's `messages`; the store's transitions write there too, so that a message goes out with its cause. */
export function createTaskQueue(database: LocalDatabase, clock: Clock): TaskQueue {
  const messages = createMessages(database);
  const sql = prepare(database);
  const write = <T>(work: () => T): T => commit(database, work);
  const writeDurably = <T>(work: () => T): Promise<T> => commitDurably(database, work);
  return {
    receive: async (options) => {
      // A look without the write lock first: idle workers must not hold up busy ones.
      if (!read(() => messages.isAnyDue(options, clock.nowMs()))) return undefined;
      return write(() => messages.receive(options, clock.nowMs()));
    },
    extend: async (message, leaseMs) => write(() => messages.extend(message, clock.nowMs() + leaseMs)),
    ack: async (message) => writeDurably(() => messages.remove(message)),
    release: async (message, delayMs) => write(() => messages.putBack(message, clock.nowMs() + delayMs)),
    extendOwner: async (owner, leaseMs) => {
      write(() => sql.extendOwner.run(owner, clock.nowMs() + leaseMs));
    },
    releaseOwner: async (owner) =>
      write(() =>
        (sql.releaseOwner.all(owner, clock.nowMs()) as readonly Row[]).map((row) => parseMessageRow(row).ref),
      ),
    bury: async (message, reason) => writeDurably(() => messages.bury(message, reason, clock.nowMs())),
    getDead: async (id) => {
      const row = read(() => sql.getDead.get(id) as Row | undefined);
      return row && parseDeadRow(row);
    },
    listDead: async ({ queue, limit }) =>
      read(() => (sql.listDead.all(queue ?? null, limit) as readonly Row[]).map(parseDeadRow)),
    discard: async (id) => writeDurably(() => sql.discard.run(id).changes === 1),
    countWaiting: async (queues, limit) =>
      read(() => {
        const nowMs = clock.nowMs();
        const counts = queues.map(
          (queue) => (sql.waiting.get(queue, nowMs, limit) as { readonly waiting: number }).waiting,
        );
        return counts.reduce((sum, count) => sum + count, 0);
      }),
    depths: async () => read(() => readDepths(database, clock.nowMs())),
    listOfJob: async (queue, jobId) =>
      read(() => (sql.listOfJob.all(queue, jobId) as readonly Row[]).map(parseMessageState)),
    setPaused: async (queue, isPaused) => {
      await writeDurably(() => sql.pause.run(queue, isPaused ? 1 : 0));
    },
  };
}

/** The values of an indexed column, each found by one step in its index; `names` is what SQL then calls them. */
function distinctNames(names: string, table: string, column: string): string {
  return `${names} (name) AS (
    SELECT MIN(${column}) FROM ${table}
    UNION ALL
    SELECT (SELECT MIN(${column}) FROM ${table} WHERE ${column} > ${names}.name) FROM ${names} WHERE ${names}.name IS NOT NULL)`;
}

/** Statements prepared once. */
function prepare(database: LocalDatabase) {
  return {
    extendOwner: database.prepare(`
      UPDATE messages INDEXED BY messages_held SET visible_at_ms = ?2 WHERE owner IS NOT NULL AND owner = ?1`),
    releaseOwner: database.prepare(`
      UPDATE messages INDEXED BY messages_held SET owner = NULL, visible_at_ms = ?2
      WHERE owner IS NOT NULL AND owner = ?1 RETURNING *`),
    getDead: database.prepare("SELECT * FROM dead_letters WHERE id = ?1"),
    listDead: database.prepare("SELECT * FROM dead_letters WHERE ?1 IS NULL OR queue = ?1 ORDER BY id LIMIT ?2"),
    discard: database.prepare("DELETE FROM dead_letters WHERE id = ?1"),
    waiting: database.prepare(`
      SELECT COUNT(*) AS waiting FROM (
        SELECT 1 FROM messages WHERE queue = ?1 AND (owner IS NULL OR visible_at_ms <= ?2)
          AND NOT EXISTS (SELECT 1 FROM queues WHERE name = ?1 AND is_paused = 1) LIMIT ?3)`),
    listOfJob: database.prepare("SELECT * FROM messages WHERE queue = ?1 AND job_id = ?2 ORDER BY urgency, rank, id"),
    pause: database.prepare(
      "INSERT INTO queues (name, is_paused) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET is_paused = ?2",
    ),
  };
}

function readDepths(database: LocalDatabase, nowMs: number): readonly QueueDepth[] {
  const rows = database
    .prepare(`
      WITH RECURSIVE ${distinctNames("used", "messages", "queue")}, ${distinctNames("known", "jobs", "pipeline")}
      SELECT names.name AS queue,
        COUNT(m.id) FILTER (WHERE m.owner IS NULL OR m.visible_at_ms <= ?1) AS waiting,
        COUNT(m.id) FILTER (WHERE m.owner IS NOT NULL AND m.visible_at_ms > ?1) AS in_flight,
        MIN(m.sent_at_ms) FILTER (WHERE m.owner IS NULL OR m.visible_at_ms <= ?1) AS oldest,
        MIN(MAX(m.sent_at_ms, m.visible_at_ms)) FILTER (WHERE m.owner IS NULL OR m.visible_at_ms <= ?1) AS oldest_due,
        (SELECT COUNT(*) FROM dead_letters d WHERE d.queue = names.name) AS dead,
        COALESCE((SELECT is_paused FROM queues q WHERE q.name = names.name), 0) AS is_paused
      FROM (SELECT name FROM queues UNION SELECT name FROM used UNION SELECT name FROM known) names
      LEFT JOIN messages m ON m.queue = names.name
      WHERE names.name IS NOT NULL
      GROUP BY names.name ORDER BY names.name`)
    .all(nowMs) as readonly Row[];
  return rows.map((row) => ({
    queue: row["queue"] as string,
    waiting: row["waiting"] as number,
    inFlight: row["in_flight"] as number,
    dead: row["dead"] as number,
    isPaused: row["is_paused"] === 1,
    oldestSentAtMs: row["oldest"] as number | null,
    oldestDueAtMs: row["oldest_due"] as number | null,
  }));
}
