import { setTimeout as delay } from "node:timers/promises";
import { type Clock, systemClock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createUuid } from "../../base/ids.ts";
import { pause } from "../../base/pause.ts";
import { stoppedEarly } from "../../jobs/run-job.ts";
import { type Condition, deleteItem, getItem, type ItemKey, putItem, type Table, updateItem } from "./table.ts";

/** A job of the batch worker that is this process's alone, as far as processes that ask for it go. */
export interface JobHold {
  /** Aborted where the hold ran out, as of a process that was frozen, and another one took it. */
  readonly lost: AbortSignal;
  /** Lets go of the job. Never throws: what cannot be let go of runs out. */
  release(): Promise<void>;
}

/** How a job is held. */
export interface HoldOptions {
  /** How long the hold lasts when nothing is heard of its holder, > 0. */
  readonly leaseMs: number;
  /** Ends the wait for a holder that says nothing. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** How it waits for another holder; default `pause`. */
  readonly wait?: (forMs: number, signal: AbortSignal) => Promise<void>;
}

/** So often a holder tells that it is there, within a lease, and so often it is looked for. */
const BEATS_PER_LEASE = 3;
const LOOKS_PER_LEASE = 15;
/** A hold of somebody who is gone is then removed by the table itself. */
const KEPT_SECONDS = 86_400;

const NOBODY: readonly Condition[] = [{ path: ["pk"], is: "absent" }];

/** Of the item: whose it is, how often it has told that it is there, and how long it lasts without that. */
interface Holder {
  readonly holder: string;
  readonly beats: number;
  readonly leaseMs: number;
}

/**
 * Takes a job of the batch worker for this process alone. Of a holder that is there the lease is waited for: one that is alive is heard of before it
 * ends, whatever the clocks of the two machines show. Throws JOB_STATE where another process has the job, ABORTED where the signal was given first,
 * STORE_UNAVAILABLE, STORE_REFUSED.
 */
export async function holdJob(
  table: Table,
  jobId: string,
  { leaseMs, signal, clock = systemClock, wait = pause }: HoldOptions,
): Promise<JobHold> {
  const key = { pk: `batch#${jobId}`, sk: "worker" };
  const holder = createUuid(clock.nowMs());
  const expiry = (): number => Math.ceil(clock.nowMs() / 1000) + KEPT_SECONDS;
  const take = async (where: readonly Condition[]): Promise<boolean> =>
    (await putItem(table, { ...key, holder, beats: 0, leaseMs, ttl: expiry() }, where)) ||
    // The client asks again where the answer was lost: then it is there already.
    (await getItem(table, key))?.["holder"] === holder;
  const isFree = (await take(NOBODY)) || (await take(await waitForEnd(table, key, { leaseMs, signal, clock, wait })));
  if (!isFree) throw new ReelmillError("JOB_STATE", `Another worker has the job ${jobId}.`);
  const isMine: readonly Condition[] = [{ path: ["holder"], is: "=", value: holder }];
  const ending = new AbortController();
  const lost = new AbortController();
  const tell = async (): Promise<void> => {
    while (!lost.signal.aborted) {
      // Alone it keeps no process alive.
      await delay(leaseMs / BEATS_PER_LEASE, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
      if (ending.signal.aborted) return;
      const change = { add: [[["beats"], 1]], set: [[["ttl"], expiry()]], where: isMine } as const;
      // A table that does not answer gives the job to nobody else either.
      const item = await updateItem(table, key, change).catch(() => null);
      if (item === undefined) lost.abort();
    }
  };
  const telling = tell();
  return {
    lost: lost.signal,
    release: async () => {
      ending.abort();
      await telling;
      await deleteItem(table, key, isMine).catch(() => undefined);
    },
  };
}

/**
 * Waits until nothing has been heard of a job's holder for its lease. Gives what a hold then looks like that may be taken over: one that was seen to
 * tell that it is there never does.
 */
async function waitForEnd(
  table: Table,
  key: ItemKey,
  { leaseMs: ownLeaseMs, signal, clock, wait }: Required<HoldOptions>,
): Promise<readonly Condition[]> {
  const seen = (await getItem(table, key)) as Partial<Holder> | undefined;
  if (seen === undefined) return NOBODY;
  const { holder, beats, leaseMs = ownLeaseMs } = seen;
  const untilMs = clock.monotonicMs() + leaseMs;
  while (clock.monotonicMs() < untilMs) {
    await wait(leaseMs / LOOKS_PER_LEASE, signal);
    if (signal.aborted) throw stoppedEarly(signal);
    const now = (await getItem(table, key)) as Partial<Holder> | undefined;
    if (now === undefined) return NOBODY;
    if (now.holder !== holder || now.beats !== beats) break;
  }
  return [
    { path: ["holder"], is: "=", value: holder },
    { path: ["beats"], is: "=", value: beats },
  ];
}
