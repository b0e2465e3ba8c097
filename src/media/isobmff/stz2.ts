import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";
import type { SampleSizes } from "./stsz.ts";

/**
 * Reads `stz2`, the compact sizes of 4, 8 or 16 bits, ISO/IEC 14496-12 §8.7.3.3. Throws MEDIA_MALFORMED on another
 * width or a count that does not fit the box.
 */
export function parseStz2(box: BoxReader): SampleSizes {
  box.versionAndFlags();
  box.skip(3);
  const fieldBits = box.u8();
  const sampleCount = box.u32();
  if (fieldBits !== 4 && fieldBits !== 8 && fieldBits !== 16)
    throw box.fail(`sizes of ${fieldBits} bits, not 4, 8, 16`);
  const packed = box.take(Math.ceil((sampleCount * fieldBits) / 8));
  const sizes = new Uint32Array(sampleCount);
  for (let i = 0; i < sampleCount; i++) {
    if (fieldBits === 8) sizes[i] = packed[i] as number;
    else if (fieldBits === 16) sizes[i] = ((packed[i * 2] as number) << 8) | (packed[i * 2 + 1] as number);
    else sizes[i] = i % 2 === 0 ? (packed[i >> 1] as number) >> 4 : (packed[i >> 1] as number) & 15;
  }
  return { sampleCount, constantSizeBytes: 0, sizes };
}

/** Writes `stz2` at the width given. Throws INTERNAL where a size does not fit it. */
export function serializeStz2(sizes: Uint32Array, fieldBits: 4 | 8 | 16): Uint8Array {
  const fields = new FieldWriter(8 + sizes.length * 2);
  fields.u24(0);
  fields.u8(fieldBits);
  fields.u32(sizes.length);
  for (let i = 0; i < sizes.length; i++) {
    const sizeBytes = sizes[i] as number;
    if (fieldBits === 16) fields.u16(sizeBytes);
    else if (fieldBits === 8) fields.u8(sizeBytes);
    else fields.u8(sizeBytes * 16 + (sizes[++i] ?? 0));
  }
  return serializeFullBox("stz2", 0, 0, fields.finish());
}
