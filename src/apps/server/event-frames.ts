import type { Clock } from "../../base/clock.ts";
import type { Job } from "../../jobs/job.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { formatEvent } from "./listener.ts";
import { toEventView, toJobView } from "./views.ts";

/** Events ready to be sent. */
export interface FramePage {
  readonly frames: Buffer;
  /** Place of the last of them. */
  readonly last: number;
}

/** What one look at the store brings; each thing is read, and written as JSON, once. */
export interface Frames {
  /** Jobs changed after that change; undefined where there are none. */
  changesAfter(change: number): Promise<FramePage | undefined>;
  /** Events of a job after that one; undefined where there are none. */
  eventsAfter(jobId: string, seq: number): Promise<FramePage | undefined>;
  job(jobId: string): Promise<{ readonly frame: Buffer; readonly change: number } | undefined>;
  watch(read: () => string): { readonly frame: Buffer; readonly json: string };
}

const PAGE = 100;

/** Frames as of now, so many jobs or events to a page. */
export function createFrames(store: JobStore, clock: Clock, pageSize = PAGE): Frames {
  const pages = createMemo<FramePage | undefined>();
  const jobs = createMemo<{ readonly frame: Buffer; readonly change: number } | undefined>();
  let watch: { readonly frame: Buffer; readonly json: string } | undefined;
  return {
    changesAfter: (change) =>
      pages(`${change}`, async () => {
        const changed = await store.listChanged(change, pageSize);
        return toPage(changed, (job) => formatJob(toJobView(job, clock.nowMs()), job.changeSeq), "changeSeq");
      }),
    eventsAfter: (jobId, afterSeq) =>
      pages(`${jobId}/${afterSeq}`, async () => {
        const events = await store.listEvents({ jobId, afterSeq, limit: pageSize });
        return toPage(events, (event) => formatEvent("event", JSON.stringify(toEventView(event)), event.seq), "seq");
      }),
    job: (jobId) =>
      jobs(jobId, async () => {
        const job = await store.get(jobId);
        return job && { frame: frameOfJob(job, clock), change: job.changeSeq };
      }),
    watch: (read) => {
      if (watch === undefined) {
        const json = read();
        watch = { json, frame: Buffer.from(formatEvent("watch", json)) };
      }
      return watch;
    },
  };
}

/** A job as it is, ready to be sent; the stream's place stays where it is. */
export function frameOfJob(job: Job, clock: Clock): Buffer {
  return Buffer.from(formatJob(toJobView(job, clock.nowMs())));
}

function formatJob(view: ReturnType<typeof toJobView>, id?: number): string {
  return formatEvent("job", JSON.stringify(view), id);
}

function toPage<Place extends string, Item extends Readonly<Record<Place, number>>>(
  items: readonly Item[],
  format: (item: Item) => string,
  place: Place,
): FramePage | undefined {
  const last = items.at(-1);
  return last && { frames: Buffer.from(items.map(format).join("")), last: last[place] };
}

function createMemo<T>(): (name: string, read: () => Promise<T>) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (name, read) => {
    const found = known.get(name) ?? read();
    known.set(name, found);
    return found;
  };
}
