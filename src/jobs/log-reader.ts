import type { Json } from "../base/json.ts";

/** Which of a job's log lines are wanted: the last ones, up to `limit`, of a time in milliseconds since 1970-01-01T00:00:00Z, both ends included. */
export interface LogQuery {
  readonly jobId: string;
  readonly limit: number;
  readonly fromMs: number;
  /** Undefined: up to now. */
  readonly untilMs: number | undefined;
}

/** Gives a job's log lines, whichever component wrote them. */
export interface LogReader {
  /** Oldest first. Each has `timestamp` (RFC 3339, UTC), `level` and `message`. Throws STORE_UNAVAILABLE, STORE_REFUSED. */
  read(query: LogQuery): Promise<readonly Json[]>;
  /** A line is there no later than so long after it was written; 0 where it is at once. */
  readonly delayMs: number;
}

/**
 * The lines of several places in the order of their times. One that stands in two of them, as that of a server which keeps its own lines and sends
 * them elsewhere besides, is one line; one that stands in one of them twice was written twice.
 */
export function mergeLogLines(places: readonly (readonly Json[])[], limit: number): readonly Json[] {
  const most = new Map<string, { readonly line: Json; count: number }>();
  for (const lines of places) {
    const counts = new Map<string, number>();
    for (const line of lines) {
      const text = JSON.stringify(line);
      const count = (counts.get(text) ?? 0) + 1;
      counts.set(text, count);
      const known = most.get(text);
      if (known === undefined) most.set(text, { line, count });
      else known.count = Math.max(known.count, count);
    }
  }
  return lastLines(
    [...most.values()].flatMap(({ line, count }) => Array.from({ length: count }, () => line)),
    limit,
  );
}

/** The last lines, up to `limit`, in the order of their times. */
export function lastLines(lines: readonly Json[], limit: number): readonly Json[] {
  return lines
    .map((line) => ({ line, at: timestampOf(line) }))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .slice(-limit)
    .map(({ line }) => line);
}

/** When a line was written, as it says itself. */
export function timestampOf(line: Json): string {
  return String((line as { readonly timestamp?: unknown } | null)?.timestamp);
}
