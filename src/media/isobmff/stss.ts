import type { BoxReader } from "./box-reader.ts";
import { type DeferredBox, deferFields } from "./box-writer.ts";

/**
 * Reads `stss` (or QuickTime's `stps`, laid out alike) into 0-based sample indexes, as they stand;
 * ISO/IEC 14496-12 §8.6.2. Throws MEDIA_MALFORMED where the count does not fit the box; sample number 0 is dropped.
 */
export function parseStss(box: BoxReader): Uint32Array {
  box.versionAndFlags();
  const numbers = box.u32Array(box.u32());
  let kept = 0;
  for (const number of numbers) if (number > 0) numbers[kept++] = number - 1;
  return numbers.subarray(0, kept);
}

/** Writes `stss` from 0-based, rising sample indexes. */
export function serializeStss(syncSamples: Uint32Array): DeferredBox {
  return deferFields("stss", 0, 4 + syncSamples.length * 4, (fields) => {
    fields.u32(syncSamples.length);
    for (const index of syncSamples) fields.u32(index + 1);
  });
}
