import { ReelmillError } from "../../base/errors.ts";
import type { FileEntry } from "./file-entry.ts";
import { chooseReferences, healthyKeyOf } from "./healthy-files.ts";
import { type FileOutcome, processFile } from "./process-file.ts";
import { probe, type Room } from "./room.ts";

const MAX_BACK_OFF_MS = 600_000;

/** Begins as many repairs as may run, in the order of the names. */
export function pump(room: Room): void {
  const { book, state, active, options } = room;
  if (state.pauseReason !== "") return;
  const queued = [...book.entries.values()]
    .filter(
      (entry) => entry.shown.state === "queued" && entry.triedInScan !== state.counters.scans && !active.has(entry),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of queued) {
    if (active.size >= options.settings.maxConcurrentJobs || room.stopping.signal.aborted) return;
    entry.triedInScan = state.counters.scans;
    const work = workOn(room, entry).finally(() => {
      active.delete(entry);
      pump(room);
    });
    active.set(entry, work);
  }
}

async function workOn(room: Room, entry: FileEntry): Promise<void> {
  const { book, state, options, stopping } = room;
  const { pauses } = state.counters;
  const healthyKey = healthyKeyOf(room);
  // It may wait in another queue, which may be paused: what says that it is being repaired is the work itself.
  book.show(entry, { state: "queued", progress: 0, phase: "", error: null, heldBy: null });
  try {
    const outcome = await processFile(room.context, {
      name: entry.name,
      sighting: entry.sighting,
      references: chooseReferences(room).map(({ path }) => path),
      tryKey: `${entry.putOffs} ${healthyKey}`,
      signal: stopping.signal,
      onJob: (jobId) => book.show(entry, { jobId }),
      onProgress: (progress, phase) => book.show(entry, { state: "repairing", progress, phase }),
      isShareSteady: async () => state.counters.pauses === pauses && (await probe(room)),
    });
    await conclude(room, entry, outcome, healthyKey);
  } catch (error) {
    if (!stopping.signal.aborted) options.log.error("The repair broke off", { file: entry.name, error });
    putOff(room, entry);
  }
}

async function conclude(room: Room, entry: FileEntry, outcome: FileOutcome, healthyKey: string): Promise<void> {
  const { book, state, options } = room;
  const file = entry.name;
  const log = entry.shown.jobId === null ? options.log : options.log.child({ job_id: entry.shown.jobId });
  book.show(entry, { progress: 0, phase: "" });
  switch (outcome.kind) {
    case "exported":
      state.counters.exported += 1;
      if (outcome.repairedBy === "cloud") state.counters.exportedByCloud += 1;
      log.info("Repaired", { file, output: outcome.exportedAs, size: entry.sighting.bytes });
      return book.end(entry, { state: "exported", placedAs: outcome.exportedAs });
    case "quarantined": {
      const { error, quarantinedAs } = outcome;
      state.counters.quarantined += 1;
      log.error(`Could not be repaired: ${error?.message ?? ""}`, { file, output: quarantinedAs });
      return book.end(entry, { state: "quarantined", placedAs: quarantinedAs, error });
    }
    case "healthy":
      entry.health = "healthy";
      return book.show(entry, { state: "healthy" });
    case "waiting":
      entry.missedWith = healthyKey;
      log.warn(`Waits for a reference: ${outcome.error.message}`, { file });
      return book.show(entry, { state: "waiting-for-reference", error: outcome.error });
    case "held":
      return book.show(entry, { state: "queued", heldBy: outcome.heldBy });
    case "changed":
      return book.remove(file);
    case "put-off": {
      state.counters.putOff += 1;
      const { code, message } = outcome.error;
      log.warn(`Put off: ${message}`, { file, error: new ReelmillError(code, message) });
      putOff(room, entry);
      book.show(entry, { error: outcome.error });
      // Tells at once that the share has gone, and begins to look for it.
      if (!(await probe(room))) room.wake();
    }
  }
}

/** A file that is not to blame is tried again, at growing distances. */
function putOff(room: Room, entry: FileEntry): void {
  const { clock, settings } = room.options;
  const backOffMs = Math.min(settings.scanIntervalMs * 2 ** entry.putOffs, MAX_BACK_OFF_MS);
  entry.putOffs += 1;
  entry.retryAtMs = clock.monotonicMs() + backOffMs;
  room.book.show(entry, { state: "stable", progress: 0, phase: "" });
}
