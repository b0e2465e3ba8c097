import { printableLine } from "../../../base/printable.ts";
import { isEnded } from "../../../jobs/job.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "../client/api-client.ts";
import { connect } from "../client/connect.ts";
import { pathPart } from "../client/paths.ts";
import {
  CHECKS,
  type CheckView,
  DEAD_LETTERS,
  JOB,
  LOG_LINES,
  type LogLine,
  MESSAGES,
  STATS,
  TASKS,
} from "../client/views.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { type Diagnosis, diagnose, type Facts } from "./diagnosis.ts";
import { formatLogLine } from "./logs.ts";
import type { RemoteOptions } from "./options.ts";
import { formatFields, formatJson, formatPercent } from "./text.ts";

const LAST_LINES = 5;

/**
 * Without a job: looks at all that jobs depend on, and prints what mends what is wrong. With one: says in one sentence why it stands where it stands and
 * which command mends it, after what was looked at: the job's tasks and their messages, its queue, workers, dead letters, last log lines, and
 * whatever else is wrong. Gives 0 where nothing has to be mended, else 1. Throws JOB_NOT_FOUND, USAGE and what `ApiClient` does.
 */
export async function runDiagnoseCommand(
  id: string | undefined,
  options: RemoteOptions,
  context: CliContext,
): Promise<number> {
  if (id === undefined) return await diagnoseAll(options, context);
  const path = `/v1/jobs/${pathPart(id, "job's id")}`;
  const client = await connect(options, context);
  // The job first, so that one that is unknown is told as that.
  const { value: job } = await client.ask(path, JOB);
  const [tasks, messages, stats, letters, log, checks] = await Promise.all([
    client.ask(`${path}/tasks`, TASKS),
    client.ask(`${path}/messages`, MESSAGES),
    client.ask("/v1/stats", STATS),
    client.ask(`/v1/dead-letters?queue=${encodeURIComponent(job.pipeline)}`, DEAD_LETTERS),
    client.ask(`${path}/logs?limit=${LAST_LINES}`, LOG_LINES),
    client.ask("/v1/checks", CHECKS),
  ]);
  const first: Facts = {
    job,
    tasks: tasks.value.tasks,
    messages: messages.value.messages,
    queue: stats.value.queues.find(({ queue }) => queue === job.pipeline),
    workers: stats.value.workers,
    startsContainers: stats.value.startsContainers,
    deadLetters: letters.value.deadLetters.filter(({ jobId }) => jobId === job.id),
    nowMs: context.clock.nowMs(),
  };
  const { facts, diagnosis } = await confirm(first, client, path);
  const { lines } = log.value;
  const besides = checks.value.checks.filter(isWrong);
  const { nowMs: _now, ...shown } = facts;
  const text = options.json
    ? formatJson({ ...diagnosis, ...shown, lines, checks: besides })
    : formatDiagnosis(diagnosis, facts, lines, besides);
  context.writeOutput(text);
  return diagnosis.isStuck ? EXIT_FAILURE : EXIT_OK;
}

/**
 * Tasks and messages are asked for side by side: those of a task that is taken or done in between contradict each other. What looks stuck is
 * looked at until it looks the same twice.
 */
async function confirm(
  facts: Facts,
  client: ApiClient,
  path: string,
): Promise<{ readonly facts: Facts; readonly diagnosis: Diagnosis }> {
  const diagnosis = diagnose(facts);
  if (!diagnosis.isStuck || isEnded(facts.job.status)) return { facts, diagnosis };
  const [job, tasks, messages] = await Promise.all([
    client.ask(path, JOB),
    client.ask(`${path}/tasks`, TASKS),
    client.ask(`${path}/messages`, MESSAGES),
  ]);
  const again = { job: job.value, tasks: tasks.value.tasks, messages: messages.value.messages };
  if (isSame(again, facts)) return { facts, diagnosis };
  return await confirm({ ...facts, ...again }, client, path);
}

type Seen = Pick<Facts, "job" | "tasks" | "messages">;

function isSame(one: Seen, other: Seen): boolean {
  const shown = ({ job: { status, stage, attempt }, tasks, messages }: Seen) =>
    JSON.stringify([status, stage, attempt, tasks, messages]);
  return shown(one) === shown(other);
}

async function diagnoseAll(options: RemoteOptions, context: CliContext): Promise<number> {
  const client = await connect(options, context);
  const { raw, value } = await client.ask("/v1/checks", CHECKS);
  const wrong = value.checks.filter(isWrong);
  if (options.json) context.writeOutput(formatJson(raw));
  else {
    const columns = [{ title: "check" }, { title: "status" }, { title: "detail" }];
    const rows = value.checks.map(({ check, status, detail }) => [check, status, detail]);
    context.writeOutput(`${formatTable(columns, rows)}\n${formatWrong(wrong)}`);
  }
  return wrong.length === 0 ? EXIT_OK : EXIT_FAILURE;
}

function isWrong({ status }: CheckView): boolean {
  return status !== "ok";
}

function formatWrong(wrong: readonly CheckView[]): string {
  if (wrong.length === 0) return "Nothing is wrong that could be seen from here.\n";
  return wrong.map(formatCheck).join("");
}

function formatCheck({ check, detail, command }: CheckView): string {
  return `${printableLine(`${check}: ${detail}`)}\n${command === null ? "" : `  ${printableLine(command)}\n`}`;
}

function formatDiagnosis(
  { finding, command }: Diagnosis,
  facts: Facts,
  lines: readonly LogLine[],
  besides: readonly CheckView[],
): string {
  const { job, tasks, queue, workers, deadLetters } = facts;
  const { succeeded, failed, total } = job.tasks;
  const finish = tasks.find(({ stage }) => stage === "finish");
  const holders = [...new Set(facts.messages.flatMap(({ state, holder }) => (state === "held" ? (holder ?? []) : [])))];
  const checked = formatFields([
    ["job", `${job.status}, stage ${job.stage}, ${formatPercent(job.progress)}`],
    ["tasks", `${succeeded + failed} of ${total} done, ${failed} failed; finish: ${finish?.status ?? "not due yet"}`],
    ["queue", queue === undefined ? "never used" : formatDepth(queue)],
    ["workers", `${workers.busy} busy, ${workers.running} running, ${workers.max} at most, of this server`],
    ["held by", holders.join(", ")],
    ["dead letters", deadLetters.length === 0 ? "none" : deadLetters.map((letter) => letter.id).join(", ")],
  ]);
  const log = lines.length === 0 ? "" : `\n${lines.map(formatLogLine).join("")}`;
  const also = besides.length === 0 ? "" : `\nBesides:\n${besides.map(formatCheck).join("")}`;
  return `${checked}${log}${also}\n${printableLine(finding)}\n  ${printableLine(command)}\n`;
}

function formatDepth({ queue, isPaused, waiting, inFlight, dead }: NonNullable<Facts["queue"]>): string {
  return `${queue}, ${isPaused ? "paused" : "open"}, ${waiting} waiting, ${inFlight} in flight, ${dead} dead`;
}
