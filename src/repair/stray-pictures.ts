import type { ByteSource } from "../media/bytes/byte-source.ts";
import { readExactly } from "../media/bytes/byte-source.ts";
import type { SampleEntry } from "../media/isobmff/movie.ts";
import { isIntactNal } from "../media/nal/annex-b.ts";
import type { Finding } from "./findings.ts";

/** Lost ranges that are looked into, and how much of each. */
const MAX_RANGES = 256;
const MAX_RANGE_BYTES = 4 * 1024 * 1024;
const LENGTH_BYTES = 4;

/**
 * Counts the slices that stand whole at the beginning of lost ranges: behind a plausible length, with a slice's header, and
 * without a byte sequence that no NAL unit holds (ITU-T H.264 §7.4.1). What was never damaged and yet does not read with a
 * reference's parameters speaks against the reference. 0 for other codecs than H.264 and HEVC.
 */
export function countStraySlices(source: ByteSource, findings: readonly Finding[], entry: SampleEntry): number {
  const isSlice = entry.children.has("avcC") ? isAvcSlice : entry.children.has("hvcC") ? isHevcSlice : undefined;
  if (isSlice === undefined) return 0;
  let count = 0;
  for (const { startOffset, endOffset } of findings.filter(({ kind }) => kind === "lost").slice(0, MAX_RANGES)) {
    const bytes = readExactly(source, startOffset, Math.min(MAX_RANGE_BYTES, endOffset - startOffset));
    if (bytes) count += countWholeSlices(bytes, isSlice);
  }
  return count;
}

function countWholeSlices(bytes: Uint8Array, isSlice: (first: number, second: number) => boolean): number {
  let count = 0;
  for (let index = 0; index + LENGTH_BYTES + 2 <= bytes.length; ) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(index, index + LENGTH_BYTES);
    const nalBytes = ((a * 256 + b) * 256 + c) * 256 + d;
    const start = index + LENGTH_BYTES;
    const end = start + nalBytes;
    const isWhole = nalBytes > 0 && end <= bytes.length && (bytes[start] as number) < 0x80;
    if (!isWhole || !isIntactNal(bytes.subarray(start, end))) break;
    if (isSlice(bytes[start] as number, bytes[start + 1] as number)) count++;
    index = end;
  }
  return count;
}

/** ITU-T H.264 table 7-1: slices of IDR and other pictures. */
function isAvcSlice(first: number): boolean {
  const type = first & 0x1f;
  return type === 1 || type === 5;
}

/** ITU-T H.265 table 7-1: VCL types of the base layer, temporal id + 1 not 0. */
function isHevcSlice(first: number, second: number): boolean {
  const type = first >> 1;
  return (type <= 9 || (type >= 16 && type <= 21)) && (first & 1) === 0 && second >> 3 === 0 && (second & 7) > 0;
}
