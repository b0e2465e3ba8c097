import type { JobLogs } from "../../adapters/local/job-logs.ts";
import type { Json } from "../../base/json.ts";
import { type LogReader, mergeLogLines, timestampOf } from "../../jobs/log-reader.ts";
import type { AwsHome } from "../aws-settings.ts";
import type { Home } from "../parts.ts";

/** A reader of all that is kept of jobs' logs; `close` lets go of connections. */
export interface OpenLogs extends LogReader {
  close(): Promise<void>;
}

/** What sends lines to CloudWatch Logs does so every few seconds, and what is sent is found a few seconds later. */
const GROUPS_DELAY_MS = 15_000;

/**
 * Opens what there is of jobs' logs: `own`, which processes on this machine write (undefined where nothing outlives them), and the home's log
 * groups, which those elsewhere write to.
 */
export function openLogs(home: Home, own: JobLogs | undefined): OpenLogs {
  const groups = home.backend === "aws" && home.logGroups.length > 0 ? createLateReader(home) : undefined;
  return {
    delayMs: groups === undefined ? 0 : GROUPS_DELAY_MS,
    read: async (query) => {
      const { jobId, limit, fromMs } = query;
      const [ownLines, groupLines] = await Promise.all([own?.read(jobId, limit) ?? [], groups?.read(query) ?? []]);
      const from = new Date(fromMs).toISOString();
      const wanted = ownLines.filter((line) => timestampOf(line) >= from);
      return groups === undefined ? wanted : mergeLogLines([wanted, groupLines], limit);
    },
    close: async () => await groups?.close(),
  };
}

/** What asks AWS is loaded with the first question. */
function createLateReader(home: AwsHome) {
  const open = async () => (await import("../aws-wiring.ts")).openAwsLogReader(home);
  let opened: ReturnType<typeof open> | undefined;
  return {
    read: async (query: Parameters<LogReader["read"]>[0]): Promise<readonly Json[]> => {
      opened ??= open();
      return await (await opened).read(query);
    },
    close: async (): Promise<void> => (await opened)?.close(),
  };
}
