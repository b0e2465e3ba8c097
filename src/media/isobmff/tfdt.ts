import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** Reads a fragment's base media decode time in media ticks, ISO/IEC 14496-12 §8.8.12. Throws MEDIA_MALFORMED. */
export function parseTfdt(box: BoxReader): number {
  const { version } = box.versionAndFlags();
  return version === 1 ? box.u64() : box.u32();
}

/** Writes `tfdt`, at version 1 only where the time needs 64 bits. */
export function serializeTfdt(baseDecodeTimeTicks: number): Uint8Array {
  const isLong = baseDecodeTimeTicks > 0xffff_ffff;
  const fields = new FieldWriter(8);
  if (isLong) fields.u64(baseDecodeTimeTicks);
  else fields.u32(baseDecodeTimeTicks);
  return serializeFullBox("tfdt", isLong ? 1 : 0, 0, fields.finish());
}
