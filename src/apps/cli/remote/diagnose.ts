import { printableLine } from "../../../base/printable.ts";
import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { pathPart } from "../client/paths.ts";
import { DEAD_LETTERS, JOB, LOG_LINES, type LogLine, STATS, TASKS } from "../client/views.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit-codes.ts";
import { type Diagnosis, diagnose, type Facts } from "./diagnosis.ts";
import { formatLogLine } from "./logs.ts";
import type { RemoteOptions } from "./options.ts";
import { formatFields, formatJson, formatPercent } from "./text.ts";

const LAST_LINES = 5;

/**
 * Says in one sentence why a job stands where it stands and which command mends it, after what was looked at: the job's
 * tasks, its queue, workers, dead letters, last log lines. Gives 0 where nothing has to be mended, else 1. Throws JOB_NOT_FOUND,
 * USAGE and what `ApiClient` does.
 */
export async function runDiagnoseCommand(id: string, options: RemoteOptions, context: CliContext): Promise<number> {
  const path = `/v1/jobs/${pathPart(id, "job's id")}`;
  const client = await connect(options, context);
  // The job first, so that one that is unknown is told as that.
  const { value: job } = await client.ask(path, JOB);
  const [tasks, stats, letters, log] = await Promise.all([
    client.ask(`${path}/tasks`, TASKS),
    client.ask("/v1/stats", STATS),
    client.ask(`/v1/dead-letters?queue=${encodeURIComponent(job.pipeline)}`, DEAD_LETTERS),
    client.ask(`${path}/logs?limit=${LAST_LINES}`, LOG_LINES),
  ]);
  const facts: Facts = {
    job,
    tasks: tasks.value.tasks,
    queue: stats.value.queues.find(({ queue }) => queue === job.pipeline),
    workers: stats.value.workers,
    deadLetters: letters.value.deadLetters.filter(({ jobId }) => jobId === job.id),
  };
  const diagnosis = diagnose(facts);
  const { lines } = log.value;
  const text = options.json ? formatJson({ ...diagnosis, ...facts, lines }) : formatDiagnosis(diagnosis, facts, lines);
  context.writeOutput(text);
  return diagnosis.isStuck ? EXIT_FAILURE : EXIT_OK;
}

function formatDiagnosis({ finding, command }: Diagnosis, facts: Facts, lines: readonly LogLine[]): string {
  const { job, tasks, queue, workers, deadLetters } = facts;
  const { succeeded, failed, total } = job.tasks;
  const finish = tasks.find(({ stage }) => stage === "finish");
  const checked = formatFields([
    ["job", `${job.status}, stage ${job.stage}, ${formatPercent(job.progress)}`],
    ["tasks", `${succeeded + failed} of ${total} done, ${failed} failed; finish: ${finish?.status ?? "not due yet"}`],
    ["queue", queue === undefined ? "never used" : formatDepth(queue)],
    ["workers", `${workers.busy} busy, ${workers.running} running, ${workers.max} at most`],
    ["dead letters", deadLetters.length === 0 ? "none" : deadLetters.map((letter) => letter.id).join(", ")],
  ]);
  const log = lines.length === 0 ? "" : `\n${lines.map(formatLogLine).join("")}`;
  return `${checked}${log}\n${printableLine(finding)}\n  ${printableLine(command)}\n`;
}

function formatDepth({ queue, isPaused, waiting, inFlight, dead }: NonNullable<Facts["queue"]>): string {
  return `${queue}, ${isPaused ? "paused" : "open"}, ${waiting} waiting, ${inFlight} in flight, ${dead} dead`;
}
