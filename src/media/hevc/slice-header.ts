import type { RbspReader } from "../nal/rbsp-reader.ts";
import type { HevcParameterSets } from "./parameter-sets.ts";
import type { HevcPps } from "./pps.ts";
import { countUsed, parseShortTermRefPicSet } from "./reference-picture-set.ts";
import { type HevcSliceBody, readSliceTail } from "./slice-tail.ts";
import type { HevcSps } from "./sps.ts";

/** slice_type (ITU-T H.265 table 7-7). */
const HEVC_SLICE_I = 2;

const BLA_W_LP = 16;
const BLA_N_LP = 18;
const IDR_W_RADL = 19;
const IDR_N_LP = 20;
const CRA = 21;
const LAST_RESERVED_IRAP = 23;
const RASL_N = 8;
const RASL_R = 9;
const RADL_N = 6;
const LAST_SUB_LAYER_NON_REFERENCE = 14;

/** A slice segment header (ITU-T H.265 §7.3.6.1). */
export interface HevcSliceHeader {
  readonly nalUnitType: number;
  /** TemporalId, 0–6. */
  readonly temporalId: number;
  readonly isFirstSegmentInPicture: boolean;
  readonly isDependent: boolean;
  /** Coding tree block address of the segment, 0 for the first. */
  readonly segmentAddress: number;
  /** 0 B, 1 P, 2 I; −1 in dependent segments, which do not say. */
  readonly sliceType: number;
  readonly sps: HevcSps;
  readonly pps: HevcPps;
  /** slice_pic_order_cnt_lsb; 0 in IDR pictures, −1 in dependent segments. */
  readonly pocLsb: number;
  /** Random access point: IDR, BLA or CRA. */
  readonly isIrap: boolean;
  readonly isIdr: boolean;
  readonly isCra: boolean;
  readonly isBla: boolean;
  /** Leading picture that can be decoded when decoding starts at its random access point. */
  readonly isRadl: boolean;
  /** Leading picture that cannot. */
  readonly isRasl: boolean;
  /** Pictures of the same or a higher sub-layer may refer to this one. */
  readonly isReference: boolean;
  /** −log2 of the chance that random bits form such a header in this stream. */
  readonly evidenceBits: number;
}

/**
 * Parses the header of a base layer slice segment (NAL unit types 0–9 and 16–21), `reader` standing behind the two
 * NAL unit header bytes. Returns undefined where a field is out of its range or the bits run out.
 */
export function parseHevcSliceHeader(
  reader: RbspReader,
  nalUnitType: number,
  temporalId: number,
  sets: HevcParameterSets,
): HevcSliceHeader | undefined {
  const isIrap = nalUnitType >= BLA_W_LP && nalUnitType <= LAST_RESERVED_IRAP;
  const isFirstSegmentInPicture = reader.flag();
  if (isIrap) reader.bits(1); // no_output_of_prior_pics_flag
  const pps = sets.pps(reader.ue());
  if (reader.isBroken || pps === undefined) return undefined;
  const sps = sets.sps(pps.spsId);
  if (sps === undefined) return undefined;
  let isDependent = false;
  let segmentAddress = 0;
  if (!isFirstSegmentInPicture) {
    isDependent = pps.areDependentSlicesEnabled && reader.flag();
    const ctbs = sps.widthInCtbs * sps.heightInCtbs;
    segmentAddress = reader.bits(Math.ceil(Math.log2(ctbs)));
    if (segmentAddress === 0 || segmentAddress >= ctbs) return undefined;
  }
  const isIdr = nalUnitType === IDR_W_RADL || nalUnitType === IDR_N_LP;
  const body = isDependent ? DEPENDENT_BODY : readBody(reader, sps, pps, isIrap, isIdr);
  if (body === undefined || reader.isBroken) return undefined;
  const tail = readSliceTail(reader, sps, pps, body);
  if (tail === undefined) return undefined;
  return {
    nalUnitType,
    temporalId,
    isFirstSegmentInPicture,
    isDependent,
    segmentAddress,
    sliceType: body.sliceType,
    sps,
    pps,
    pocLsb: body.pocLsb,
    isIrap,
    isIdr,
    isCra: nalUnitType === CRA,
    isBla: nalUnitType >= BLA_W_LP && nalUnitType <= BLA_N_LP,
    isRadl: nalUnitType === RADL_N || nalUnitType === RADL_N + 1,
    isRasl: nalUnitType === RASL_N || nalUnitType === RASL_R,
    isReference: nalUnitType > LAST_SUB_LAYER_NON_REFERENCE || (nalUnitType & 1) === 1,
    evidenceBits: sets.ppsEvidenceBits + (isIrap ? 3 : 0.4) + tail.evidenceBits,
  };
}

const DEPENDENT_BODY: HevcSliceBody = { sliceType: -1, pocLsb: -1, usedPictures: 0, isTemporalMvp: false };

function readBody(
  reader: RbspReader,
  sps: HevcSps,
  pps: HevcPps,
  isIrap: boolean,
  isIdr: boolean,
): HevcSliceBody | undefined {
  reader.bits(pps.extraSliceHeaderBits);
  const sliceType = reader.ue();
  // A random access point refers to no other picture; only screen content may refer to the picture itself.
  if (sliceType > HEVC_SLICE_I || (isIrap && sliceType !== HEVC_SLICE_I && !pps.hasFurtherExtensions)) return undefined;
  if (pps.isOutputFlagPresent) reader.bits(1);
  if (sps.isSeparateColourPlane && reader.bits(2) === 3) return undefined;
  if (isIdr) return { sliceType, pocLsb: 0, usedPictures: 0, isTemporalMvp: false };
  const pocLsb = reader.bits(sps.log2MaxPocLsb);
  const shortTerm = readShortTerm(reader, sps);
  if (shortTerm < 0) return undefined;
  const longTerm = sps.hasLongTermRefPics ? readLongTerm(reader, sps) : 0;
  if (longTerm < 0) return undefined;
  const isTemporalMvp = sps.isTemporalMvpEnabled && reader.flag();
  return { sliceType, pocLsb, usedPictures: shortTerm + longTerm, isTemporalMvp };
}

/** Returns how many pictures of the short-term set are in use, or −1 where it is malformed. */
function readShortTerm(reader: RbspReader, sps: HevcSps): number {
  const sets = sps.shortTermRefPicSets;
  if (!reader.flag()) {
    const own = parseShortTermRefPicSet(reader, sets.length, sets, true);
    return own === undefined ? -1 : countUsed(own);
  }
  const index = sets.length > 1 ? reader.bits(Math.ceil(Math.log2(sets.length))) : 0;
  const set = sets[index];
  return set === undefined ? -1 : countUsed(set);
}

/** Returns how many long-term pictures are in use, or −1 where there are too many. */
function readLongTerm(reader: RbspReader, sps: HevcSps): number {
  const candidates = sps.longTermUsed;
  const fromSps = candidates.length > 0 ? reader.ue() : 0;
  const count = fromSps + reader.ue();
  if (count > 33) return -1;
  let used = 0;
  for (let index = 0; index < count && !reader.isBroken; index++) {
    if (index < fromSps) {
      const candidate = candidates.length > 1 ? reader.bits(Math.ceil(Math.log2(candidates.length))) : 0;
      if (candidates[candidate] === true) used++;
    } else {
      reader.bits(sps.log2MaxPocLsb);
      if (reader.flag()) used++;
    }
    if (reader.flag()) reader.ue(); // delta_poc_msb_cycle_lt
  }
  return used;
}
