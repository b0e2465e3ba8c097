import type { Json } from "../../../base/json.ts";
import { formatField, printableLine } from "../../../base/printable.ts";
import { isEnded } from "../../../jobs/job.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "../client/api-client.ts";
import { connect } from "../client/connect.ts";
import { pathPart } from "../client/paths.ts";
import { JOB, LOG_LINES, type LogLine } from "../client/views.ts";
import { EXIT_OK } from "../exit-codes.ts";
import type { LogsOptions } from "./options.ts";
import { formatJsonLine } from "./text.ts";

const FOLLOW_INTERVAL_MS = 2000;
/** While following: as many as the server gives, so that none is missed between two looks. */
const FOLLOW_LIMIT = 10_000;
/** So many times as late as lines may be, machines' clocks and all. */
const LATE_TIMES = 4;

/** Lines as they came and as they are read. */
interface Lines {
  readonly raw: readonly Json[];
  readonly value: readonly LogLine[];
  readonly delayMs: number;
}

/** Where a job's lines are asked for, and how they are told. */
interface Reading {
  readonly client: ApiClient;
  readonly path: string;
  readonly isJson: boolean;
  readonly context: CliContext;
}

/**
 * Prints a job's log lines over all components in time order, as text or as lines of JSON; follows them until the job has
 * ended or the command is stopped. Gives 0. Throws JOB_NOT_FOUND, USAGE and what `ApiClient` does.
 */
export async function runLogsCommand(id: string, options: LogsOptions, context: CliContext): Promise<number> {
  const path = `/v1/jobs/${pathPart(id, "job's id")}`;
  const client = await connect(options, context);
  const reading = { client, path, isJson: options.json, context };
  let seen = await readLines(reading, options.limit);
  print(seen, reading);
  if (seen.raw.length === 0) context.writeError("Nothing was logged of this job so far.\n");
  if (!options.follow) return EXIT_OK;
  // What the first look left out was not asked for.
  seen = await catchUp(reading, seen, true);
  for (;;) {
    // Looking where lines come late has its price.
    await context.sleep(Math.max(FOLLOW_INTERVAL_MS, seen.delayMs / 3), context.signal);
    if (context.signal.aborted) return EXIT_OK;
    // Asked before the lines: those of an ended job are complete, once those that come late are there.
    const { value: job } = await client.ask(path, JOB);
    const hasEnded = isEnded(job.status);
    if (hasEnded && seen.delayMs > 0) await context.sleep(seen.delayMs, context.signal);
    seen = await catchUp(reading, seen, false);
    if (hasEnded) return EXIT_OK;
  }
}

async function readLines({ client, path }: Reading, limit: number, after?: string): Promise<Lines> {
  const since = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
  const { raw, value } = await client.ask(`${path}/logs?limit=${limit}${since}`, LOG_LINES);
  return { raw: (raw as { readonly lines: readonly Json[] }).lines, value: value.lines, delayMs: value.delayMs };
}

/** Where lines come late, what is older than any that may still come is not asked for again. */
function sinceOf({ value, delayMs }: Lines): string | undefined {
  const latestMs = Date.parse(value.at(-1)?.timestamp ?? "");
  return delayMs === 0 || Number.isNaN(latestMs) ? undefined : new Date(latestMs - LATE_TIMES * delayMs).toISOString();
}

/** Prints the lines that were not there before; with `isFirst` only those that are later than all that were. */
async function catchUp(reading: Reading, before: Lines, isFirst: boolean): Promise<Lines> {
  const since = sinceOf(before);
  const now = await readLines(reading, FOLLOW_LIMIT, since);
  const counts = new Map<string, number>();
  for (const line of before.raw) counts.set(JSON.stringify(line), (counts.get(JSON.stringify(line)) ?? 0) + 1);
  const latest = before.value.at(-1)?.timestamp ?? "";
  const fresh = now.raw.flatMap((line, index) => {
    const text = JSON.stringify(line);
    const count = counts.get(text) ?? 0;
    counts.set(text, count - 1);
    const value = now.value[index];
    if (count > 0 || value === undefined || (isFirst && value.timestamp < latest)) return [];
    return [{ raw: line, value }];
  });
  const isCut = before.raw.length > 0 && fresh.length === now.raw.length && now.raw.length >= FOLLOW_LIMIT;
  if (isCut) reading.context.writeError("Lines came faster than they could be read; some are left out.\n");
  print({ ...now, raw: fresh.map((line) => line.raw), value: fresh.map((line) => line.value) }, reading);
  // A group that gives nothing for once does not make what it gave before new again.
  return now.value.length === 0 ? { ...before, delayMs: now.delayMs } : now;
}

function print({ raw, value }: Lines, { isJson, context }: Reading): void {
  const text = isJson ? raw.map(formatJsonLine) : value.map(formatLogLine);
  if (text.length > 0) context.writeOutput(text.join(""));
}

/** Time, level, message, then the other fields as `name=value`. */
export function formatLogLine({ timestamp, level, message, ...fields }: LogLine): string {
  const { job_id: _job, error, ...others } = fields;
  const pairs = Object.entries(others).map(([name, value]) => ` ${name}=${formatField(value)}`);
  const failure = error === undefined ? "" : ` error=${formatFailure(error)}`;
  return `${printableLine(`${timestamp} ${level.toUpperCase().padEnd(5)} ${message}${pairs.join("")}${failure}`)}\n`;
}

/** Code and message; the stack is for `--json`. */
function formatFailure(error: unknown): string {
  if (error === null || typeof error !== "object") return formatField(error);
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return JSON.stringify(typeof code === "string" ? `${String(message)} (${code})` : String(message));
}
