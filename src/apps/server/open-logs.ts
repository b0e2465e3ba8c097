import type { JobLogs } from "../../adapters/local/job-logs.ts";
import type { Json } from "../../base/json.ts";
import { mergeLogLines, timestampOf } from "../../jobs/log-lines.ts";
import type { LogReader } from "../../jobs/log-reader.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import type { AwsHome } from "../aws-settings.ts";
import type { Home } from "../parts.ts";
import { readSharedLogs, SHARING_DELAY_MS } from "../shared-logs.ts";

/** A reader of all that is kept of jobs' logs; `close` lets go of connections. */
export interface OpenLogs extends LogReader {
  close(): Promise<void>;
}

/** What sends lines to CloudWatch Logs does so every few seconds, and what is sent is found a few seconds later. */
const GROUPS_DELAY_MS = 15_000;

/** Where lines of jobs may be. */
export interface LogPlaces {
  /** What processes on this machine write; undefined where nothing outlives them. */
  readonly own: JobLogs | undefined;
  /** What machines share. */
  readonly objects: ObjectStore;
}

/** Opens what there is of jobs' logs: those of this machine, and those elsewhere, in the home's log groups and shared through its store. */
export function openLogs(home: Home, { own, objects }: LogPlaces): OpenLogs {
  const groups = home.backend === "aws" && home.logGroups.length > 0 ? createLateReader(home) : undefined;
  // Also where this one sends its lines to log groups: a worker on a machine of somebody's own may share them.
  const isShared = home.backend === "aws";
  return {
    delayMs: groups ? GROUPS_DELAY_MS : isShared ? SHARING_DELAY_MS : 0,
    read: async (query) => {
      const { jobId, limit, fromMs } = query;
      const [ownLines, sharedLines, groupLines] = await Promise.all([
        own?.read(jobId, limit) ?? [],
        isShared ? readSharedLogs(objects, jobId) : [],
        groups?.read(query) ?? [],
      ]);
      const from = new Date(fromMs).toISOString();
      const wanted = [ownLines, ...sharedLines].map((lines) => lines.filter((line) => timestampOf(line) >= from));
      return mergeLogLines([...wanted, groupLines], limit);
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
