import {
  CloudWatchLogsClient,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  type FilterLogEventsCommandOutput,
} from "@aws-sdk/client-cloudwatch-logs";
import type { Json } from "../../base/json.ts";
import { runPool } from "../../base/run-pool.ts";
import { mergeLogLines } from "../../jobs/log-lines.ts";
import type { LogQuery, LogReader } from "../../jobs/log-reader.ts";
import { type AwsPlace, asking, clientSettings } from "./connection.ts";

/** A reader of groups of CloudWatch Logs; `close` lets go of its connections. */
export interface CloudLogReader extends Pick<LogReader, "read"> {
  close(): void;
}

/** CloudWatch Logs gives no more at once, and so many are allowed in a page whatever it looks through for them. */
const MAX_PER_PAGE = 10_000;
/** Pages may be empty: each is what one question had the time to look through. */
const MAX_PAGES = 40;
/** An account may ask a few times a second, whoever does. */
const GROUPS_AT_A_TIME = 3;
/** What may stand in a pattern between its quotation marks and means itself. */
const JOB_ID = /^[0-9A-Za-z_.-]{1,128}$/;

/**
 * Reads a job's lines out of the groups named: those that are JSON with its id as `job_id`. The last ones are looked for first, so that a long job's
 * do not have to be read from the beginning. Where a group has more than it is asked for, a line among the others says so.
 */
export function createCloudLogReader(place: AwsPlace, groups: readonly string[]): CloudLogReader {
  const client = new CloudWatchLogsClient(clientSettings(place));
  return {
    read: async (query) => {
      if (!JOB_ID.test(query.jobId)) return [];
      const found: (readonly Json[])[] = [];
      const { signal } = new AbortController();
      await runPool(groups, GROUPS_AT_A_TIME, signal, async (group, ending) => {
        found.push(await readGroup(client, group, query, ending));
      });
      return mergeLogLines(found, query.limit);
    },
    close: () => client.destroy(),
  };
}

async function readGroup(
  client: CloudWatchLogsClient,
  group: string,
  query: LogQuery,
  abortSignal: AbortSignal,
): Promise<readonly Json[]> {
  const { jobId, limit, fromMs, untilMs } = query;
  const lines: Json[] = [];
  let nextToken: string | undefined;
  for (let pages = 0; lines.length < limit; pages++) {
    if (pages === MAX_PAGES) return [cutLine(group, jobId, lines.at(-1), fromMs), ...lines.reverse()];
    const request = new FilterLogEventsCommand({
      logGroupName: group,
      filterPattern: `{ $.job_id = "${jobId}" }`,
      startTime: fromMs,
      ...(untilMs === undefined ? {} : { endTime: untilMs }),
      startFromHead: false,
      limit: Math.min(limit - lines.length, MAX_PER_PAGE),
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    const page: FilterLogEventsCommandOutput = await asking(group, () => client.send(request, { abortSignal }));
    lines.push(...(page.events ?? []).map(toLine));
    nextToken = page.nextToken;
    if (nextToken === undefined) break;
  }
  return lines.reverse();
}

/** The line as it was written; what others than Reelmill wrote gets what every line has. */
function toLine({ message = "", timestamp = 0 }: FilteredLogEvent): Json {
  const fallback = { timestamp: new Date(timestamp).toISOString(), level: "info", message: message.trimEnd() };
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    // A line that was cut short on its way is told as it is.
    return fallback;
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) return fallback;
  const fields = parsed as Readonly<Record<string, Json>>;
  const isWhole = Object.keys(fallback).every((name) => typeof fields[name] === "string");
  return isWhole ? fields : { ...fields, ...fallback };
}

/** Stands before the earliest line that was found. */
function cutLine(group: string, jobId: string, earliest: Json | undefined, fromMs: number): Json {
  const { timestamp = new Date(fromMs).toISOString() } = (earliest ?? {}) as { readonly timestamp?: string };
  const message = `The log group ${group} holds too much to be looked through at once: earlier lines may be left out.`;
  return { timestamp, level: "warn", message, job_id: jobId };
}
