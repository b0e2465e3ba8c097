import { printableJson, printableLine } from "../../../base/printable.ts";
import { formatElapsedMs } from "../../../base/units.ts";
import type { JobView } from "../client/views.ts";

/** A time of the server as `2026-01-31 12:00:05` in UTC; empty where there is none. */
export function formatTime(time: string | null): string {
  if (time === null) return "";
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(time) ? time.slice(0, 19).replace("T", " ") : time;
}

/** How long ago a time of the server was; empty where there is none. */
export function formatAge(time: string | null, nowMs: number): string {
  const atMs = time === null ? Number.NaN : Date.parse(time);
  return Number.isNaN(atMs) ? "" : formatElapsedMs(Math.max(0, nowMs - atMs));
}

/** How far a job has come, such as `42 %`. */
export function formatPercent(fraction: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100)} %`;
}

/** How long a job will still take; empty where nobody knows. */
export function formatEta({ etaSeconds }: Pick<JobView, "etaSeconds">): string {
  return etaSeconds === null ? "" : formatElapsedMs(etaSeconds * 1000);
}

/** A job's tasks as `3/5`, with those that failed. */
export function formatTaskCounts({ tasks }: Pick<JobView, "tasks">): string {
  const failed = tasks.failed > 0 ? `, ${tasks.failed} failed` : "";
  return tasks.total === 0 ? "" : `${tasks.succeeded}/${tasks.total}${failed}`;
}

/** A failure on one line. */
export function formatError(error: JobView["error"]): string {
  return error === null ? "" : `${error.message} (${error.code})`;
}

/** Values under their names, one a line, names padded to the same width; empty values are left out. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const shown = fields.filter(([, value]) => value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${printableLine(value)}\n`).join("");
}

/** A value as JSON on lines of its own. */
export function formatJson(value: unknown): string {
  return `${printableJson(value)}\n`;
}

/** A value as JSON on a single line. */
export function formatJsonLine(value: unknown): string {
  return `${printableLine(JSON.stringify(value))}\n`;
}
