import type { Json } from "../base/json.ts";
import type { Job } from "./job.ts";

/** The news of the end of a job, in the form that machines read and in words. */
export interface JobNews {
  /** What a `standard` webhook gets, whole. */
  readonly payload: Json;
  /** One sentence for people. */
  readonly headline: string;
  /** What else people should know, such as numbers of files; the first ten are shown. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

/** What params and result may take of a payload together, in characters of JSON; receivers refuse bodies of megabytes. */
const MAX_CONTENT_LENGTH = 256 * 1024;

/**
 * The news of a job that has ended, for any pipeline: `type` is `job.` and the status, `timestamp` when it ended, `data.job` the job
 * without what is nobody's business outside (webhook, idempotency key). Where params and result together are larger than 256 KiB
 * both are null, and `data.isShortened` is true: they are to be fetched by the job's id.
 */
export function describeJob(job: Job): JobNews {
  const { id, pipeline, status, stage, progress, tasks, priority, parentJobId, attempt, params, result } = job;
  const { createdAtMs, startedAtMs, finishedAtMs, error } = job;
  const isShortened = JSON.stringify([params, result]).length > MAX_CONTENT_LENGTH;
  const content = isShortened ? { params: null, result: null } : { params, result };
  const times = { createdAtMs, startedAtMs, finishedAtMs };
  const rest = { tasks: { ...tasks }, priority, parentJobId, attempt, ...times, error: error && { ...error } };
  const failure = error === null ? [] : [{ name: "Error", value: `${error.code}: ${error.message}` }];
  return {
    payload: {
      type: `job.${status}`,
      timestamp: new Date(finishedAtMs ?? job.updatedAtMs).toISOString(),
      data: { job: { id, pipeline, status, stage, progress, ...rest, ...content }, isShortened },
    },
    headline: `${pipeline} job ${status}`,
    facts: [
      { name: "Job", value: id },
      { name: "Tasks", value: `${tasks.succeeded} of ${tasks.total} succeeded, ${tasks.failed} failed` },
      ...failure,
    ],
  };
}

/** Slack's own bounds on a header, a field and the fields of a section. */
const MAX_HEADER_LENGTH = 150;
const MAX_FIELD_LENGTH = 2000;
const MAX_FIELDS = 10;

/** News as a message for a Slack incoming webhook. Names in it cannot call people or channels, nor make links. */
export function toSlackMessage(news: JobNews): Json {
  const fields = news.facts.slice(0, MAX_FIELDS).map(({ name, value }) => ({
    type: "mrkdwn",
    text: shorten(`*${escapeSlack(name)}*\n`, value, MAX_FIELD_LENGTH),
  }));
  const header = { type: "header", text: { type: "plain_text", text: cut(news.headline, MAX_HEADER_LENGTH) } };
  // Slack refuses a section without fields.
  const body = fields.length === 0 ? [] : [{ type: "section", fields }];
  return { text: shorten("", news.headline, MAX_FIELD_LENGTH), blocks: [header, ...body] };
}

/** Escapes what has a meaning in Slack's markup, and cuts between characters, so that no escape is cut in two. */
function shorten(prefix: string, value: string, maxLength: number): string {
  const whole = `${prefix}${escapeSlack(value)}`;
  if (whole.length <= maxLength) return whole;
  let kept = prefix;
  for (const character of value) {
    const escaped = escapeSlack(character);
    if (kept.length + escaped.length >= maxLength) break;
    kept += escaped;
  }
  return `${kept}…`;
}

function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}
