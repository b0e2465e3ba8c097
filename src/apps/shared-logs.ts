import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { hostname } from "node:os";
import { type JobLogs, parseLog } from "../adapters/local/job-logs.ts";
import type { Clock } from "../base/clock.ts";
import { createFaultLog } from "../base/fault-log.ts";
import type { Json } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { pause } from "../base/pause.ts";
import { timestampOf } from "../jobs/log-lines.ts";
import type { ObjectInfo, ObjectStore } from "../jobs/object-store.ts";
import type { Home } from "./parts.ts";

/** What the keys of logs begin with in the store that machines share; the job's id and a name for the machine follow. */
export const LOG_ROOT = "logs/";
const SHARED_LOG = /^logs\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/[^/]+\.jsonl$/;

/** Where a machine's logs of jobs lie, and where others find them. */
export interface SharedLogsOptions {
  readonly home: Home;
  readonly logs: JobLogs;
  readonly objects: ObjectStore;
  /** With the host's name it tells machines apart, also after one was started again. */
  readonly dataFolder: string;
  /** Whether somebody reads the lines on this machine, where they are not shared. */
  readonly isServer: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The sharing of a machine's log lines. */
export interface LogSharing {
  /** Shares all that was written until now, and ends. */
  stop(): Promise<void>;
}

const SHARE_EVERY_MS = 3000;
/** A line of another machine is there no later than so long after it was written, unless its disk or the store is slow. */
export const SHARING_DELAY_MS = 2 * SHARE_EVERY_MS;
/** A file whose time is not later than the last look may have been written to behind it. */
const OVERLAP_MS = 2000;
/** Of one job: more machines than work at it at a time. */
const MAX_OBJECTS = 200;
/** What is read of each: some thousands of lines. */
const MAX_READ_BYTES = 1024 * 1024;
/** Where the first line of a file ends at the latest. */
const MAX_LINE_BYTES = 64 * 1024;
/** Lines of ended jobs that others have, or nobody reads here, are kept on this machine no longer. */
const KEPT_MS = 24 * 3600_000;
const FORGET_EVERY_MS = 3600_000;

/**
 * Where lines are shared, puts what this machine logs of a job into the store every few seconds, one object a machine and job, so that any server can show
 * it. While the store is away nothing is lost: it is shared when the store is back. Every hour this machine forgets lines of more than a day ago that
 * were shared, or that nobody reads here.
 */
export function shareLogs(options: SharedLogsOptions): LogSharing {
  const { home } = options;
  // What is in log groups need not be in the store as well.
  const isShared = home.backend === "aws" && home.logGroups.length === 0;
  if (!isShared && options.isServer) return { stop: () => Promise.resolve() };
  const stopping = new AbortController();
  const share = isShared ? createSharer(options) : async () => Number.POSITIVE_INFINITY;
  const forget = createForgetter(options);
  const run = async (): Promise<void> => {
    do {
      await forget(await share());
      await pause(SHARE_EVERY_MS, stopping.signal);
    } while (!stopping.signal.aborted);
    // What was logged while it was stopped, or by what was stopped before it.
    await share();
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** A function that shares what was written since it last could, and tells until when all is shared, in milliseconds since 1970-01-01T00:00:00Z. */
function createSharer(options: SharedLogsOptions): () => Promise<number> {
  const { logs, objects, dataFolder, clock } = options;
  const machine = `${hostname()}-${createHash("sha256").update(dataFolder).digest("hex").slice(0, 8)}`;
  const faults = createFaultLog({
    ...options,
    level: "warn",
    message: "The logs of jobs cannot be shared; they stay on this machine meanwhile.",
    over: "The logs of jobs are shared again.",
  });
  // What a process that was killed had not shared yet is still here.
  let sharedUntilMs = 0;
  return async () => {
    const atMs = clock.nowMs();
    try {
      for (const { jobId, path } of await logs.listNewer(sharedUntilMs)) {
        const name = encodeURIComponent(`${machine}-${await readBirth(path)}`);
        await objects.put(`${LOG_ROOT}${jobId}/${name}.jsonl`, createReadStream(path));
      }
      sharedUntilMs = atMs - OVERLAP_MS;
      faults.worked();
    } catch (error) {
      faults.failed(error);
    }
    return sharedUntilMs;
  };
}

/**
 * The digits of the time of a file's first line: the file of a job that was forgotten here, or that was on another disk, is not continued by a new one,
 * whose object must not take the place of the old one's.
 */
async function readBirth(path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of createReadStream(path, { end: MAX_LINE_BYTES - 1 })) chunks.push(chunk);
  const [first = null] = parseLog(Buffer.concat(chunks).toString("utf8"));
  return timestampOf(first).replace(/\D/g, "");
}

/** A function that, once an hour, removes lines on this machine of more than a day ago, and of before `sharedUntilMs`. */
function createForgetter({ logs, clock, log }: SharedLogsOptions): (sharedUntilMs: number) => Promise<void> {
  const faults = createFaultLog({
    ...{ log, clock, level: "warn" as const },
    message: "Old logs of jobs cannot be removed from this machine.",
    over: "Old logs of jobs can be removed again.",
  });
  let nextAtMs = 0;
  return async (sharedUntilMs) => {
    const nowMs = clock.nowMs();
    if (nowMs < nextAtMs) return;
    nextAtMs = nowMs + FORGET_EVERY_MS;
    try {
      for (const jobId of await logs.listOlder(Math.min(sharedUntilMs, nowMs - KEPT_MS))) logs.remove(jobId);
      faults.worked();
    } catch (error) {
      faults.failed(error);
    }
  };
}

/** Whose lines an object holds; undefined for one that is none of a job's logs, but the user's own below the same root. */
export function jobOfSharedLog(key: string): string | undefined {
  return SHARED_LOG.exec(key)?.[1];
}

/** The last lines of each file that machines shared of a job, up to 1 MiB of each. Throws what the store does. */
export async function readSharedLogs(objects: ObjectStore, jobId: string): Promise<readonly (readonly Json[])[]> {
  const found = await objects.list(`${LOG_ROOT}${jobId}/`, { limit: MAX_OBJECTS });
  const shared = found.filter(({ key, bytes }) => bytes > 0 && jobOfSharedLog(key) === jobId);
  return await Promise.all(shared.map(async (info) => parseLog(await readTail(objects, info))));
}

async function readTail(objects: ObjectStore, { key, bytes }: ObjectInfo): Promise<string> {
  const start = Math.max(0, bytes - MAX_READ_BYTES);
  const chunks: Uint8Array[] = [];
  for await (const chunk of await objects.read(key, { start, end: bytes })) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
}
