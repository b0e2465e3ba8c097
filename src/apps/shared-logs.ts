import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { hostname } from "node:os";
import { type JobLogs, parseLog } from "../adapters/local/job-logs.ts";
import type { Clock } from "../base/clock.ts";
import { createFaultLog } from "../base/fault-log.ts";
import type { Json } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { pause } from "../base/pause.ts";
import type { ObjectStore } from "../jobs/object-store.ts";
import type { Home } from "./parts.ts";

/** What the keys of logs begin with in the store that machines share; the job's id and a name for the machine follow. */
export const LOG_ROOT = "logs/";

/** Where a machine's logs of jobs lie, and where others find them. */
export interface SharedLogsOptions {
  readonly home: Home;
  readonly logs: JobLogs;
  readonly objects: ObjectStore;
  /** With the host's name it tells machines apart, also after one was started again. */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The sharing of a machine's log lines. */
export interface LogSharing {
  /** Shares what was written since, and ends. */
  stop(): Promise<void>;
}

const SHARE_EVERY_MS = 3000;
/** A line of another machine is there no later than so long after it was written, unless its disk or the store is slow. */
export const SHARING_DELAY_MS = 2 * SHARE_EVERY_MS;
/** A file whose time is not later than the last look may have been written to behind it. */
const OVERLAP_MS = 2000;
/** Of one job: more machines than work at it at a time. */
const MAX_MACHINES = 200;
/** Lines of ended jobs that were shared are kept on this machine no longer. */
const KEPT_MS = 24 * 3600_000;

/** Whether machines find each other's lines in the store: where they do not share it, or send them to log groups, it has none. */
export function areLogsShared(home: Home): boolean {
  return home.backend === "aws" && home.logGroups.length === 0;
}

/**
 * Where lines are shared, puts what this machine logs of a job into the store every few seconds, one object a machine and job, so that any server can show
 * it. While the store is away nothing is lost: it is shared when the store is back.
 */
export function shareLogs(options: SharedLogsOptions): LogSharing {
  if (!areLogsShared(options.home)) return { stop: () => Promise.resolve() };
  const { logs, objects, dataFolder, clock } = options;
  const machine = `${hostname()}-${createHash("sha256").update(dataFolder).digest("hex").slice(0, 8)}`;
  const keyOf = (jobId: string): string => `${LOG_ROOT}${jobId}/${encodeURIComponent(machine)}.jsonl`;
  const stopping = new AbortController();
  const faults = createFaultLog({
    ...options,
    level: "warn",
    message: "The logs of jobs cannot be shared; they stay on this machine meanwhile.",
    over: "The logs of jobs are shared again.",
  });
  // What a process that was killed had not shared yet.
  let sinceMs = clock.nowMs() - KEPT_MS;
  const share = async (): Promise<void> => {
    const atMs = clock.nowMs();
    try {
      for (const { jobId, path } of await logs.listNewer(sinceMs)) {
        await objects.put(keyOf(jobId), createReadStream(path));
      }
      sinceMs = atMs - OVERLAP_MS;
      faults.worked();
    } catch (error) {
      faults.failed(error);
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await pause(SHARE_EVERY_MS, stopping.signal);
      await share();
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** What each machine shared of a job. Throws what the store does. */
export async function readSharedLogs(objects: ObjectStore, jobId: string): Promise<readonly (readonly Json[])[]> {
  const found = await objects.list(`${LOG_ROOT}${jobId}/`, { limit: MAX_MACHINES });
  return await Promise.all(found.map(async ({ key }) => parseLog(await readText(objects, key))));
}

/** Removes lines on this machine that others have long had. */
export async function forgetOldLogs(logs: JobLogs, clock: Clock): Promise<void> {
  for (const jobId of await logs.listOlder(clock.nowMs() - KEPT_MS)) logs.remove(jobId);
}

async function readText(objects: ObjectStore, key: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await objects.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
