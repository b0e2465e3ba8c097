import { findStartCode } from "./start-codes.ts";

/** Candidates that `findVopEndCandidates` returns at most. */
const MAX_CANDIDATES = 64;

/**
 * Where a VOP that starts before `startIndex` may end: the indexes of the start codes in the range, in order, 64 at
 * most. In a file the VOP may also end earlier, before another track's bytes.
 */
export function findVopEndCandidates(bytes: Uint8Array, startIndex: number, endIndex: number): readonly number[] {
  const candidates: number[] = [];
  let index = findStartCode(bytes, startIndex, endIndex);
  while (index >= 0 && candidates.length < MAX_CANDIDATES) {
    candidates.push(index);
    index = findStartCode(bytes, index + 3, endIndex);
  }
  return candidates;
}

/**
 * Evidence in bits that a VOP ends at `packetEndIndex` from its stuffing, a 0 and 1s up to the byte boundary (ISO/IEC
 * 14496-2 §5.2.4): 8 for `7F` down to 1 for a lone 0; 0 where the last byte cannot be stuffed so (it always can unless
 * it is `FF`).
 */
export function endsWithStuffing(bytes: Uint8Array, packetEndIndex: number): number {
  const last = bytes[packetEndIndex - 1];
  if (last === undefined || last === 0xff) return 0;
  let ones = 0;
  while (ones < 7 && ((last >>> ones) & 1) === 1) ones++;
  return ones + 1;
}
