import { z } from "zod";
import type { Json } from "../../../base/json.ts";
import { printableLine } from "../../../base/printable.ts";
import { isEnded } from "../../../jobs/job.ts";
import type { CliContext } from "../cli-context.ts";
import { type ApiClient, wrongAnswer } from "../client/api-client.ts";
import { connect } from "../client/connect.ts";
import { followEvents } from "../client/follow-events.ts";
import { pathPart } from "../client/paths.ts";
import { EVENT, JOB, type JobView, TASKS } from "../client/views.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit-codes.ts";
import { createProgressBar, type ProgressBar } from "../progress-bar.ts";
import { formatJob } from "./job-text.ts";
import type { RemoteOptions } from "./options.ts";
import { formatJsonLine, formatPercent, formatTaskCounts } from "./text.ts";

/** Off a terminal a line is written for each such part of the work. */
const LINE_STEP = 0.1;

/** Follows a job and gives 0 where it succeeds, else 1. Throws JOB_NOT_FOUND, USAGE, ABORTED and what `ApiClient` does. */
export async function runJobsWatchCommand(id: string, options: RemoteOptions, context: CliContext): Promise<number> {
  pathPart(id, "job's id");
  const client = await connect(options, context);
  return await finishWatching(client, await watchJob(client, id, options, context), options, context);
}

/** Says how a job that has ended did, and gives the exit status. */
export async function finishWatching(
  client: ApiClient,
  job: JobView,
  { json }: Pick<RemoteOptions, "json">,
  context: CliContext,
): Promise<number> {
  if (!json) {
    const { value } = await client.ask(`/v1/jobs/${pathPart(job.id, "job's id")}/tasks`, TASKS);
    context.writeOutput(formatJob(job, value.tasks));
  }
  return job.status === "succeeded" ? EXIT_OK : EXIT_FAILURE;
}

/**
 * Follows a job until it ends and gives it as it then is. Progress goes to standard error, as a bar or as lines; with `json`
 * each change of the job is a line on standard output.
 */
export async function watchJob(
  client: ApiClient,
  id: string,
  { json }: Pick<RemoteOptions, "json">,
  context: CliContext,
): Promise<JobView> {
  const bar = createProgressBar(context, `job …${id.slice(-8)}`);
  const showJob = createJobDisplay(bar, json, context);
  const say = (text: string): void => {
    bar.clear();
    context.writeError(`${printableLine(text)}\n`);
  };
  try {
    const path = `/v1/jobs/${pathPart(id, "job's id")}/events`;
    const onReconnect = (reason: Error): void => say(`${reason.message} Trying again.`);
    let known = "";
    for await (const message of followEvents(client, path, context, { onReconnect })) {
      if (message.event === "job") {
        const { raw, value } = parse(message.data, JOB, client);
        // A new connection begins with the job as it is. How long it still takes is reckoned anew each time.
        const state = JSON.stringify({ ...(raw as object), etaSeconds: null });
        if (state === known) continue;
        known = state;
        showJob(raw, value);
        if (isEnded(value.status)) return value;
      } else if (message.event === "event") {
        const news = describeEvent(parse(message.data, EVENT, client).value);
        if (news !== undefined) say(news);
      }
    }
  } finally {
    bar.clear();
  }
  throw wrongAnswer(client.server, "its event stream came to an end");
}

/** Shows each state of the job, lines only where something worth a line is new. */
function createJobDisplay(bar: ProgressBar, isJson: boolean, context: CliContext): (raw: Json, job: JobView) => void {
  let shown = "";
  return (raw, job) => {
    if (isJson) context.writeOutput(formatJsonLine(raw));
    const counts = formatTaskCounts(job);
    if (context.isErrorTerminal) {
      const leftMs = job.etaSeconds === null ? null : job.etaSeconds * 1000;
      bar.update(job.progress, [job.status === "running" ? job.stage : job.status, counts].join(" ").trim(), leftMs);
      return;
    }
    const step = `${job.status} ${job.stage} ${Math.floor(job.progress / LINE_STEP)} ${job.tasks.failed}`;
    if (step === shown) return;
    shown = step;
    const details = [job.status, job.stage, formatPercent(job.progress), counts].filter((part) => part !== "");
    context.writeError(`${printableLine(`${job.id}: ${details.join(", ")}`)}\n`);
  };
}

/** What people should hear of at once. */
function describeEvent({ type, data }: z.output<typeof EVENT>): string | undefined {
  const news: Readonly<Record<string, string>> = {
    "task.retrying": "a task failed and will be tried again",
    "task.failed": "a task failed",
    "task.lost": "a worker was lost; its task goes to another one",
    "job.retried": "the job was started again",
  };
  const text = Object.hasOwn(news, type) ? news[type] : undefined;
  if (text === undefined) return undefined;
  const { message, code } = FAILURE.safeParse(data).data ?? {};
  return message === undefined ? text : `${text}: ${message}${code === undefined ? "" : ` (${code})`}`;
}

/** What an event tells of a failure. */
const FAILURE = z.object({ message: z.string(), code: z.string().optional() });

function parse<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  client: ApiClient,
): { readonly raw: Json; readonly value: z.output<Schema> } {
  let raw: Json;
  try {
    raw = JSON.parse(text);
  } catch {
    throw wrongAnswer(client.server, "the JSON of an event cannot be read");
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw wrongAnswer(client.server, "an event is not as expected");
  return { raw, value: parsed.data };
}
