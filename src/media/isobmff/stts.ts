import type { BoxReader } from "./box-reader.ts";
import { type DeferredBox, deferFields } from "./box-writer.ts";

/**
 * Reads `stts` as it stands: pairs (sample count, duration in media ticks), ISO/IEC 14496-12 §8.6.1.2. Throws
 * MEDIA_MALFORMED where the count does not fit the box.
 */
export function parseStts(box: BoxReader): Uint32Array {
  box.versionAndFlags();
  const entryCount = box.u32();
  box.checkCount(entryCount, 8);
  return box.u32Array(entryCount * 2);
}

/** Writes `stts` from pairs (sample count, duration in media ticks). */
export function serializeStts(durationRuns: Uint32Array): DeferredBox {
  return deferFields("stts", 0, 4 + durationRuns.length * 4, (fields) => {
    fields.u32(durationRuns.length / 2);
    fields.u32Array(durationRuns);
  });
}
