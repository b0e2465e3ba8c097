import type { ByteWindow } from "../bytes/byte-window.ts";
import { walkAccessUnit } from "../nal/access-unit-walk.ts";
import { AvcAccessUnitJudge, mayStartAvcSample } from "./access-unit-judge.ts";
import type { AvcParameterSets } from "./parameter-sets.ts";
import type { AvcSliceHeader } from "./slice-header.ts";

/** What the bytes at one place say of an H.264 sample that starts there. */
export type AvcSampleProbe =
  /** A whole access unit (or the two of a field pair) starts here. */
  | AvcSample
  /** One starts here, but a NAL unit of it runs past the data or the limit, to `neededEndOffset` at least. */
  | { readonly kind: "cut"; readonly neededEndOffset: number; readonly evidenceBits: number }
  /** None starts here. */
  | { readonly kind: "no" };

/** A whole H.264 sample. */
export interface AvcSample {
  readonly kind: "sample";
  /** Whole sample, length fields counted. */
  readonly sizeBytes: number;
  /** −log2 of the chance that random bytes pass the same checks. */
  readonly evidenceBits: number;
  /** An IDR picture: decoding and order restart here. */
  readonly isSync: boolean;
  /**
   * A recovery point SEI message is there, or the picture is a reference of I slices only: decoders may start here,
   * though pictures before it in decode order may be shown after it.
   */
  readonly isRecoveryPoint: boolean;
  /** recovery_frame_cnt: frames until the picture is right (0: at once). Undefined without the message. */
  readonly recoveryFrameCount: number | undefined;
  /** Header of the first slice of the frame or first field. */
  readonly picture: AvcSliceHeader;
  /** Header of the first slice of the second field, where the sample is a field pair. */
  readonly secondField: AvcSliceHeader | undefined;
  /** False only for a single field: its other half is missing, or is a sample of its own. */
  readonly isComplete: boolean;
  readonly nalCount: number;
  readonly hasParameterSets: boolean;
  /** The SPS and PPS in the sample, for `sets.update` once the sample is accepted. */
  readonly parameterSetNals: readonly Uint8Array[];
  /** Another access unit of the same stream follows directly: the end is sure. */
  readonly isFollowedByPicture: boolean;
}

const NO_SAMPLE: AvcSampleProbe = { kind: "no" };

/**
 * Takes the bytes at `offset` for a length-prefixed H.264 sample and finds its end. What follows may be anything. Never
 * throws on hostile bytes; touches only NAL unit headers and ends. `limitOffset` (exclusive) is where the sample must
 * have ended, at the latest the end of the data.
 */
export function probeAvcSample(
  window: ByteWindow,
  offset: number,
  sets: AvcParameterSets,
  options?: { readonly limitOffset?: number },
): AvcSampleProbe {
  const limitOffset = Math.min(options?.limitOffset ?? window.sizeBytes, window.sizeBytes);
  const visible = window.load(offset, sets.lengthSizeBytes + 1);
  const index = offset - window.baseOffset;
  if (!mayStartAvcSample(window.bytes, index, index + visible, sets)) return NO_SAMPLE;
  const judge = new AvcAccessUnitJudge(sets);
  const end = walkAccessUnit(window, offset, limitOffset, judge);
  if (end.kind === "cut") return end;
  const { picture, secondField } = judge;
  if (end.kind === "no" || picture === undefined) return NO_SAMPLE;
  return {
    kind: "sample",
    sizeBytes: end.sizeBytes,
    evidenceBits: end.evidenceBits,
    isSync: picture.isIdr,
    isRecoveryPoint: judge.recoveryFrameCount !== undefined || (judge.isAllIntra && picture.nalRefIdc !== 0),
    recoveryFrameCount: judge.recoveryFrameCount,
    picture,
    secondField,
    isComplete: !picture.isField || secondField !== undefined,
    nalCount: end.nalCount,
    hasParameterSets: judge.parameterSetNals.length > 0,
    parameterSetNals: judge.parameterSetNals,
    isFollowedByPicture: end.isFollowedByPicture,
  };
}
