import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { unescapeNal } from "../nal/unescape.ts";
import { skipAvcScalingMatrix } from "./scaling-list.ts";

/** A picture parameter set (ITU-T H.264 §7.3.2.2, §7.4.2.2), the parts that slice headers depend on. */
export interface AvcPps {
  /** pic_parameter_set_id, 0–255. */
  readonly id: number;
  /** seq_parameter_set_id of the SPS it refers to, 0–31. */
  readonly spsId: number;
  readonly isCabac: boolean;
  /** bottom_field_pic_order_in_frame_present_flag: slice headers carry POC differences. */
  readonly isPocDeltaPresent: boolean;
  /** Slice groups, 1–8; more than one lets macroblock addresses go back and forth. */
  readonly sliceGroupCount: number;
  /** slice_group_map_type, 0–6; 0 with one group. */
  readonly sliceGroupMapType: number;
  /** SliceGroupChangeRate, map units; 0 where the map type has none. */
  readonly sliceGroupChangeRate: number;
  /** Default active references of list 0 and 1, 1–32. */
  readonly numRefIdxL0: number;
  readonly numRefIdxL1: number;
  readonly isWeightedPred: boolean;
  /** weighted_bipred_idc: 0 default, 1 explicit, 2 implicit. */
  readonly weightedBipredIdc: number;
  /** 26 + pic_init_qp_minus26. */
  readonly initQp: number;
  readonly isDeblockingControlPresent: boolean;
  readonly isRedundantPicCntPresent: boolean;
  readonly isTransform8x8: boolean;
}

/**
 * Parses a PPS NAL unit, header byte first. `chromaFormatIdcOf` gives the chroma format of an SPS by its id (1 where
 * it is not known): the number of scaling lists depends on it. Throws MEDIA_MALFORMED on anything out of range.
 */
export function parseAvcPps(nal: Uint8Array, chromaFormatIdcOf: (spsId: number) => number): AvcPps {
  const rbsp = unescapeNal(nal, 1);
  const reader = new BitReader(rbsp);
  const id = bounded("pic_parameter_set_id", reader.ue(), 255);
  const spsId = bounded("seq_parameter_set_id", reader.ue(), 31);
  const isCabac = reader.flag();
  const isPocDeltaPresent = reader.flag();
  const groups = readSliceGroups(reader);
  const numRefIdxL0 = 1 + bounded("num_ref_idx_l0_default_active_minus1", reader.ue(), 31);
  const numRefIdxL1 = 1 + bounded("num_ref_idx_l1_default_active_minus1", reader.ue(), 31);
  const isWeightedPred = reader.flag();
  const weightedBipredIdc = bounded("weighted_bipred_idc", reader.bits(2), 2);
  const initQp = 26 + signed("pic_init_qp_minus26", reader.se(), 26 + 36, 25);
  signed("pic_init_qs_minus26", reader.se(), 26, 25);
  signed("chroma_qp_index_offset", reader.se(), 12, 12);
  const isDeblockingControlPresent = reader.flag();
  reader.skip(1); // constrained_intra_pred_flag
  const isRedundantPicCntPresent = reader.flag();
  const isTransform8x8 = reader.bitPosition < endOfData(rbsp) && readExtension(reader, chromaFormatIdcOf(spsId));
  return {
    id,
    spsId,
    isCabac,
    isPocDeltaPresent,
    ...groups,
    numRefIdxL0,
    numRefIdxL1,
    isWeightedPred,
    weightedBipredIdc,
    initQp,
    isDeblockingControlPresent,
    isRedundantPicCntPresent,
    isTransform8x8,
  };
}

function readExtension(reader: BitReader, chromaFormatIdc: number): boolean {
  const isTransform8x8 = reader.flag();
  const listCount = 6 + (isTransform8x8 ? (chromaFormatIdc === 3 ? 6 : 2) : 0);
  if (reader.flag()) skipAvcScalingMatrix(reader, listCount);
  signed("second_chroma_qp_index_offset", reader.se(), 12, 12);
  return isTransform8x8;
}

function readSliceGroups(reader: BitReader) {
  const sliceGroupCount = 1 + bounded("num_slice_groups_minus1", reader.ue(), 7);
  let sliceGroupMapType = 0;
  let sliceGroupChangeRate = 0;
  if (sliceGroupCount > 1) {
    sliceGroupMapType = bounded("slice_group_map_type", reader.ue(), 6);
    if (sliceGroupMapType === 0) for (let group = 0; group < sliceGroupCount; group++) reader.ue();
    if (sliceGroupMapType === 2) for (let group = 0; group < (sliceGroupCount - 1) * 2; group++) reader.ue();
    if (sliceGroupMapType >= 3 && sliceGroupMapType <= 5) {
      reader.skip(1); // slice_group_change_direction_flag
      sliceGroupChangeRate = 1 + reader.ue();
    }
    if (sliceGroupMapType === 6) skipGroupIds(reader, sliceGroupCount);
  }
  return { sliceGroupCount, sliceGroupMapType, sliceGroupChangeRate };
}

function skipGroupIds(reader: BitReader, sliceGroupCount: number): void {
  const units = 1 + reader.ue();
  const bitsEach = Math.ceil(Math.log2(sliceGroupCount));
  reader.skip(Math.min(units * bitsEach, reader.bitsLeft + 1));
}

/** Bit position of the stop bit: more_rbsp_data() is true before it (§7.2). */
function endOfData(rbsp: Uint8Array): number {
  let length = rbsp.length;
  while (length > 0 && rbsp[length - 1] === 0) length--;
  if (length === 0) return 0;
  const last = rbsp[length - 1] as number;
  return length * 8 - 1 - (31 - Math.clz32(last & -last));
}

function bounded(field: string, value: number, max: number): number {
  return signed(field, value, 0, max);
}

function signed(field: string, value: number, below: number, above: number): number {
  if (value >= -below && value <= above) return value;
  throw new ReelmillError("MEDIA_MALFORMED", `H.264 PPS: ${field} is ${value}; ${-below} to ${above} is allowed.`);
}
