import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { JobEvent, JobEventType } from "../../jobs/job.ts";
import {
  deleteItem,
  firstItem,
  getItem,
  type Item,
  type ItemKey,
  LAST,
  putItem,
  queryItems,
  sortable,
  type Table,
} from "./table.ts";

/*
 * All changes of all jobs in one order. An entry is written only behind one that is there already, so that whoever has read up to one has
 * missed none: numbers that are given out before they are written would let later ones be seen first.
 */

const LOG = "log";
/** Events of one entry are numbered within it. */
const EVENTS_PER_ENTRY = 1000;

/** An event before it has its number. */
export interface LoggedEvent {
  readonly type: JobEventType;
  readonly data: Json;
  readonly atMs: number;
}

/** What is logged of one change. */
export interface LogEntry {
  readonly jobId: string;
  /** Tells the change from all others. */
  readonly change: string;
  readonly events: readonly LoggedEvent[];
  /** When the table may forget the entry, in seconds since 1970; by default never. */
  readonly ttl?: number;
}

/** `changeSeq` of a job whose last change has the entry; higher than the numbers of the entry's events. */
export function changeSeqOf(number: number): number {
  return (number + 1) * EVENTS_PER_ENTRY - 1;
}

/** The first entry that may hold something after a sequence number. */
function entryAfter(seq: number): number {
  return Math.floor((Math.max(0, seq) + 1) / EVENTS_PER_ENTRY);
}

/** The number of the last entry; 0 before the first. */
export async function lastNumber(table: Table): Promise<number> {
  const last = await firstItem(table, { pk: LOG, isDescending: true, only: ["sk"] });
  return last === undefined ? 0 : Number(last["sk"]);
}

/** Where the log ends, as far as is known here. */
export interface LogEnd {
  /** The number of the next entry, unless others write meanwhile. */
  next(): Promise<number>;
  /** Hears of an entry that was just written from here. */
  wrote(number: number): void;
}

/** Long enough for what a worker writes in a row; behind that, others have probably written. */
const END_IS_KNOWN_MS = 100;

/**
 * Remembers for a moment which entry was written last from here, and looks it up otherwise. A moment by both clocks: while a machine is
 * suspended, the monotonic one may stand still.
 */
export function createLogEnd(table: Table, clock: Clock): LogEnd {
  let written = 0;
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let wallMs = Number.NEGATIVE_INFINITY;
  return {
    next: async () => {
      const agesMs = [clock.monotonicMs() - writtenAtMs, Math.abs(clock.nowMs() - wallMs)];
      const isKnown = agesMs.every((ageMs) => ageMs < END_IS_KNOWN_MS);
      return (isKnown ? written : await lastNumber(table)) + 1;
    },
    wrote: (number) => {
      written = number;
      writtenAtMs = clock.monotonicMs();
      wallMs = clock.nowMs();
    },
  };
}

/**
 * Appends an entry once, however often it is asked for: under the number proposed, or a later one where another entry has that. Everyone who
 * appends the same change has to agree: `propose` changes what all of them go by, and gives false where somebody else did, who goes on then.
 */
export async function appendEntry(
  { table, logEnd }: { readonly table: Table; readonly logEnd: LogEnd },
  entry: LogEntry,
  proposed: number,
  propose: (from: number, to: number) => Promise<boolean>,
): Promise<number | undefined> {
  for (let number = proposed; ; ) {
    const key = { pk: LOG, sk: sortable(number) };
    const { jobId, change, ttl } = entry;
    const events = JSON.stringify(entry.events);
    if (await putItem(table, { ...key, jobId, change, events, ttl }, [{ path: ["pk"], is: "absent" }])) {
      logEnd.wrote(number);
      return number;
    }
    // Written before: perhaps long ago, so that nothing is said of where the log ends.
    if ((await getItem(table, key))?.["change"] === change) return number;
    const next = (await lastNumber(table)) + 1;
    if (!(await propose(number, next))) return undefined;
    number = next;
  }
}

/** The copy that is kept with the job, so that its own events are found without those of all others; none where there are none. */
export function copiesOf(pk: string, number: number, { jobId, events }: LogEntry): readonly (Item & ItemKey)[] {
  return events.length === 0 ? [] : [{ pk, sk: `log#${sortable(number)}`, jobId, events: JSON.stringify(events) }];
}

/** Events after `seq`, of all jobs or of the one whose partition is given. */
export async function readEvents(
  table: Table,
  pk: string | undefined,
  afterSeq: number,
  limit: number,
): Promise<readonly JobEvent[]> {
  const found: JobEvent[] = [];
  const from = sortable(entryAfter(afterSeq));
  const selection = pk === undefined ? { pk: LOG, from } : { pk, from: `log#${from}`, to: `log#${LAST}` };
  if (limit < 1) return found;
  for await (const item of queryItems(table, { ...selection, pageSize: Math.min(limit, 500) })) {
    found.push(...eventsOf(item).filter(({ seq }) => seq > afterSeq));
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

function numberOf(item: Item): number {
  return Number((item["sk"] as string).replace("log#", ""));
}

function eventsOf(item: Item): readonly JobEvent[] {
  const events = JSON.parse(item["events"] as string) as readonly LoggedEvent[];
  const first = numberOf(item) * EVENTS_PER_ENTRY;
  return events.map((event, index) => ({ seq: first + index, jobId: item["jobId"] as string, ...event }));
}

/** Entries behind a `changeSeq`, with the jobs that they are of. */
export async function* readChanges(
  table: Table,
  changeSeq: number,
): AsyncGenerator<{ readonly jobId: string; readonly changeSeq: number }> {
  const from = sortable(entryAfter(changeSeq));
  for await (const item of queryItems(table, { pk: LOG, from, only: ["sk", "jobId"] })) {
    yield { jobId: item["jobId"] as string, changeSeq: changeSeqOf(numberOf(item)) };
  }
}

/** Forgets entries; the last of all stays, because numbers must not be given again. */
export async function forgetEntries(table: Table, numbers: readonly number[]): Promise<void> {
  const last = await lastNumber(table);
  for (const number of numbers) if (number < last) await deleteItem(table, { pk: LOG, sk: sortable(number) });
}
