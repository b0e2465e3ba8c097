import type { Json } from "../base/json.ts";

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
