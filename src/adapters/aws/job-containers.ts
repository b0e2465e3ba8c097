import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { ContainerStarter } from "../../jobs/container-starter.ts";
import type { Job } from "../../jobs/job.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import type { PipelineRegistry } from "../../jobs/pipeline.ts";
import { readJob } from "./job-commit.ts";
import { jobPartition } from "./job-items.ts";
import { readBooks } from "./queue-book.ts";
import { seeWaitingJobs } from "./queue-messages.ts";
import { deleteItem, getItem, type Item, type ItemKey, putItem, type Table, updateItem } from "./table.ts";

/*
 * Which container works at which job. AWS Batch takes the same request twice and starts two, so one item beside the job says who asks, for which of the
 * job's starts, and what came of it. Whoever died in between is overtaken after a while: then there may be two containers, which share the job's tasks,
 * and the one that finds none ends.
 */

/** A container that was asked for. */
export interface JobContainer {
  /** Which of the job's starts it is for. */
  readonly attempt: number;
  readonly containerId: string;
}

/** What has become of jobs that waited unheard. */
export interface Forgotten {
  /** Jobs that got a container. */
  readonly started: readonly string[];
  /** Jobs for which none was to be had. */
  readonly failed: readonly { readonly jobId: string; readonly error: unknown }[];
  /** Jobs whose container has ended without them, and why. */
  readonly lost: readonly (JobContainer & { readonly jobId: string; readonly reason: string })[];
}

/** Has containers started for jobs, one for each start of a job. All throw STORE_UNAVAILABLE, STORE_REFUSED. */
export interface JobContainers {
  /** The id of the job's container, which is asked for where nobody has done so. Another one may be asking: that is waited for a while. */
  start(job: Job): Promise<string>;
  /** The same for a job that waits to be begun, and whose pipeline has nobody else to work at it; else nothing. In a paused queue jobs wait. */
  startQueued(jobId: string): Promise<void>;
  /** The same for jobs of which nothing was heard for long, a hundred of each pipeline; and looks what has become of their containers. */
  startForgotten(): Promise<Forgotten>;
  /** The container of a job; undefined where none was started. */
  find(jobId: string): Promise<JobContainer | undefined>;
}

/** What containers are started with. */
export interface JobContainersOptions {
  readonly table: Table;
  readonly clock: Clock;
  readonly objects: ObjectStore;
  readonly pipelines: PipelineRegistry;
  readonly starter: ContainerStarter;
  /** The pipelines whose jobs get one without being asked: nobody else works at them. */
  readonly own: readonly string[];
}

/** Longer than any that asks lives. */
const ASKING_MS = 90_000;
/** How long another one's answer is waited for, and how often it is looked for. */
const WAIT_MS = 5000;
const LOOK_MS = 200;
/** Streams are told again, containers begin, and workers that somebody runs tell what they do, within it. */
const UNHEARD_MS = 5 * 60_000;
const MOST_JOBS = 100;

/** Containers for the jobs of a table. */
export function createJobContainers(options: JobContainersOptions): JobContainers {
  const { table, own } = options;
  const start = (job: Job): Promise<string> => startOnce(options, job);
  return {
    start,
    startQueued: async (jobId) => {
      const job = (await readJob(table, jobId))?.job;
      if (job?.status !== "queued" || !own.includes(job.pipeline)) return;
      const book = (await readBooks(table)).find(({ queue }) => queue === job.pipeline);
      if (book?.isPaused !== true) await start(job);
    },
    startForgotten: () => startForgotten(options),
    find: async (jobId) => toContainer(await getItem(table, keyOf(jobId))),
  };
}

function keyOf(jobId: string): ItemKey {
  return { pk: jobPartition(jobId), sk: "container" };
}

function toContainer(item: Item | undefined): JobContainer | undefined {
  if (item?.["containerId"] === undefined) return undefined;
  return { attempt: Number(item["attempt"]), containerId: String(item["containerId"]) };
}

async function startOnce(options: JobContainersOptions, job: Job): Promise<string> {
  const { table, starter } = options;
  const nonce = randomUUID();
  const known = await claim(options, job, nonce);
  if (known !== undefined) return known;
  const isOwn = [{ path: ["nonce"], is: "=", value: nonce }] as const;
  let containerId: string;
  try {
    containerId = await starter.start(await wishFor(options, job));
  } catch (error) {
    await deleteItem(table, keyOf(job.id), isOwn);
    throw error;
  }
  await updateItem(table, keyOf(job.id), { set: [[["containerId"], containerId]], where: isOwn });
  return containerId;
}

async function wishFor({ pipelines, objects }: JobContainersOptions, { id: jobId, pipeline, params }: Job) {
  const plan = await pipelines.get(pipeline).planContainer?.(params, objects);
  return { jobId, pipeline, name: plan?.name ?? `${pipeline}-${jobId}`, size: plan };
}

/** Gives the container that there is; undefined where it is now the caller's to ask for one. */
async function claim(
  { table, clock }: JobContainersOptions,
  { id: jobId, attempt }: Job,
  nonce: string,
): Promise<string | undefined> {
  for (let waitedMs = 0; waitedMs <= WAIT_MS; waitedMs += LOOK_MS) {
    const item = await getItem(table, keyOf(jobId));
    const isCurrent = item !== undefined && Number(item["attempt"]) >= attempt;
    const container = toContainer(item);
    if (isCurrent && container !== undefined) return container.containerId;
    const nowMs = clock.nowMs();
    if (!isCurrent || Number(item["askedAtMs"]) <= nowMs - ASKING_MS) {
      const unchanged = item === undefined ? ABSENT : ({ path: ["nonce"], is: "=", value: item["nonce"] } as const);
      const asking = { ...keyOf(jobId), attempt, nonce, askedAtMs: nowMs };
      if (await putItem(table, asking, [unchanged])) return undefined;
    }
    await delay(LOOK_MS);
  }
  throw new ReelmillError("STORE_UNAVAILABLE", `Another one is asking for a container for the job ${jobId}.`);
}

const ABSENT = { path: ["pk"], is: "absent" } as const;

async function startForgotten(options: JobContainersOptions): Promise<Forgotten> {
  const { table, clock, own, starter } = options;
  const started: string[] = [];
  const failed: { readonly jobId: string; readonly error: unknown }[] = [];
  const waiting = new Map<string, JobContainer & { readonly jobId: string }>();
  for (const book of await readBooks(table)) {
    if (book.isPaused || !own.includes(book.queue)) continue;
    for await (const jobId of seeWaitingJobs(table, book, MOST_JOBS, clock.nowMs())) {
      const job = (await readJob(table, jobId))?.job;
      if (job === undefined || job.updatedAtMs > clock.nowMs() - UNHEARD_MS) continue;
      const container = toContainer(await getItem(table, keyOf(jobId)));
      if (container?.attempt === job.attempt) waiting.set(container.containerId, { ...container, jobId });
      else {
        const error = await startOnce(options, job).then(() => undefined, asFailure);
        if (error === undefined) started.push(jobId);
        else failed.push({ jobId, ...error });
      }
    }
  }
  const states = await starter.look([...waiting.keys()]);
  const lost = [...waiting].flatMap(([id, container]) => {
    const { hasEnded, reason } = states.get(id) ?? { hasEnded: true, reason: "AWS Batch does not know it any more" };
    return hasEnded ? [{ ...container, reason }] : [];
  });
  return { started, failed, lost };
}

function asFailure(error: unknown): { readonly error: unknown } {
  return { error };
}
