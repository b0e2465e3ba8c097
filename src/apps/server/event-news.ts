import type { Clock } from "../../base/clock.ts";
import { isEnded, JOB_STATUSES, type Job } from "../../jobs/job.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { createFrames, type FramePage, frameOfJob } from "./event-frames.ts";

/** How soon a client of a stream that does not stay open comes again. */
const COME_AGAIN_MS = 2000;
/** Of one answer; whoever comes again hears the rest. */
const MAX_NEWS_BYTES = 1024 * 1024;
/** A job's result may take a megabyte. */
const JOBS_AT_ONCE = 2;
/** A function has half a minute for an answer. */
const MAX_LOOK_MS = 10_000;
/** Among so many events, one that ended a job is found. */
const LAST_EVENTS = 20;

const ENDINGS: ReadonlySet<string> = new Set(JOB_STATUSES.filter(isEnded).map((status) => `job.${status}`));

/** What tells news. */
interface NewsSource {
  readonly store: JobStore;
  readonly clock: Clock;
}

/**
 * A stream of its own that ends at once: when to come again, the events of a job after that one, and the job as it was read before them, so that
 * none that led to it is missing. One that has ended is told with the event that ended it, which some stores have a moment later.
 */
export async function newsOfJob({ store, clock }: NewsSource, job: Job, afterSeq: number): Promise<Buffer> {
  const frames = createFrames(store, clock);
  const { news, last, isAll } = await collect(clock, afterSeq, (seq) => frames.eventsAfter(job.id, seq));
  const isTold = isAll && (!isEnded(job.status) || (await hasEnding(store, job.id, last)));
  return Buffer.concat([beginAt(afterSeq), ...news, ...(isTold ? [frameOfJob(job, clock)] : [])]);
}

/** As `newsOfJob`, of the jobs that changed after that change. */
export async function newsOfAll({ store, clock }: NewsSource, afterChange: number): Promise<Buffer> {
  const frames = createFrames(store, clock, JOBS_AT_ONCE);
  const { news } = await collect(clock, afterChange, (change) => frames.changesAfter(change));
  return Buffer.concat([beginAt(afterChange), ...news]);
}

/** A client that hears nothing new knows by this where to go on. */
function beginAt(place: number): Buffer {
  return Buffer.from(`retry: ${COME_AGAIN_MS}\nid: ${place}\n\n`);
}

async function collect(
  clock: Clock,
  after: number,
  pageAfter: (place: number) => Promise<FramePage | undefined>,
): Promise<{ readonly news: readonly Buffer[]; readonly last: number; readonly isAll: boolean }> {
  const news: Buffer[] = [];
  const untilMs = clock.monotonicMs() + MAX_LOOK_MS;
  let bytes = 0;
  for (let last = after; ; ) {
    const page = await pageAfter(last);
    if (page === undefined) return { news, last, isAll: true };
    news.push(page.frames);
    bytes += page.frames.length;
    last = page.last;
    if (bytes >= MAX_NEWS_BYTES || clock.monotonicMs() >= untilMs) return { news, last, isAll: false };
  }
}

async function hasEnding(store: JobStore, jobId: string, last: number): Promise<boolean> {
  const afterSeq = Math.max(0, last - LAST_EVENTS);
  const events = await store.listEvents({ jobId, afterSeq, limit: LAST_EVENTS });
  const turn = events.findLast(({ type }) => type === "job.retried" || ENDINGS.has(type));
  return turn !== undefined && ENDINGS.has(turn.type);
}
