import type { ByteWindow } from "../bytes/byte-window.ts";
import { walkAccessUnit } from "../nal/access-unit-walk.ts";
import { HevcAccessUnitJudge, mayStartHevcSample } from "./access-unit-judge.ts";
import type { HevcParameterSets } from "./parameter-sets.ts";
import type { HevcSliceHeader } from "./slice-header.ts";

/** What the bytes at one place say of an HEVC sample that starts there. */
export type HevcSampleProbe =
  /** A whole access unit starts here. */
  | HevcSample
  /** One starts here, but a NAL unit of it runs past the data or the limit, to `neededEndOffset` at least. */
  | { readonly kind: "cut"; readonly neededEndOffset: number; readonly evidenceBits: number }
  /** None starts here. */
  | { readonly kind: "no" };

/** A whole HEVC sample. */
export interface HevcSample {
  readonly kind: "sample";
  /** Whole sample, length fields and all layers counted. */
  readonly sizeBytes: number;
  /** −log2 of the chance that random bytes pass the same checks. */
  readonly evidenceBits: number;
  /** Random access point: IDR, CRA or BLA (`picture` tells which). */
  readonly isSync: boolean;
  readonly isIdr: boolean;
  readonly isCra: boolean;
  /** A recovery point SEI message is there (gradual refresh). */
  readonly isRecoveryPoint: boolean;
  /** Header of the first slice segment of the base layer. */
  readonly picture: HevcSliceHeader;
  /** An end of sequence NAL unit closes the sample: tell the POC decoder. */
  readonly endsSequence: boolean;
  readonly nalCount: number;
  readonly hasParameterSets: boolean;
  /** The VPS, SPS and PPS in the sample, for `sets.update` once the sample is accepted. */
  readonly parameterSetNals: readonly Uint8Array[];
  /** Another access unit of the same stream follows directly: the end is sure. */
  readonly isFollowedByPicture: boolean;
}

const NO_SAMPLE: HevcSampleProbe = { kind: "no" };

/**
 * Takes the bytes at `offset` for a length-prefixed HEVC sample and finds its end. What follows may be anything. Never
 * throws on hostile bytes; touches only NAL unit headers and ends. `limitOffset` (exclusive) is where the sample must
 * have ended, at the latest the end of the data.
 */
export function probeHevcSample(
  window: ByteWindow,
  offset: number,
  sets: HevcParameterSets,
  options?: { readonly limitOffset?: number },
): HevcSampleProbe {
  const limitOffset = Math.min(options?.limitOffset ?? window.sizeBytes, window.sizeBytes);
  const visible = window.load(offset, sets.lengthSizeBytes + 2);
  const index = offset - window.baseOffset;
  if (!mayStartHevcSample(window.bytes, index, index + visible, sets)) return NO_SAMPLE;
  const judge = new HevcAccessUnitJudge(sets);
  const end = walkAccessUnit(window, offset, limitOffset, judge);
  if (end.kind === "cut") return end;
  const { picture } = judge;
  if (end.kind === "no" || picture === undefined) return NO_SAMPLE;
  return {
    kind: "sample",
    sizeBytes: end.sizeBytes,
    evidenceBits: end.evidenceBits,
    isSync: picture.isIrap,
    isIdr: picture.isIdr,
    isCra: picture.isCra,
    isRecoveryPoint: judge.hasRecoveryPoint,
    picture,
    endsSequence: judge.endsSequence,
    nalCount: end.nalCount,
    hasParameterSets: judge.parameterSetNals.length > 0,
    parameterSetNals: judge.parameterSetNals,
    isFollowedByPicture: end.isFollowedByPicture,
  };
}
