import { concatBytes, serializeBox } from "./box-writer.ts";
import type { SampleEntry } from "./movie.ts";

/** Of a visual sample entry before its boxes, ISO/IEC 14496-12 §12.1.3. */
const VISUAL_ENTRY_BYTES = 86;

/** Whether pictures of two visual sample entries can stand in one track: all but their bit rates is the same. */
export function isSameCoding(a: SampleEntry, b: SampleEntry): boolean {
  const [one, other] = [withoutBitRates(a).raw, withoutBitRates(b).raw];
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** A visual sample entry with its boxes but `btrt`, which tells of one file's bit rates. */
export function withoutBitRates(entry: SampleEntry): SampleEntry {
  const boxes = Array.from(entry.children)
    .filter(([type]) => type !== "btrt")
    .map(([type, payload]) => serializeBox(type, payload));
  const raw = concatBytes([entry.raw.subarray(0, VISUAL_ENTRY_BYTES), ...boxes]);
  new DataView(raw.buffer, raw.byteOffset).setUint32(0, raw.length);
  return { ...entry, raw };
}
