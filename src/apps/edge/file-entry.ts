import type { Clock } from "../../base/clock.ts";
import type { EdgeFile } from "./edge-status.ts";
import { isUnchanged, type Sighting } from "./stability.ts";

/** What the service remembers of a file in ready/. */
export interface FileEntry {
  readonly name: string;
  sighting: Sighting;
  shown: EdgeFile;
  /** What examining it said; undefined where it was not, or changed since. */
  health: "healthy" | "damaged" | "misnamed" | undefined;
  /** Of a healthy one that may serve as a reference; else empty. */
  signature: string;
  /** The healthy files there were when a reference was missing. */
  missedWith: string | undefined;
  /** Tries in a row that were put off. */
  putOffs: number;
  /** By the monotonic clock. */
  retryAtMs: number;
  /** The scan in which it was last tried, so that one that another service holds is tried once in each. */
  triedInScan: number;
}

/** The files in ready/ and those that left it lately. */
export interface FileBook {
  readonly entries: ReadonlyMap<string, FileEntry>;
  /** The entry for a file as it was met; a changed one is begun anew. */
  meet(name: string, sighting: Sighting): FileEntry;
  /** Sets what is shown of an entry, and the time where the state changes. */
  show(entry: FileEntry, change: Partial<EdgeFile>): void;
  /** Forgets an entry that is not in ready/ any more. */
  remove(name: string): void;
  /** Takes an entry out as one that was brought to its end. */
  end(entry: FileEntry, change: Partial<EdgeFile>): void;
  list(): readonly EdgeFile[];
}

const KEPT_ENDED = 100;

/** An empty book. */
export function createFileBook(clock: Clock): FileBook {
  const entries = new Map<string, FileEntry>();
  const ended: EdgeFile[] = [];
  const show = (entry: FileEntry, change: Partial<EdgeFile>): void => {
    const isNewState = change.state !== undefined && change.state !== entry.shown.state;
    entry.shown = { ...entry.shown, ...change, ...(isNewState ? { changedAtMs: clock.nowMs() } : {}) };
  };
  return {
    entries,
    show,
    meet: (name, sighting) => {
      const known = entries.get(name);
      if (known !== undefined && isUnchanged(known.sighting, sighting)) return known;
      const entry = createEntry(name, sighting, clock.nowMs());
      entries.set(name, entry);
      return entry;
    },
    remove: (name) => {
      entries.delete(name);
    },
    end: (entry, change) => {
      show(entry, { progress: 1, phase: "", heldBy: null, ...change });
      if (entries.get(entry.name) === entry) entries.delete(entry.name);
      ended.unshift(entry.shown);
      ended.length = Math.min(ended.length, KEPT_ENDED);
    },
    list: () => [
      ...[...entries.values()].map(({ shown }) => shown).sort((a, b) => (a.name < b.name ? -1 : 1)),
      ...ended,
    ],
  };
}

function createEntry(name: string, sighting: Sighting, nowMs: number): FileEntry {
  const { bytes, modifiedAtMs } = sighting;
  return {
    name,
    sighting,
    shown: {
      name,
      bytes,
      modifiedAtMs,
      state: "growing",
      progress: 0,
      phase: "",
      error: null,
      jobId: null,
      placedAs: null,
      heldBy: null,
      changedAtMs: nowMs,
    },
    health: undefined,
    signature: "",
    missedWith: undefined,
    putOffs: 0,
    retryAtMs: Number.NEGATIVE_INFINITY,
    triedInScan: -1,
  };
}
