import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";
import type { Edit } from "./movie.ts";

/** Reads an edit list at version 0 or 1, ISO/IEC 14496-12 §8.6.6. Throws MEDIA_MALFORMED on a lying count. */
export function parseElst(box: BoxReader): readonly Edit[] {
  const { version } = box.versionAndFlags();
  const entryCount = box.u32();
  box.checkCount(entryCount, version === 1 ? 20 : 12);
  const edits: Edit[] = [];
  for (let i = 0; i < entryCount; i++) {
    const durationTicks = version === 1 ? box.u64() : box.u32();
    const mediaTimeTicks = version === 1 ? box.i64() : box.i32();
    edits.push({ durationTicks, mediaTimeTicks, rate: box.i32() / 0x1_0000 });
  }
  return edits;
}

/** Writes an edit list, at version 1 only where a value needs 64 bits. The rate is rounded to 16.16 fixed point. */
export function serializeElst(edits: readonly Edit[]): Uint8Array {
  const isLong = edits.some((edit) => edit.durationTicks > 0xffff_ffff || Math.abs(edit.mediaTimeTicks) > 0x7fff_ffff);
  const fields = new FieldWriter(4 + edits.length * (isLong ? 20 : 12));
  fields.u32(edits.length);
  for (const edit of edits) {
    if (isLong) {
      fields.u64(edit.durationTicks);
      fields.i64(edit.mediaTimeTicks);
    } else {
      fields.u32(edit.durationTicks);
      fields.i32(edit.mediaTimeTicks);
    }
    fields.i32(Math.round(edit.rate * 0x1_0000));
  }
  return serializeFullBox("elst", isLong ? 1 : 0, 0, fields.finish());
}
