import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** What the field of a sample's bytes holds at most. */
export const MAX_INFORMATION_BYTES = 255;

/** Writes `saiz`, ISO/IEC 14496-12 §8.7.8: the bytes of each sample's auxiliary information. Throws INTERNAL where one is above 255. */
export function serializeSaiz(sizes: readonly number[]): Uint8Array {
  const fields = new FieldWriter(5 + sizes.length);
  fields.u8(0);
  fields.u32(sizes.length);
  for (const sizeBytes of sizes) fields.u8(sizeBytes);
  return serializeFullBox("saiz", 0, 0, fields.finish());
}
