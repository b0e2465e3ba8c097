import { ReelmillError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";
import { printableLine } from "../../../base/printable.ts";
import { formatElapsedMs } from "../../../base/units.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "../client/api-client.ts";
import { connect } from "../client/connect.ts";
import { JOB_PAGE, type JobView, STATS, type StatsView } from "../client/views.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import type { MonitorOptions } from "./options.ts";
import { formatQueues } from "./queues.ts";
import { formatEta, formatJsonLine, formatPercent, formatTaskCounts } from "./text.ts";

const SHOWN_JOBS = 50;
const BAR_COLUMNS = 16;

/** A screen of its own, so that what was there before comes back; no cursor. */
const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l";
const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** What one look at the server found. */
interface Look {
  readonly atMs: number;
  readonly stats: StatsView;
  readonly jobs: readonly JobView[];
  readonly raw: Json;
}

/**
 * Shows queues, workers and running jobs, again and again: on a terminal in place, else one below the other. Ends with the
 * command's signal and gives 0. Throws what `ApiClient` does; once it had an answer, it waits for a server that is away.
 */
export async function runMonitorCommand(options: MonitorOptions, context: CliContext): Promise<number> {
  const client = await connect(options, context);
  const first = await look(client, context);
  if (options.once || options.json) return await print(first, client, options, context);
  if (!context.isOutputTerminal) return await print(first, client, options, context);
  context.writeOutput(ENTER_SCREEN);
  try {
    let last = first;
    let failure: ReelmillError | undefined;
    while (!context.signal.aborted) {
      context.writeOutput(formatScreen(last, failure, client.server, options, context));
      await context.sleep(options.interval * 1000, context.signal);
      if (context.signal.aborted) break;
      const next = await tryLook(client, context);
      if (next instanceof ReelmillError) failure = next;
      else {
        last = next;
        failure = undefined;
      }
    }
  } finally {
    context.writeOutput(LEAVE_SCREEN);
  }
  return EXIT_OK;
}

/** Prints one look below the other. */
async function print(
  first: Look,
  client: ApiClient,
  { json, once, interval }: MonitorOptions,
  context: CliContext,
): Promise<number> {
  let current: Look | ReelmillError = first;
  for (;;) {
    if (current instanceof ReelmillError) context.writeError(`${printableLine(current.message)}\n`);
    else context.writeOutput(json ? formatJsonLine(current.raw) : `${formatLook(current, client.server)}\n`);
    if (once) return EXIT_OK;
    await context.sleep(interval * 1000, context.signal);
    if (context.signal.aborted) return EXIT_OK;
    current = await tryLook(client, context);
  }
}

async function look(client: ApiClient, { clock }: CliContext): Promise<Look> {
  const [stats, running] = await Promise.all([
    client.ask("/v1/stats", STATS),
    client.ask(`/v1/jobs?status=running&limit=${SHOWN_JOBS}`, JOB_PAGE),
  ]);
  const { jobs } = running.raw as { readonly jobs: Json };
  const raw = { stats: stats.raw, running: jobs };
  return { atMs: clock.nowMs(), stats: stats.value, jobs: running.value.jobs, raw };
}

/** A failure that may pass, or an end by the signal, is given; others are thrown. */
async function tryLook(client: ApiClient, context: CliContext): Promise<Look | ReelmillError> {
  try {
    return await look(client, context);
  } catch (error) {
    if (error instanceof ReelmillError && error.retryable) return error;
    throw error;
  }
}

/** The whole terminal anew, cut to its size; nothing flickers, because it is drawn over, not cleared. */
function formatScreen(
  last: Look,
  failure: ReelmillError | undefined,
  server: string,
  { interval }: MonitorOptions,
  { columns, rows }: CliContext,
): string {
  const notice = failure === undefined ? `every ${interval} s, Ctrl-C ends` : `NO ANSWER: ${failure.message}`;
  const lines = [printableLine(notice), ...formatLook(last, server).trimEnd().split("\n")].slice(0, rows - 1);
  // In the last column, clearing the rest of the line would take the character that was just written there.
  const cut = lines.map((line) => `${[...line].slice(0, columns - 1).join("")}${CLEAR_LINE}`);
  return `${HOME}${cut.join("\r\n")}${CLEAR_BELOW}`;
}

function formatWorkers({ workers, containers }: StatsView): readonly string[] {
  const { busy, running, desired, max } = workers;
  const own = max === 0 ? [] : [`workers  ${busy} busy, ${running} running, ${desired} desired, ${max} at most`];
  const elsewhere =
    containers === null
      ? []
      : [`containers  ${containers.running} running, ${containers.pending} pending, ${containers.desired} desired`];
  const known = [...own, ...elsewhere];
  return known.length > 0 ? known : ["workers  none of this server; those elsewhere show in the queues as in flight"];
}

function formatLook({ atMs, stats, jobs }: Look, server: string): string {
  const { queues } = stats;
  const { byStatus, endedLastDay } = stats.jobs;
  const time = new Date(atMs).toISOString().slice(0, 19).replace("T", " ");
  const counts = Object.entries(byStatus).map(([status, count]) => `${count} ${status}`);
  const dead = queues.reduce((sum, queue) => sum + queue.dead, 0);
  const head = [
    `${time} UTC  ${server}  up ${formatElapsedMs(stats.uptimeSeconds * 1000)}`,
    ...formatWorkers(stats),
    `jobs     ${counts.join(", ")}; ${endedLastDay} ended within a day`,
    ...(dead > 0 ? [`ALARM    ${dead} dead ${dead === 1 ? "letter" : "letters"}: reelmill dead-letters list`] : []),
  ];
  const running = jobs.length === 0 ? "No job is running.\n" : formatRunning(jobs);
  return `${head.map(printableLine).join("\n")}\n\n${formatQueues(queues, atMs)}\n${running}`;
}

function formatRunning(jobs: readonly JobView[]): string {
  const columns = [
    { title: "running job" },
    { title: "pipeline" },
    { title: "stage" },
    { title: "done", align: "right" },
    { title: "left", align: "right" },
    { title: "tasks", align: "right" },
    { title: "progress" },
  ] as const;
  const rows = jobs.map((job) => [
    job.id,
    job.pipeline,
    job.stage,
    formatPercent(job.progress),
    formatEta(job),
    formatTaskCounts(job),
    formatBar(job.progress),
  ]);
  return formatTable(columns, rows);
}

function formatBar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_COLUMNS);
  return "█".repeat(filled) + "░".repeat(BAR_COLUMNS - filled);
}
