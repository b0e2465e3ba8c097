import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { skipZeroBytes, trimZeroBytes } from "../../media/bytes/zeros.ts";

/** Offset of the first run of at least `lengthBytes` zeros in `[from, to)`, or −1. Looks at one byte in `lengthBytes`. */
export function findZeroRun(window: ByteWindow, from: number, to: number, lengthBytes: number): number {
  const isZero = (at: number): boolean => window.load(at, 1) > 0 && window.bytes[at - window.baseOffset] === 0;
  for (let at = from + lengthBytes - 1; at < to; at += lengthBytes) {
    if (!isZero(at)) continue;
    let start = at;
    while (start > from && at - start < lengthBytes && isZero(start - 1)) start--;
    let end = at + 1;
    while (end < to && end - start < lengthBytes && isZero(end)) end++;
    if (end - start >= lengthBytes) return start;
  }
  return -1;
}

const BACK_BLOCK_BYTES = 64 * 1024;

/** Where the last run of at least `lengthBytes` zeros in `[from, to)` ends; `from` where there is none. Reads backwards from `to`. */
export function lastZeroRunEnd(window: ByteWindow, from: number, to: number, lengthBytes: number): number {
  for (let at = to - 1; at >= from; at -= lengthBytes) {
    if (at < window.baseOffset || at >= window.endOffset) {
      const start = Math.max(from, at + 1 - BACK_BLOCK_BYTES);
      if (window.load(start, at + 1 - start) <= at - start) return from;
    }
    if (window.bytes[at - window.baseOffset] !== 0) continue;
    const start = zeroRunStart(window, at + 1, from);
    const end = skipZeros(window, at, to);
    if (end - start >= lengthBytes) return end;
  }
  return from;
}

/** The first offset from `from` on that holds something other than zero, or `limit`. */
export function skipZeros(window: ByteWindow, from: number, limit: number): number {
  let offset = from;
  while (offset < limit) {
    const visible = Math.min(window.load(offset, Math.min(64 * 1024, limit - offset)), limit - offset);
    if (visible <= 0) return limit;
    const base = offset - window.baseOffset;
    const used = skipZeroBytes(window.bytes, base, base + visible) - base;
    if (used < visible) return offset + used;
    offset += visible;
  }
  return limit;
}

/** Where the run of zeros that ends at `offset` or covers it begins; `least` where it reaches so far. */
export function zeroRunStart(window: ByteWindow, offset: number, least = 0): number {
  let start = offset;
  while (start > least) {
    const from = Math.max(least, start - 4096);
    window.load(from, start - from);
    const index = from - window.baseOffset;
    const end = from + trimZeroBytes(window.bytes, index, index + start - from) - index;
    if (end > from) return end;
    start = from;
  }
  return least;
}
