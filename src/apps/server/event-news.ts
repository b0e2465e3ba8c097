import type { Clock } from "../../base/clock.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { createFrames, type FramePage } from "./event-frames.ts";

/** How soon a client of a stream that does not stay open comes again. */
const COME_AGAIN_MS = 2000;
/** Of one answer; whoever comes again hears the rest. */
const MAX_NEWS_BYTES = 1024 * 1024;

/** What tells news. */
interface NewsSource {
  readonly store: JobStore;
  readonly clock: Clock;
}

/** A stream of its own that ends at once: when to come again, the events of a job after that one, and the job as it is then. */
export async function newsOfJob({ store, clock }: NewsSource, jobId: string, afterSeq: number): Promise<Buffer> {
  const frames = createFrames(store, clock);
  // Before its events, so that none of those that led to it is missing.
  const job = await frames.job(jobId);
  const { news, isAll } = await collect(afterSeq, (seq) => frames.eventsAfter(jobId, seq));
  return Buffer.concat([beginAt(afterSeq), ...news, ...(isAll && job !== undefined ? [job.frame] : [])]);
}

/** As `newsOfJob`, of the jobs that changed after that change. */
export async function newsOfAll({ store, clock }: NewsSource, afterChange: number): Promise<Buffer> {
  const frames = createFrames(store, clock);
  const { news } = await collect(afterChange, (change) => frames.changesAfter(change));
  return Buffer.concat([beginAt(afterChange), ...news]);
}

/** A client that hears nothing new knows by this where to go on. */
function beginAt(place: number): Buffer {
  return Buffer.from(`retry: ${COME_AGAIN_MS}\nid: ${place}\n\n`);
}

async function collect(
  after: number,
  pageAfter: (place: number) => Promise<FramePage | undefined>,
): Promise<{ readonly news: readonly Buffer[]; readonly isAll: boolean }> {
  const news: Buffer[] = [];
  let bytes = 0;
  for (let place = after; ; ) {
    const page = await pageAfter(place);
    if (page === undefined) return { news, isAll: true };
    news.push(page.frames);
    bytes += page.frames.length;
    place = page.last;
    if (bytes >= MAX_NEWS_BYTES) return { news, isAll: false };
  }
}
