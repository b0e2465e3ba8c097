import { basename, join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import type { FileEntry } from "./file-entry.ts";
import { chooseReferences, healthyKeyOf } from "./healthy-files.ts";
import { listRecordings, type MisnamedFile } from "./listing.ts";
import { checkOutputs } from "./outputs.ts";
import { recoverAbandoned } from "./process-file.ts";
import { probe, type Room } from "./room.ts";
import { sweepFolders } from "./sweep.ts";
import { isShareGone, messageOf } from "./system-errors.ts";
import { pump } from "./work.ts";

/** One scan: the share, what others left behind, ready/; then begins repairs. Throws nothing that it could foresee. */
export async function scanOnce(room: Room): Promise<void> {
  const { state, options, context, claims } = room;
  if (room.stopping.signal.aborted || !(await probe(room))) return;
  state.counters.scans += 1;
  try {
    await checkOutputs(room);
    await recoverAbandoned(context, room.stopping.signal);
    await sweepFolders(options.settings, claims);
    await look(room);
    state.lastScanAtMs = options.clock.nowMs();
  } catch (error) {
    // The share may have gone in the middle of it; anything else is not to stop the files that can be worked on.
    if (room.stopping.signal.aborted || !(await probe(room))) return;
    options.log.error(`The watch folder could not be looked through: ${messageOf(error)}`, { error });
  }
  pump(room);
}

/** Lists ready/, finds out what is new, chooses the reference, and queues what is to be repaired. */
async function look(room: Room): Promise<void> {
  const { book, tracker, state, options } = room;
  const { readyFolder } = options.settings;
  const { recordings, misnamed } = await listRecordings(readyFolder);
  tracker.keepOnly(new Set([...recordings.keys()].map((name) => join(readyFolder, name))));
  for (const [name, entry] of book.entries) {
    if (!recordings.has(name) && !misnamed.has(name) && !room.active.has(entry)) book.remove(name);
  }
  for (const [name, file] of misnamed) refuse(room, name, file);
  for (const [name, sighting] of recordings) {
    const known = book.entries.get(name);
    if (known !== undefined && room.active.has(known)) continue;
    const isStable = await tracker.observe(join(readyFolder, name), sighting);
    const entry = book.meet(name, sighting);
    if (isStable && entry.health === undefined) await examine(room, entry);
  }
  const [reference] = chooseReferences(room);
  state.currentReference = reference === undefined ? null : basename(reference.path);
  const healthyKey = healthyKeyOf(room);
  for (const entry of book.entries.values()) queueIfDue(room, entry, healthyKey);
}

function refuse({ book, options }: Room, name: string, { sighting, error }: MisnamedFile): void {
  // While it grows, each scan finds another file.
  const isKnown = book.entries.get(name)?.health === "misnamed";
  const entry = book.meet(name, sighting);
  entry.health = "misnamed";
  book.show(entry, { state: "misnamed", error });
  if (!isKnown) options.log.warn(`Not taken: ${error.message}`, { file: name });
}

async function examine(room: Room, entry: FileEntry): Promise<void> {
  const { options, book, stopping } = room;
  const path = join(options.settings.readyFolder, entry.name);
  try {
    const { health, signature, reason } = await options.examine(path, stopping.signal);
    entry.health = health === "healthy" ? "healthy" : "damaged";
    entry.signature = health === "healthy" ? signature : "";
    if (health === "healthy") book.show(entry, { state: "healthy", error: null });
    else options.log.info(`To be repaired: ${reason}`, { file: entry.name, size: entry.sighting.bytes });
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
    // A share that stutters says nothing about the file: the next scan looks again. Else the repair says what is wrong.
    if (!error.retryable && !isShareGone(error)) entry.health = "damaged";
    else options.log.warn(`Could not be looked at: ${error.message}`, { file: entry.name, error });
  }
}

function queueIfDue(room: Room, entry: FileEntry, healthyKey: string): void {
  const { book, options } = room;
  if (entry.health !== "damaged" || room.active.has(entry)) return;
  const isWaiting = entry.missedWith !== undefined && entry.missedWith === healthyKey;
  if (isWaiting) return;
  const isDue = options.clock.monotonicMs() >= entry.retryAtMs;
  book.show(entry, { state: isDue ? "queued" : "stable" });
}
