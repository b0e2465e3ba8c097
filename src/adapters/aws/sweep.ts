import { forgetEntries } from "./change-log.ts";
import { type Committer, readJob, readSettledJob } from "./job-commit.ts";
import { jobKey, jobPartition } from "./job-items.ts";
import { isHeldBack, readBooks, strikeAll } from "./queue-book.ts";
import { discardDead, isMessage } from "./queue-messages.ts";
import { deleteItem, queryItems, sortable, type Table } from "./table.ts";

/** A transition that takes so long lost its writer; or is late, which does no harm. */
const STALE_MS = 5000;
const LOOK_EVERY_MS = 5000;
/** Forgetting one with a thousand tasks takes seconds. */
const SWEEP_BATCH = 20;

/** Does what dead writers left to be done. Looks no more often than every few seconds, however often it is called. */
export function settleStale(committer: Committer): () => Promise<void> {
  const { table, clock } = committer;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.monotonicMs() - lookedAtMs < LOOK_EVERY_MS) return;
    lookedAtMs = clock.monotonicMs();
    const to = sortable(Math.max(0, clock.nowMs() - STALE_MS));
    for await (const item of queryItems(table, { pk: "pending", index: "GSI2", to, only: ["pk"] })) {
      await readSettledJob(committer, jobIdOf(item["pk"]));
    }
  };
}

function jobIdOf(pk: unknown): string {
  return String(pk).slice(jobPartition("").length);
}

/** Forgets jobs that ended before, some at a time. Idempotency keys go by themselves: the table removes what has run out. */
export function createSweep(committer: Committer): (endedBeforeMs: number) => Promise<readonly string[]> {
  const { table } = committer;
  return async (endedBeforeMs) => {
    await strikeOrphans(committer);
    const to = sortable(Math.max(0, endedBeforeMs));
    const ids: string[] = [];
    for await (const item of queryItems(table, {
      pk: "ended",
      index: "GSI2",
      to,
      pageSize: SWEEP_BATCH,
      only: ["pk"],
    })) {
      if (ids.length >= SWEEP_BATCH) break;
      ids.push(jobIdOf(item["pk"]));
    }
    const forgotten: string[] = [];
    for (const id of ids) if (await forget(committer, id, endedBeforeMs)) forgotten.push(id);
    return forgotten;
  };
}

/** The job's own item goes last: as long as it is there the rest is found by it. */
async function forget({ table }: Committer, jobId: string, endedBeforeMs: number): Promise<boolean> {
  const record = await readJob(table, jobId);
  const finishedAtMs = record?.job.finishedAtMs ?? Number.POSITIVE_INFINITY;
  if (record === undefined || finishedAtMs >= endedBeforeMs) return false;
  const { idempotencyKey } = record.job;
  const entries: number[] = [];
  for await (const item of queryItems(table, { pk: jobPartition(jobId), only: ["pk", "sk", "messageId"] })) {
    const sk = String(item["sk"]);
    if (sk === jobKey(jobId).sk) continue;
    if (sk.startsWith("log#")) entries.push(Number(sk.slice("log#".length)));
    if (sk.startsWith("task#")) await discardDead(table, Number(item["messageId"]));
    await deleteItem(table, { pk: jobPartition(jobId), sk });
  }
  await forgetEntries(table, entries);
  if (idempotencyKey !== null) {
    const where = [{ path: ["jobId"], is: "=", value: jobId }] as const;
    await deleteItem(table, { pk: `idempotency#${idempotencyKey}`, sk: "key" }, where);
  }
  await deleteItem(table, jobKey(jobId));
  return true;
}

/** Strikes what the books tell of messages that are gone: whoever took one off may have died before its book heard of it. */
async function strikeOrphans({ table, clock }: Committer): Promise<void> {
  for (const { queue, holds } of await readBooks(table)) {
    const orphans: number[] = [];
    for (const [id, hold] of Object.entries(holds)) {
      if (!isHeldBack(hold, clock.nowMs()) && !(await isMessage(table, queue, hold.sk))) orphans.push(Number(id));
    }
    await strikeAll(table, queue, orphans);
  }
}

/** Removes what a space of a table still holds once all its jobs are forgotten. */
export async function clearSpace(table: Table): Promise<void> {
  for (const pk of ["queues", "log", "sequence"]) {
    for await (const { sk } of queryItems(table, { pk, only: ["sk"] })) await deleteItem(table, { pk, sk: String(sk) });
  }
}
