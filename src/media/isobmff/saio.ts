import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/**
 * Writes `saio`, ISO/IEC 14496-12 §8.7.9: where the auxiliary information of all samples of a fragment begins, from the start of its `moof` on.
 */
export function serializeSaio(offsetBytes: number): Uint8Array {
  const fields = new FieldWriter(8);
  fields.u32(1);
  fields.u32(offsetBytes);
  return serializeFullBox("saio", 0, 0, fields.finish());
}
