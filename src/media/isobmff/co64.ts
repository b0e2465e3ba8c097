import type { BoxReader } from "./box-reader.ts";
import { type DeferredBox, deferFields } from "./box-writer.ts";

/**
 * Reads 64-bit chunk offsets, ISO/IEC 14496-12 §8.7.5. Throws MEDIA_MALFORMED where the count does not fit or an
 * offset is above 2^53 − 1.
 */
export function parseCo64(box: BoxReader): Float64Array {
  box.versionAndFlags();
  return box.u64Array(box.u32());
}

/** Writes 64-bit chunk offsets. */
export function serializeCo64(chunkOffsets: Float64Array): DeferredBox {
  return deferFields("co64", 0, 4 + chunkOffsets.length * 8, (fields) => {
    fields.u32(chunkOffsets.length);
    for (const offsetBytes of chunkOffsets) fields.u64(offsetBytes);
  });
}
