import type { BoxReader } from "./box-reader.ts";
import { type DeferredBox, deferFields } from "./box-writer.ts";

/** Reads 32-bit chunk offsets, ISO/IEC 14496-12 §8.7.5. Throws MEDIA_MALFORMED where the count does not fit. */
export function parseStco(box: BoxReader): Float64Array {
  box.versionAndFlags();
  const count = box.u32();
  box.checkCount(count, 4);
  const offsets = new Float64Array(count);
  for (let chunk = 0; chunk < count; chunk++) offsets[chunk] = box.u32();
  return offsets;
}

/** Writes 32-bit chunk offsets. Throws INTERNAL where one does not fit: `co64` holds those. */
export function serializeStco(chunkOffsets: Float64Array): DeferredBox {
  return deferFields("stco", 0, 4 + chunkOffsets.length * 4, (fields) => {
    fields.u32(chunkOffsets.length);
    for (const offsetBytes of chunkOffsets) fields.u32(offsetBytes);
  });
}
