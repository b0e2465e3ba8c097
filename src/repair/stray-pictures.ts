import type { ByteSource } from "../media/bytes/byte-source.ts";
import { readExactly } from "../media/bytes/byte-source.ts";
import type { SampleEntry } from "../media/isobmff/movie.ts";
import { isIntactNal } from "../media/nal/annex-b.ts";
import type { Finding } from "./findings.ts";
import { type NalFormat, nalFormatOf } from "./nal-format.ts";

/** Lost ranges that are looked into, and how much of each. */
const MAX_RANGES = 256;
const MAX_RANGE_BYTES = 4 * 1024 * 1024;

/**
 * Counts the slices that stand whole at the beginning of lost ranges: behind a plausible length, with a slice's header, and
 * without a byte sequence that no NAL unit holds (ITU-T H.264 §7.4.1). What was never damaged and yet does not read with a
 * reference's parameters speaks against the reference. 0 for other codecs than H.264 and HEVC.
 */
export function countStraySlices(source: ByteSource, findings: readonly Finding[], entry: SampleEntry): number {
  const nalFormat = nalFormatOf(entry);
  if (nalFormat === undefined) return 0;
  let count = 0;
  for (const { startOffset, endOffset } of findings.filter(({ kind }) => kind === "lost").slice(0, MAX_RANGES)) {
    const bytes = readExactly(source, startOffset, Math.min(MAX_RANGE_BYTES, endOffset - startOffset));
    if (bytes) count += countWholeSlices(bytes, nalFormat);
  }
  return count;
}

function countWholeSlices(bytes: Uint8Array, { lengthSizeBytes, isSlice }: NalFormat): number {
  let count = 0;
  let index = 0;
  while (index + lengthSizeBytes < bytes.length) {
    const start = index + lengthSizeBytes;
    const nalBytes = bytes.subarray(index, start).reduce((value, byte) => value * 256 + byte, 0);
    const nal = bytes.subarray(start, start + nalBytes);
    const isWhole = nalBytes > 0 && nal.length === nalBytes && (nal[0] as number) < 0x80 && isIntactNal(nal);
    if (!isWhole) break;
    if (isSlice(nal)) count++;
    index = start + nalBytes;
  }
  return count;
}
