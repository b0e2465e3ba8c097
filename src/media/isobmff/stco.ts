import { ReelmillError } from "../../base/errors.ts";
import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** Reads 32-bit chunk offsets, ISO/IEC 14496-12 §8.7.5. Throws MEDIA_MALFORMED where the count does not fit. */
export function parseStco(box: BoxReader): Float64Array {
  box.versionAndFlags();
  return Float64Array.from(box.u32Array(box.u32()));
}

/** Writes 32-bit chunk offsets. Throws INTERNAL where one does not fit: `co64` holds those. */
export function serializeStco(chunkOffsets: Float64Array): Uint8Array {
  const fields = new FieldWriter(4 + chunkOffsets.length * 4);
  fields.u32(chunkOffsets.length);
  fields.u32Array(Uint32Array.from(chunkOffsets, checkOffset));
  return serializeFullBox("stco", 0, 0, fields.finish());
}

function checkOffset(offsetBytes: number): number {
  if (Number.isInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes <= 0xffff_ffff) return offsetBytes;
  throw new ReelmillError("INTERNAL", `A 32-bit chunk offset cannot be ${offsetBytes}.`);
}
