import type { AvcSliceHeader } from "./slice-header.ts";
import type { AvcSps } from "./sps.ts";

/** Where a picture stands in output order. */
export interface AvcPictureOrder {
  /** PicOrderCnt of the frame, or the smaller one of its fields; comparable within one sequence only. */
  readonly poc: number;
  /** IDR, or memory management operation 5: later pictures all follow earlier ones in output order. */
  readonly startsSequence: boolean;
  readonly frameNum: number;
  /** frame_num counts modulo this. */
  readonly maxFrameNum: number;
  /** pic_order_cnt_lsb counts modulo this; 0 where the order is not coded so (types 1 and 2). */
  readonly pocLsbModulus: number;
  /** Other pictures may refer to this one. */
  readonly isReference: boolean;
}

/** Decodes picture order in decode order. */
export interface AvcPocDecoder {
  /** Order of the next picture in decode order: its first slice and, for a field pair, the second field's. Never throws. */
  next(picture: AvcSliceHeader, secondField?: AvcSliceHeader): AvcPictureOrder;
  /** Forgets what came before, after a gap in the data. Order then counts from the next picture's own field. */
  reset(): void;
}

interface PocState {
  /** Nothing came before. */
  isFresh: boolean;
  prevMsb: number;
  prevLsb: number;
  prevFrameNum: number;
  prevFrameNumOffset: number;
}

/** A decoder of picture order count (ITU-T H.264 §8.2.1), types 0, 1 and 2. */
export function createAvcPocDecoder(): AvcPocDecoder {
  const state: PocState = { isFresh: true, prevMsb: 0, prevLsb: 0, prevFrameNum: 0, prevFrameNumOffset: 0 };
  return {
    next(picture, secondField) {
      const first = decodePicture(state, picture);
      const second = secondField === undefined ? undefined : decodePicture(state, secondField);
      return {
        poc: second === undefined ? first : Math.min(first, second),
        startsSequence: picture.isIdr || picture.hasMmco5 || secondField?.hasMmco5 === true,
        frameNum: picture.frameNum,
        maxFrameNum: 2 ** picture.sps.log2MaxFrameNum,
        pocLsbModulus: picture.sps.poc.type === 0 ? 2 ** picture.sps.poc.log2MaxLsb : 0,
        isReference: picture.nalRefIdc !== 0,
      };
    },
    reset() {
      state.isFresh = true;
      state.prevMsb = 0;
      state.prevLsb = 0;
      state.prevFrameNum = 0;
      state.prevFrameNumOffset = 0;
    },
  };
}

function decodePicture(state: PocState, picture: AvcSliceHeader): number {
  const { top, bottom } = picture.sps.poc.type === 0 ? decodeType0(state, picture) : decodeByFrameNum(state, picture);
  const poc = picture.isField ? (picture.isBottomField ? bottom : top) : Math.min(top, bottom);
  state.isFresh = false;
  if (!picture.hasMmco5) return poc;
  // The picture counts as the first of a new sequence (§8.2.1: tempPicOrderCnt is taken off).
  state.prevMsb = 0;
  state.prevLsb = picture.isBottomField ? 0 : top - poc;
  state.prevFrameNum = 0;
  state.prevFrameNumOffset = 0;
  return 0;
}

/** §8.2.1.1: the coded low bits, continued from the previous reference picture. */
function decodeType0(state: PocState, picture: AvcSliceHeader): { top: number; bottom: number } {
  const modulus = picture.sps.poc.type === 0 ? 2 ** picture.sps.poc.log2MaxLsb : 1;
  const lsb = picture.pocLsb;
  if (picture.isIdr) {
    state.prevMsb = 0;
    state.prevLsb = 0;
  } else if (state.isFresh) {
    state.prevLsb = lsb;
  }
  let msb = state.prevMsb;
  if (lsb < state.prevLsb && state.prevLsb - lsb >= modulus / 2) msb += modulus;
  else if (lsb > state.prevLsb && lsb - state.prevLsb > modulus / 2) msb -= modulus;
  if (picture.nalRefIdc !== 0) {
    state.prevMsb = msb;
    state.prevLsb = lsb;
  }
  return { top: msb + lsb, bottom: msb + lsb + (picture.isField ? 0 : picture.deltaPocBottom) };
}

/** §8.2.1.2 and §8.2.1.3: order follows from frame_num. */
function decodeByFrameNum(state: PocState, picture: AvcSliceHeader): { top: number; bottom: number } {
  const { sps, frameNum } = picture;
  let offset = 0;
  if (!picture.isIdr) {
    offset = state.prevFrameNumOffset;
    if (!state.isFresh && state.prevFrameNum > frameNum) offset += 2 ** sps.log2MaxFrameNum;
  }
  state.prevFrameNum = frameNum;
  state.prevFrameNumOffset = offset;
  if (sps.poc.type !== 1) {
    const poc = picture.isIdr ? 0 : 2 * (offset + frameNum) - (picture.nalRefIdc === 0 ? 1 : 0);
    return { top: poc, bottom: poc };
  }
  return expectedOrder(sps, picture, offset);
}

/** §8.2.1.2, equations 8-6 to 8-10. */
function expectedOrder(sps: AvcSps, picture: AvcSliceHeader, frameNumOffset: number): { top: number; bottom: number } {
  if (sps.poc.type !== 1) return { top: 0, bottom: 0 };
  const offsets = sps.poc.offsetsForRefFrame;
  let absFrameNum = offsets.length === 0 ? 0 : frameNumOffset + picture.frameNum;
  if (picture.nalRefIdc === 0 && absFrameNum > 0) absFrameNum--;
  let expected = picture.nalRefIdc === 0 ? sps.poc.offsetForNonRefPic : 0;
  if (absFrameNum > 0) {
    const cycleSum = offsets.reduce((sum, offset) => sum + offset, 0);
    const inCycle = (absFrameNum - 1) % offsets.length;
    expected += Math.floor((absFrameNum - 1) / offsets.length) * cycleSum;
    for (let index = 0; index <= inCycle; index++) expected += offsets[index] ?? 0;
  }
  const { offsetForTopToBottomField } = sps.poc;
  const top = expected + picture.deltaPoc0;
  if (!picture.isField) return { top, bottom: top + offsetForTopToBottomField + picture.deltaPoc1 };
  return { top, bottom: expected + offsetForTopToBottomField + picture.deltaPoc0 };
}
