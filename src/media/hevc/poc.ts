import type { HevcSliceHeader } from "./slice-header.ts";

/** Where a picture stands in output order. */
export interface HevcPictureOrder {
  /** PicOrderCntVal; comparable within one coded video sequence only. */
  readonly poc: number;
  /** The picture opens a coded video sequence: later pictures all follow earlier ones in output order. */
  readonly startsSequence: boolean;
  /** A RASL picture whose random access point opened a sequence: it refers to what is not there and is not shown. */
  readonly isSkipped: boolean;
  /** slice_pic_order_cnt_lsb counts modulo this. */
  readonly pocLsbModulus: number;
  readonly isReference: boolean;
}

/** Decodes picture order in decode order. */
export interface HevcPocDecoder {
  /** Order of the next picture in decode order, from its first slice segment. Never throws. */
  next(picture: HevcSliceHeader): HevcPictureOrder;
  /** An end of sequence came: the next random access point opens a sequence. */
  endSequence(): void;
  /** Forgets what came before, after a gap in the data. Order then counts from the next picture's own field. */
  reset(): void;
}

/** A decoder of picture order count (ITU-T H.265 §8.3.1). */
export function createHevcPocDecoder(): HevcPocDecoder {
  let isFresh = true;
  let opensNext = true;
  let skipsRasl = false;
  let prevMsb = 0;
  let prevLsb = 0;
  return {
    next(picture) {
      const modulus = 2 ** picture.sps.log2MaxPocLsb;
      const lsb = Math.max(0, picture.pocLsb);
      // NoRaslOutputFlag (§8.1.3).
      const startsSequence = picture.isIrap && (!picture.isCra || opensNext);
      if (picture.isIrap) {
        skipsRasl = startsSequence;
        opensNext = false;
      }
      let msb = 0;
      if (!startsSequence) {
        if (isFresh) prevLsb = lsb;
        msb = prevMsb;
        if (lsb < prevLsb && prevLsb - lsb >= modulus / 2) msb += modulus;
        else if (lsb > prevLsb && lsb - prevLsb > modulus / 2) msb -= modulus;
      }
      isFresh = false;
      if (picture.temporalId === 0 && picture.isReference && !picture.isRasl && !picture.isRadl) {
        prevMsb = msb;
        prevLsb = lsb;
      }
      return {
        poc: msb + lsb,
        startsSequence,
        isSkipped: picture.isRasl && skipsRasl,
        pocLsbModulus: modulus,
        isReference: picture.isReference,
      };
    },
    endSequence() {
      opensNext = true;
    },
    reset() {
      isFresh = true;
      opensNext = false;
      skipsRasl = false;
      prevMsb = 0;
      prevLsb = 0;
    },
  };
}
