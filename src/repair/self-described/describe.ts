import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { Extent } from "../triage.ts";
import { findSound } from "./sound.ts";
import { findVideo } from "./learn.ts";

const SEARCHED_BYTES = 1024 * 1024;
const MAX_NAL_BYTES = 8 * 1024 * 1024;
/** NAL units in a row that leave no doubt, and that do at the very start of the data. */
const CHAINED_NALS = 3;
const CHAINED_NALS_AT_START = 2;

/** What the data look like, as a message may say it: `H.264 video in length-prefixed NAL units`; undefined for noise. */
export function describePayload(damaged: ByteSource, extents: readonly Extent[]): string | undefined {
  const extent = extents[0];
  if (extent === undefined) return undefined;
  const window = new ByteWindow(damaged);
  const video = findVideo(window, { ...extent, endOffset: Math.min(extent.endOffset, extent.startOffset + SEARCHED_BYTES) }, true);
  if (video) return video.video.name;
  return findNals(window, extent) ?? findSound(window, [extent], true)?.name;
}

function findNals(window: ByteWindow, { startOffset, endOffset }: Extent): string | undefined {
  const end = Math.min(endOffset, startOffset + SEARCHED_BYTES);
  for (let offset = startOffset; offset + 6 <= end; offset++) {
    window.load(offset, 6);
    // Lengths below 8 MiB start with a zero byte.
    if (window.bytes[offset - window.baseOffset] !== 0) continue;
    const needed = offset === startOffset ? CHAINED_NALS_AT_START : CHAINED_NALS;
    if (countNals(window, offset, endOffset, isAvcHeader) >= needed) return "H.264 video in length-prefixed NAL units";
    if (countNals(window, offset, endOffset, isHevcHeader) >= needed) return "HEVC video in length-prefixed NAL units";
  }
  return undefined;
}

function countNals(window: ByteWindow, from: number, limit: number, isHeader: (first: number, second: number) => boolean): number {
  let offset = from;
  let count = 0;
  while (count < CHAINED_NALS && offset + 6 <= limit) {
    window.load(offset, 6);
    const index = offset - window.baseOffset;
    const length = new DataView(window.bytes.buffer, window.bytes.byteOffset + index, 4).getUint32(0);
    if (length < 3 || length > MAX_NAL_BYTES || offset + 4 + length > limit) break;
    if (!isHeader(window.bytes[index + 4] ?? 0, window.bytes[index + 5] ?? 0)) break;
    offset += 4 + length;
    count++;
  }
  return count;
}

const AVC_REFERENCED = new Set([5, 7, 8]);
const AVC_UNREFERENCED = new Set([6, 9, 10, 11, 12]);

/** ITU-T H.264 §7.4.1: forbidden bit, and nal_ref_idc as the type wants it. */
function isAvcHeader(first: number): boolean {
  const type = first & 31;
  if (first > 0x7f) return false;
  if (first < 0x20) return type === 1 || AVC_UNREFERENCED.has(type);
  return type === 1 || AVC_REFERENCED.has(type);
}

/** ITU-T H.265 §7.4.2.2: forbidden bit, base layer, temporal id, types in use. */
function isHevcHeader(first: number, second: number): boolean {
  const type = first >> 1;
  const isUsed = type <= 9 || (type >= 16 && type <= 21) || (type >= 32 && type <= 40);
  return (first & 0x81) === 0 && isUsed && second >= 1 && second <= 7;
}
