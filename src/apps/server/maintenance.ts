import type { JobLogs } from "../../adapters/local/job-logs.ts";
import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { Logger } from "../../base/log.ts";
import type { DeliveryStore } from "../../jobs/deliveries.ts";
import type { ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { MAIN_PLAYLIST } from "../../pipelines/hls/packaging.ts";
import { jobOfSharedLog, LOG_ROOT } from "../shared-logs.ts";
import { BATCH_ROOT, jobOfBatch } from "./batch-submissions.ts";

/** What maintenance stands on. */
export interface MaintenancePorts {
  readonly store: JobStore;
  readonly objects: ObjectStore;
  /** Undefined where logs are kept, and forgotten, elsewhere. */
  readonly logs: JobLogs | undefined;
  readonly deliveries: DeliveryStore;
  readonly clock: Clock;
  readonly log: Logger;
}

const INTERVAL_MS = 3600_000;
const PAGE = 1000;
const JOB_PAGE = 100;
/** Outputs below a prefix of the user's own are the user's to remove. */
const JOB_OUTPUT = /^outputs\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\//;

/** What edges have had mended: fetched long since, and under prefixes that nobody chose. */
const EDGE_OUTPUTS = "outputs/edge/";
const EDGE_OUTPUT = /^outputs\/edge\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\//;

/** Forgets old jobs with their outputs and logs, and old uploads, now and every hour, until `stop` has been waited for. */
export function startMaintenance(ports: MaintenancePorts, retentionMs: number): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const sweep = async (): Promise<void> => {
    try {
      await sweepOld(ports, retentionMs, signal);
    } catch (error) {
      if (!signal.aborted) ports.log.error("Old jobs could not be swept.", { error });
    }
  };
  let sweeping = sweep();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep);
  }, INTERVAL_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await sweeping;
    },
  };
}

/**
 * Removes what ended, or was uploaded, longer ago than `retentionMs` and is no known job's input, and what was left of jobs that are not known any more.
 * Throws what the ports do, and the signal's reason once it is given.
 */
export async function sweepOld(ports: MaintenancePorts, retentionMs: number, signal: AbortSignal): Promise<void> {
  const { store, objects, logs, deliveries, clock } = ports;
  const beforeMs = clock.nowMs() - retentionMs;
  const isNeeded = createNeeds(store, signal);
  for (let ids = await store.sweep(beforeMs); ids.length > 0; ids = await store.sweep(beforeMs)) {
    for (const id of ids) {
      signal.throwIfAborted();
      logs?.remove(id);
      await hidePackage(objects, id, isNeeded);
      await deleteWhere(objects, `outputs/${id}/`, signal, async ({ key }) => !(await isNeeded(key)));
      await deleteWhere(objects, `${LOG_ROOT}${id}/`, signal, async ({ key }) => jobOfSharedLog(key) === id);
    }
  }
  await deliveries.sweep(beforeMs);
  await deleteWhere(objects, "uploads/", signal, async ({ key, modifiedAtMs }) => {
    return modifiedAtMs < beforeMs && !(await isNeeded(key));
  });
  await deleteWhere(objects, EDGE_OUTPUTS, signal, async ({ key, modifiedAtMs }) => {
    return EDGE_OUTPUT.test(key) && modifiedAtMs < beforeMs && !(await isNeeded(key));
  });
  await deleteWhere(objects, BATCH_ROOT, signal, async ({ key, modifiedAtMs }) => {
    return modifiedAtMs < beforeMs && (await store.get(await jobOfBatch(objects, key))) === undefined;
  });
  await sweepOrphans(ports, beforeMs, isNeeded, signal);
}

/** Whether a job that is known names the object: what waits, or may be tried again, still needs its inputs. */
type IsNeeded = (key: string) => Promise<boolean>;

/** Looks through the jobs when it is asked for the first time. */
function createNeeds(store: JobStore, signal: AbortSignal): IsNeeded {
  let names: Promise<ReadonlySet<string>> | undefined;
  return async (key) => {
    names ??= namesOfKnownJobs(store, signal);
    return (await names).has(key);
  };
}

/** All texts in the params of jobs that are known. */
async function namesOfKnownJobs(store: JobStore, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (let cursor: string | undefined, isLast = false; !isLast; ) {
    const { jobs, nextCursor } = await store.list({ limit: JOB_PAGE, cursor });
    for (const { params } of jobs) addTexts(params, names);
    signal.throwIfAborted();
    cursor = nextCursor;
    isLast = cursor === undefined;
  }
  return names;
}

function addTexts(value: Json, texts: Set<string>): void {
  if (typeof value === "string") texts.add(value);
  else if (value !== null && typeof value === "object") for (const part of Object.values(value)) addTexts(part, texts);
}

/** A server that was ended between forgetting a job and removing what it had left does not come back to that by itself. */
async function sweepOrphans(
  { store, objects, logs }: MaintenancePorts,
  beforeMs: number,
  isNeeded: IsNeeded,
  signal: AbortSignal,
): Promise<void> {
  const isOrphan = async (jobId: string): Promise<boolean> => (await store.get(jobId)) === undefined;
  let hiddenId = "";
  await deleteWhere(objects, "outputs/", signal, async ({ key, modifiedAtMs }) => {
    const jobId = JOB_OUTPUT.exec(key)?.[1];
    if (jobId === undefined || modifiedAtMs >= beforeMs || !(await isOrphan(jobId)) || (await isNeeded(key))) {
      return false;
    }
    // Keys come in order: all of a job's stand together.
    if (jobId !== hiddenId) await hidePackage(objects, jobId, isNeeded);
    hiddenId = jobId;
    return true;
  });
  await deleteWhere(objects, LOG_ROOT, signal, async ({ key, modifiedAtMs }) => {
    const jobId = jobOfSharedLog(key);
    return jobId !== undefined && modifiedAtMs < beforeMs && (await isOrphan(jobId));
  });
  for (const jobId of (await logs?.listOlder(beforeMs)) ?? []) {
    signal.throwIfAborted();
    if (await isOrphan(jobId)) logs?.remove(jobId);
  }
}

/**
 * Removes the playlist that leads to all else of an HLS package, before anything else of it: no player begins with what is going. It is also
 * the last that is published.
 */
async function hidePackage(objects: ObjectStore, jobId: string, isNeeded: IsNeeded): Promise<void> {
  const key = `outputs/${jobId}/${MAIN_PLAYLIST}`;
  if ((await objects.head(key)) !== undefined && !(await isNeeded(key))) await objects.delete(key);
}

async function deleteWhere(
  objects: ObjectStore,
  prefix: string,
  signal: AbortSignal,
  isWanted: (info: ObjectInfo) => Promise<boolean>,
): Promise<void> {
  let afterKey = "";
  for (;;) {
    const page = await objects.list(prefix, { limit: PAGE, afterKey });
    for (const info of page) {
      signal.throwIfAborted();
      if (await isWanted(info)) await objects.delete(info.key);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    afterKey = last.key;
  }
}
