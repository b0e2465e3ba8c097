import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { messageOf } from "./system-errors.ts";

/** A file as it was met. Two are of the same content only if all is equal. */
export interface Sighting {
  readonly bytes: number;
  readonly modifiedAtMs: number;
  readonly inode: number;
}

/** Whether two sightings show the same file, unchanged. */
export function isUnchanged(a: Sighting, b: Sighting): boolean {
  return a.bytes === b.bytes && a.modifiedAtMs === b.modifiedAtMs && a.inode === b.inode;
}

/** Remembers since when files have not changed. */
export interface StabilityTracker {
  /** Whether the file has been at rest for the time required, this sighting included. Never throws. */
  observe(path: string, sighting: Sighting): Promise<boolean>;
  /** Forgets all files but these. */
  keepOnly(paths: ReadonlySet<string>): void;
}

interface Rest {
  readonly sighting: Sighting;
  readonly sinceMs: number;
  readonly fingerprint: string;
  isStable: boolean;
}

/**
 * A tracker that asks for `minAgeMs` by a monotonic clock: what the wall clock or a file's own time say does not matter.
 * Size and time of a file that is being copied may both stand still (a server reserves the space first, and tells the time
 * of the last write when the file is closed), so samples of its content must be the same, too.
 */
export function createStabilityTracker(minAgeMs: number, monotonicMs: () => number): StabilityTracker {
  const rests = new Map<string, Rest>();
  const begin = (path: string, sighting: Sighting, fingerprint: string): void => {
    rests.set(path, { sighting, sinceMs: monotonicMs(), fingerprint, isStable: false });
  };
  return {
    observe: async (path, sighting) => {
      if (minAgeMs === 0) return true;
      const rest = rests.get(path);
      if (rest === undefined || !isUnchanged(rest.sighting, sighting)) {
        begin(path, sighting, await fingerprintOf(path, sighting.bytes));
        return false;
      }
      if (rest.isStable) return true;
      if (monotonicMs() - rest.sinceMs < minAgeMs) return false;
      const fingerprint = await fingerprintOf(path, sighting.bytes);
      if (fingerprint !== rest.fingerprint) {
        begin(path, sighting, fingerprint);
        return false;
      }
      rest.isStable = true;
      return true;
    },
    keepOnly: (paths) => {
      for (const path of rests.keys()) if (!paths.has(path)) rests.delete(path);
    },
  };
}

const SAMPLES = 64;
const SAMPLE_BYTES = 4096;

/** Digest of samples spread over the file, its beginning and end among them. One that cannot be read has the reason as its mark. */
async function fingerprintOf(path: string, sizeBytes: number): Promise<string> {
  try {
    const file = await open(path);
    try {
      const hash = createHash("sha256");
      const sample = new Uint8Array(SAMPLE_BYTES);
      const last = Math.max(0, sizeBytes - SAMPLE_BYTES);
      const offsets = new Set(
        Array.from({ length: SAMPLES }, (_, index) => Math.floor((last * index) / (SAMPLES - 1))),
      );
      for (const offset of offsets) {
        const { bytesRead } = await file.read(sample, 0, SAMPLE_BYTES, offset);
        hash.update(sample.subarray(0, bytesRead));
      }
      return hash.digest("hex");
    } finally {
      await file.close();
    }
  } catch (error) {
    return messageOf(error);
  }
}
