import type { RbspReader } from "../nal/rbsp-reader.ts";
import type { AvcParameterSets } from "./parameter-sets.ts";
import type { AvcPps } from "./pps.ts";
import { readAlignment, skipPredWeights, skipRefListChanges } from "./slice-syntax.ts";
import type { AvcSps } from "./sps.ts";

/** slice_type modulo 5 (ITU-T H.264 table 7-6). */
const AVC_SLICE_B = 1;
const AVC_SLICE_I = 2;
const AVC_SLICE_SP = 3;
const AVC_SLICE_SI = 4;

const IDR_SLICE = 5;

/** A slice header (ITU-T H.264 §7.3.3). Fields that the syntax leaves out are 0 or false, as §7.4.3 infers them. */
export interface AvcSliceHeader {
  readonly nalUnitType: number;
  /** 0 where no other picture refers to this one. */
  readonly nalRefIdc: number;
  readonly isIdr: boolean;
  /** Address of the first macroblock, or macroblock pair in an MBAFF frame. */
  readonly firstMbInSlice: number;
  /** 0 P, 1 B, 2 I, 3 SP, 4 SI. */
  readonly sliceType: number;
  /** The header says that all slices of the picture have this type (slice_type 5–9). */
  readonly isSliceTypeUniform: boolean;
  readonly sps: AvcSps;
  readonly pps: AvcPps;
  readonly frameNum: number;
  readonly isField: boolean;
  readonly isBottomField: boolean;
  readonly idrPicId: number;
  readonly pocLsb: number;
  readonly deltaPocBottom: number;
  /** delta_pic_order_cnt[0] and [1], for POC type 1. */
  readonly deltaPoc0: number;
  readonly deltaPoc1: number;
  readonly redundantPicCnt: number;
  /** memory_management_control_operation 5: all earlier pictures are output and order restarts. */
  readonly hasMmco5: boolean;
  /** −log2 of the chance that random bits form such a header in this stream. */
  readonly evidenceBits: number;
}

/**
 * Parses the header of a slice, `reader` standing behind the NAL unit header byte `nalHeader` (types 1, 2 and 5).
 * Returns undefined where a field is out of its range or the bits run out: no slice of a stream with these sets.
 */
export function parseAvcSliceHeader(
  reader: RbspReader,
  nalHeader: number,
  sets: AvcParameterSets,
): AvcSliceHeader | undefined {
  const nalUnitType = nalHeader & 0x1f;
  const nalRefIdc = (nalHeader >> 5) & 3;
  const isIdr = nalUnitType === IDR_SLICE;
  const firstMbInSlice = reader.ue();
  const codedType = reader.ue();
  const pps = sets.pps(reader.ue());
  if (reader.isBroken || codedType > 9 || pps === undefined) return undefined;
  const sps = sets.sps(pps.spsId);
  if (sps === undefined) return undefined;
  const sliceType = codedType % 5;
  // An IDR picture holds I slices only: `011` or `0001000`.
  if (isIdr && sliceType !== AVC_SLICE_I && sliceType !== AVC_SLICE_SI) return undefined;
  let evidenceBits = sets.ppsEvidenceBits + (isIdr ? 2.9 : 0.1);
  if (sps.isSeparateColourPlane && reader.bits(2) === 3) return undefined;
  const frameNum = reader.bits(sps.log2MaxFrameNum);
  if (isIdr && frameNum === 0) evidenceBits += sps.log2MaxFrameNum;
  const isField = !sps.isFrameMbsOnly && reader.flag();
  const isBottomField = isField && reader.flag();
  if (firstMbInSlice >= macroblockAddresses(sps, isField)) return undefined;
  const idrPicId = isIdr ? reader.ue() : 0;
  if (idrPicId > 0xffff) return undefined;
  const order = readOrder(reader, sps, pps, isField);
  const redundantPicCnt = pps.isRedundantPicCntPresent ? reader.ue() : 0;
  if (redundantPicCnt > 127) return undefined;
  const tail = readRest(reader, { sps, pps, sliceType, nalRefIdc, isIdr, isField });
  if (tail === undefined || reader.isBroken) return undefined;
  evidenceBits += tail.evidenceBits;
  return {
    nalUnitType,
    nalRefIdc,
    isIdr,
    firstMbInSlice,
    sliceType,
    isSliceTypeUniform: codedType > 4,
    sps,
    pps,
    frameNum,
    isField,
    isBottomField,
    idrPicId,
    pocLsb: order.pocLsb,
    deltaPocBottom: order.deltaPocBottom,
    deltaPoc0: order.deltaPoc0,
    deltaPoc1: order.deltaPoc1,
    redundantPicCnt,
    hasMmco5: tail.hasMmco5,
    evidenceBits,
  };
}

/** first_mb_in_slice lies below this: PicSizeInMbs, halved for MBAFF frames (§7.4.3). */
function macroblockAddresses(sps: AvcSps, isField: boolean): number {
  const frame = sps.widthInMbs * sps.frameHeightInMbs;
  return isField || sps.isMbaff ? frame / 2 : frame;
}

function readOrder(reader: RbspReader, sps: AvcSps, pps: AvcPps, isField: boolean) {
  const order = { pocLsb: 0, deltaPocBottom: 0, deltaPoc0: 0, deltaPoc1: 0 };
  const hasBottomDelta = pps.isPocDeltaPresent && !isField;
  if (sps.poc.type === 0) {
    order.pocLsb = reader.bits(sps.poc.log2MaxLsb);
    if (hasBottomDelta) order.deltaPocBottom = reader.se();
  } else if (sps.poc.type === 1 && !sps.poc.isDeltaAlwaysZero) {
    order.deltaPoc0 = reader.se();
    if (hasBottomDelta) order.deltaPoc1 = reader.se();
  }
  return order;
}

interface SliceContext {
  readonly sps: AvcSps;
  readonly pps: AvcPps;
  readonly sliceType: number;
  readonly nalRefIdc: number;
  readonly isIdr: boolean;
  readonly isField: boolean;
}

/** Everything behind redundant_pic_cnt. */
function readRest(reader: RbspReader, slice: SliceContext): { evidenceBits: number; hasMmco5: boolean } | undefined {
  const { pps, sliceType } = slice;
  const isIntra = sliceType === AVC_SLICE_I || sliceType === AVC_SLICE_SI;
  if (!isIntra && !readReferences(reader, slice)) return undefined;
  const hasMmco5 = slice.nalRefIdc !== 0 && readMarking(reader, slice.isIdr);
  let evidenceBits = 0;
  if (pps.isCabac && !isIntra) {
    if (reader.ue() > 2) return undefined; // cabac_init_idc
    evidenceBits += 0.4;
  }
  const qp = pps.initQp + reader.se();
  if (qp > 51 || qp < -6 * (slice.sps.bitDepthLuma - 8)) return undefined;
  if (sliceType === AVC_SLICE_SP || sliceType === AVC_SLICE_SI) {
    if (sliceType === AVC_SLICE_SP) reader.bits(1); // sp_for_switch_flag
    reader.se(); // slice_qs_delta
  }
  if (pps.isDeblockingControlPresent) {
    if (!readDeblocking(reader)) return undefined;
    evidenceBits += 0.5;
  }
  if (pps.sliceGroupChangeRate > 0) {
    reader.bits(Math.ceil(Math.log2(Math.ceil(slice.sps.sizeInMapUnits / pps.sliceGroupChangeRate) + 1)));
  }
  if (pps.isCabac) {
    const aligned = readAlignment(reader);
    if (aligned < 0) return undefined;
    evidenceBits += aligned;
  }
  return { evidenceBits, hasMmco5 };
}

function readReferences(reader: RbspReader, slice: SliceContext): boolean {
  const { sps, pps } = slice;
  const isB = slice.sliceType === AVC_SLICE_B;
  let countL0 = pps.numRefIdxL0;
  let countL1 = pps.numRefIdxL1;
  if (isB) reader.bits(1); // direct_spatial_mv_pred_flag
  if (reader.flag()) {
    countL0 = 1 + reader.ue();
    if (isB) countL1 = 1 + reader.ue();
    const max = slice.isField ? 32 : 16;
    if (countL0 > max || (isB && countL1 > max)) return false;
  }
  const maxPicNum = 2 ** (sps.log2MaxFrameNum + (slice.isField ? 1 : 0));
  skipRefListChanges(reader, maxPicNum);
  if (isB) skipRefListChanges(reader, maxPicNum);
  const isWeighted = isB ? pps.weightedBipredIdc === 1 : pps.isWeightedPred;
  if (isWeighted) {
    const hasChroma = sps.chromaFormatIdc !== 0 && !sps.isSeparateColourPlane;
    skipPredWeights(reader, countL0, isB ? countL1 : 0, hasChroma);
  }
  return !reader.isBroken;
}

/** dec_ref_pic_marking(), §7.3.3.3. Returns whether operation 5 is among it. */
function readMarking(reader: RbspReader, isIdr: boolean): boolean {
  if (isIdr) {
    reader.bits(2); // no_output_of_prior_pics_flag, long_term_reference_flag
    return false;
  }
  if (!reader.flag()) return false;
  let hasMmco5 = false;
  // At most 32 fields are marked and two operations stand alone; the bound is for hostile bits.
  for (let count = 0; count < 70 && !reader.isBroken; count++) {
    const operation = reader.ue();
    if (operation === 0) return hasMmco5;
    if (operation > 6) break;
    if (operation === 5) hasMmco5 = true;
    else reader.ue();
    if (operation === 3) reader.ue();
  }
  reader.fail();
  return false;
}

function readDeblocking(reader: RbspReader): boolean {
  const idc = reader.ue(); // disable_deblocking_filter_idc
  if (idc > 2) return false;
  if (idc === 1) return true;
  return Math.abs(reader.se()) <= 6 && Math.abs(reader.se()) <= 6;
}
