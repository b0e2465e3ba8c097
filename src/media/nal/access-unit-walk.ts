import type { ByteWindow } from "../bytes/byte-window.ts";

/** A slice header is read within this many bytes of its NAL unit's start; few go beyond 64. */
const HEADER_BYTES = 2048;
/** Trailing zero bytes at a NAL unit's end that sloppy Annex B conversions leave; more mean a hole in the data. */
const MAX_TRAILING_ZEROS = 3;
/** What chance may well explain does not prolong a picture that is whole: prefixes behind it, and what is cut off. */
const MIN_TRAILING_EVIDENCE_BITS = 24;
/** No sample has more NAL units; bounds the walk on bytes made to look like thousands of tiny ones. */
const MAX_NAL_UNITS = 4096;

/**
 * Where a NAL unit stands in the access unit under way:
 * - `refuse`: it is no plausible NAL unit of this stream, or cannot stand here;
 * - `prefix`: it may stand before the first slice; after a slice it belongs to what follows, or trails;
 * - `picture`: a slice of the sample's picture (or of its second field);
 * - `suffix`: it stays with the slices before it;
 * - `next`: it starts another access unit.
 */
export type NalVerdict = "refuse" | "prefix" | "picture" | "suffix" | "next";

/** What a codec knows; made anew for each sample and fed its NAL units in order. */
export interface AccessUnitJudge {
  /** Bytes of the length field, 1, 2 or 4 (3 is tolerated). */
  readonly lengthSizeBytes: number;
  /** Length of the NAL unit header, bytes. */
  readonly nalHeaderBytes: number;
  /** No NAL unit of the stream is longer. */
  readonly maxNalBytes: number;
  /** −log2 of the chance that random bytes give a NAL unit length within `maxNalBytes`. */
  readonly lengthEvidenceBits: number;
  /** −log2 of the chance that random bytes look like the NAL unit last judged, its length field not counted. */
  readonly nalEvidenceBits: number;
  /**
   * Judges the NAL unit of `nalBytes` bytes at `bytes[nalIndex]`, of which those before `visibleEnd` can be read.
   * `hasPicture` tells whether a slice was accepted before.
   */
  judge(bytes: Uint8Array, nalIndex: number, visibleEnd: number, nalBytes: number, hasPicture: boolean): NalVerdict;
  /** Notes that a prefix after a slice may belong to the next access unit; called before it is judged in earnest. */
  beginPending(): void;
  /** Forgets what was learnt since `beginPending`: it does belong to the next access unit. */
  dropPending(): void;
}

/** How the walk of one sample ended. */
export type AccessUnitEnd =
  | {
      readonly kind: "sample";
      readonly sizeBytes: number;
      readonly nalCount: number;
      /** Sum over the accepted NAL units, their length fields counted. */
      readonly evidenceBits: number;
      /** Another access unit of the same stream follows directly. */
      readonly isFollowedByPicture: boolean;
    }
  /** A plausible NAL unit runs past the limit; it ends before `neededEndOffset` where more data are there. */
  | { readonly kind: "cut"; readonly neededEndOffset: number; readonly evidenceBits: number }
  | { readonly kind: "no" };

const NO_ACCESS_UNIT: AccessUnitEnd = { kind: "no" };

/** Big-endian length field of `lengthSizeBytes` bytes at `bytes[index]`; the caller has made sure that it is there. */
export function readNalLength(bytes: Uint8Array, index: number, lengthSizeBytes: number): number {
  if (lengthSizeBytes === 4) {
    const high = ((bytes[index] as number) << 8) | (bytes[index + 1] as number);
    return high * 0x10000 + (((bytes[index + 2] as number) << 8) | (bytes[index + 3] as number));
  }
  let length = 0;
  for (let at = index; at < index + lengthSizeBytes; at++) length = length * 256 + (bytes[at] as number);
  return length;
}

/**
 * Walks the length-prefixed NAL units from `offset` on as one sample (ISO/IEC 14496-15 §5.3.2) and finds its end: where
 * the next access unit starts, or where no plausible NAL unit of this one follows. Reads headers and each NAL
 * unit's last bytes only. `limitOffset` bounds the sample, exclusive.
 */
export function walkAccessUnit(
  window: ByteWindow,
  offset: number,
  limitOffset: number,
  judge: AccessUnitJudge,
): AccessUnitEnd {
  const { lengthSizeBytes } = judge;
  const minBytes = lengthSizeBytes + judge.nalHeaderBytes;
  let position = offset;
  let nalCount = 0;
  let hasPicture = false;
  let pendingOffset = -1;
  let pendingNals = 0;
  let evidenceBits = 0;
  let pendingEvidenceBits = 0;
  while (position + minBytes <= limitOffset && nalCount < MAX_NAL_UNITS) {
    const visible = window.load(position, HEADER_BYTES);
    if (visible < minBytes) break;
    const index = position - window.baseOffset;
    const nalBytes = readNalLength(window.bytes, index, lengthSizeBytes);
    if (nalBytes < judge.nalHeaderBytes || nalBytes > judge.maxNalBytes) break;
    const nalIndex = index + lengthSizeBytes;
    const visibleEnd = Math.min(nalIndex + nalBytes, index + visible);
    if (hasPicture && pendingOffset < 0) judge.beginPending();
    const verdict = judge.judge(window.bytes, nalIndex, visibleEnd, nalBytes, hasPicture);
    if (verdict === "refuse") break;
    if (verdict === "next") {
      if (pendingOffset >= 0) judge.dropPending();
      return pendingOffset >= 0
        ? sample(pendingOffset - offset, pendingNals, pendingEvidenceBits, true)
        : sample(position - offset, nalCount, evidenceBits, true);
    }
    const nextPosition = position + lengthSizeBytes + nalBytes;
    if (nextPosition > limitOffset) {
      const nalEvidenceBits = judge.lengthEvidenceBits + judge.nalEvidenceBits;
      // A prefix that runs out of the data belongs to the next access unit, and what may well be chance to nothing.
      if (hasPicture && (verdict === "prefix" || nalEvidenceBits < MIN_TRAILING_EVIDENCE_BITS)) break;
      evidenceBits += nalEvidenceBits;
      return { kind: "cut", neededEndOffset: nextPosition, evidenceBits };
    }
    if (!hasSoundEnd(window, nextPosition, nalBytes)) break;
    if (verdict === "prefix" && hasPicture && pendingOffset < 0) {
      pendingOffset = position;
      pendingNals = nalCount;
      pendingEvidenceBits = evidenceBits;
    } else if (verdict === "picture") {
      hasPicture = true;
      pendingOffset = -1;
    }
    position = nextPosition;
    evidenceBits += judge.lengthEvidenceBits + judge.nalEvidenceBits;
    nalCount++;
  }
  if (!hasPicture) {
    // Only prefixes were found: nothing, unless the data end before the slice that they announce.
    if (nalCount === 0 || position + minBytes <= limitOffset) return NO_ACCESS_UNIT;
    return { kind: "cut", neededEndOffset: position + minBytes, evidenceBits };
  }
  const isAtEnd = position + minBytes > window.sizeBytes;
  if (pendingOffset >= 0 && (isAtEnd || evidenceBits - pendingEvidenceBits < MIN_TRAILING_EVIDENCE_BITS)) {
    // The data end behind what looks like the head of a next access unit, or what trails is too likely by chance.
    judge.dropPending();
    return sample(pendingOffset - offset, pendingNals, pendingEvidenceBits, false);
  }
  return sample(position - offset, nalCount, evidenceBits, false);
}

function sample(
  sizeBytes: number,
  nalCount: number,
  evidenceBits: number,
  isFollowedByPicture: boolean,
): AccessUnitEnd {
  return { kind: "sample", sizeBytes, nalCount, evidenceBits, isFollowedByPicture };
}

/** A NAL unit never ends in zero bytes (H.264 §7.4.1, H.265 §7.4.2.1); a few are forgiven. */
function hasSoundEnd(window: ByteWindow, endOffset: number, nalBytes: number): boolean {
  const tailBytes = Math.min(nalBytes, MAX_TRAILING_ZEROS + 1);
  const startOffset = endOffset - tailBytes;
  // The look reaches on into the next NAL unit, so that the walk goes through the file in one direction.
  if (window.load(startOffset, tailBytes + HEADER_BYTES) < tailBytes) return false;
  return hasSoundTail(window.bytes, endOffset - window.baseOffset, nalBytes);
}

/**
 * Whether an access unit can start at `bytes[startIndex]`, by what is visible before `endIndex`: 0 where it cannot,
 * else the evidence up to its first slice, or up to the end of what is visible (> 0).
 */
export function weighAccessUnitStart(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  judge: AccessUnitJudge,
): number {
  const minBytes = judge.lengthSizeBytes + judge.nalHeaderBytes;
  let evidenceBits = 0;
  let index = startIndex;
  for (let count = 0; count < MAX_NAL_UNITS && index + minBytes <= endIndex; count++) {
    const nalBytes = readNalLength(bytes, index, judge.lengthSizeBytes);
    if (nalBytes < judge.nalHeaderBytes || nalBytes > judge.maxNalBytes) return 0;
    const nalIndex = index + judge.lengthSizeBytes;
    const nextIndex = nalIndex + nalBytes;
    const verdict = judge.judge(
      bytes,
      nalIndex,
      Math.min(nextIndex, endIndex, nalIndex + HEADER_BYTES),
      nalBytes,
      false,
    );
    if (verdict !== "picture" && verdict !== "prefix") return 0;
    if (nextIndex <= endIndex && !hasSoundTail(bytes, nextIndex, nalBytes)) return 0;
    evidenceBits += judge.lengthEvidenceBits + judge.nalEvidenceBits;
    if (verdict === "picture") return evidenceBits;
    index = nextIndex;
  }
  return evidenceBits;
}

function hasSoundTail(bytes: Uint8Array, endIndex: number, nalBytes: number): boolean {
  const startIndex = endIndex - Math.min(nalBytes, MAX_TRAILING_ZEROS + 1);
  for (let at = startIndex; at < endIndex; at++) if (bytes[at] !== 0) return true;
  return false;
}
