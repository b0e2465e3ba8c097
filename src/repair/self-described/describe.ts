import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { Extent } from "../extents.ts";
import { findVideo } from "./learn.ts";
import { findSound } from "./sound.ts";

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
  const video = findVideo(
    window,
    { ...extent, endOffset: Math.min(extent.endOffset, extent.startOffset + SEARCHED_BYTES) },
    true,
  );
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
    if (countNals(window, offset, endOffset, avcRole) >= needed) return "H.264 video in length-prefixed NAL units";
    if (countNals(window, offset, endOffset, hevcRole) >= needed) return "HEVC video in length-prefixed NAL units";
  }
  return undefined;
}

/** What a NAL unit's header says of its place in a sample. */
type NalRole = "prefix" | "key" | "slice" | "none";

/** NAL units in a row from `from` on, at most as many as are wanted; parameters or messages before a key picture are enough. */
function countNals(
  window: ByteWindow,
  from: number,
  limit: number,
  roleOf: (first: number, second: number) => NalRole,
): number {
  let [offset, count] = [from, 0];
  let last: NalRole = "none";
  while (count < CHAINED_NALS && offset + 6 <= limit) {
    window.load(offset, 6);
    const index = offset - window.baseOffset;
    const length = new DataView(window.bytes.buffer, window.bytes.byteOffset + index, 4).getUint32(0);
    if (length < 3 || length > MAX_NAL_BYTES || offset + 4 + length > limit) break;
    const role = roleOf(window.bytes[index + 4] ?? 0, window.bytes[index + 5] ?? 0);
    if (role === "none") break;
    offset += 4 + length;
    count = last === "prefix" && role === "key" ? CHAINED_NALS : count + 1;
    last = role;
  }
  return count;
}

/** ITU-T H.264 §7.4.1: forbidden bit, and nal_ref_idc as the type wants it. */
function avcRole(first: number): NalRole {
  if (first > 0x7f) return "none";
  const isReference = first >= 0x20;
  switch (first & 31) {
    case 1:
      return "slice";
    case 5:
      return isReference ? "key" : "none";
    case 7:
    case 8:
      return isReference ? "prefix" : "none";
    case 6:
    case 9:
    case 12:
      return isReference ? "none" : "prefix";
    default:
      return "none";
  }
}

/** ITU-T H.265 §7.4.2.2: forbidden bit, base layer, temporal id, types in use. */
function hevcRole(first: number, second: number): NalRole {
  if ((first & 0x81) !== 0 || second < 1 || second > 7) return "none";
  const type = first >> 1;
  if (type >= 16 && type <= 21) return "key";
  if (type >= 32 && type <= 40) return "prefix";
  return type <= 9 ? "slice" : "none";
}
