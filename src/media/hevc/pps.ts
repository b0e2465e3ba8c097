import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { unescapeNal } from "../nal/unescape.ts";
import { skipScalingListData } from "./scaling-list-data.ts";

/** A picture parameter set (ITU-T H.265 §7.3.2.3), the parts that slice segment headers depend on. */
export interface HevcPps {
  /** pps_pic_parameter_set_id, 0–63. */
  readonly id: number;
  /** pps_seq_parameter_set_id, 0–15. */
  readonly spsId: number;
  readonly areDependentSlicesEnabled: boolean;
  readonly isOutputFlagPresent: boolean;
  /** num_extra_slice_header_bits, 0–7. */
  readonly extraSliceHeaderBits: number;
  readonly isCabacInitPresent: boolean;
  /** Default active references of list 0 and 1, 1–15. */
  readonly numRefIdxL0: number;
  readonly numRefIdxL1: number;
  /** 26 + init_qp_minus26. */
  readonly initQp: number;
  readonly areSliceChromaQpOffsetsPresent: boolean;
  readonly isWeightedPred: boolean;
  readonly isWeightedBipred: boolean;
  readonly areTilesEnabled: boolean;
  readonly isEntropySyncEnabled: boolean;
  readonly isLoopFilterAcrossSlicesEnabled: boolean;
  readonly isDeblockingOverrideEnabled: boolean;
  readonly isDeblockingDisabled: boolean;
  readonly isListsModificationPresent: boolean;
  readonly isHeaderExtensionPresent: boolean;
  /** chroma_qp_offset_list_enabled_flag of the range extension. */
  readonly isChromaQpOffsetListEnabled: boolean;
  /** The multilayer, 3D or screen content extension is there: slice headers may hold what is not parsed here. */
  readonly hasFurtherExtensions: boolean;
}

/** Parses a PPS NAL unit, header bytes first. Throws MEDIA_MALFORMED on anything out of range. */
export function parseHevcPps(nal: Uint8Array): HevcPps {
  const reader = new BitReader(unescapeNal(nal, 2));
  const id = bounded("pps_pic_parameter_set_id", reader.ue(), 63);
  const spsId = bounded("pps_seq_parameter_set_id", reader.ue(), 15);
  const areDependentSlicesEnabled = reader.flag();
  const isOutputFlagPresent = reader.flag();
  const extraSliceHeaderBits = reader.bits(3);
  reader.skip(1); // sign_data_hiding_enabled_flag
  const isCabacInitPresent = reader.flag();
  const numRefIdxL0 = 1 + bounded("num_ref_idx_l0_default_active_minus1", reader.ue(), 14);
  const numRefIdxL1 = 1 + bounded("num_ref_idx_l1_default_active_minus1", reader.ue(), 14);
  const initQp = 26 + reader.se();
  bounded("the initial QP less its least value", initQp + 48, 48 + 51);
  const { isTransformSkip, ...coding } = readCoding(reader);
  const filters = readFilters(reader);
  if (reader.flag()) skipScalingListData(reader);
  const isListsModificationPresent = reader.flag();
  reader.ue(); // log2_parallel_merge_level_minus2
  const isHeaderExtensionPresent = reader.flag();
  return {
    id,
    spsId,
    areDependentSlicesEnabled,
    isOutputFlagPresent,
    extraSliceHeaderBits,
    isCabacInitPresent,
    numRefIdxL0,
    numRefIdxL1,
    initQp,
    ...coding,
    ...filters,
    isListsModificationPresent,
    isHeaderExtensionPresent,
    ...readExtensions(reader, isTransformSkip),
  };
}

function readCoding(reader: BitReader) {
  reader.skip(1); // constrained_intra_pred_flag
  const isTransformSkip = reader.flag();
  if (reader.flag()) reader.ue(); // diff_cu_qp_delta_depth
  reader.se(); // pps_cb_qp_offset
  reader.se();
  const areSliceChromaQpOffsetsPresent = reader.flag();
  const isWeightedPred = reader.flag();
  const isWeightedBipred = reader.flag();
  reader.skip(1); // transquant_bypass_enabled_flag
  const areTilesEnabled = reader.flag();
  const isEntropySyncEnabled = reader.flag();
  if (areTilesEnabled) skipTiles(reader);
  return {
    isTransformSkip,
    areSliceChromaQpOffsetsPresent,
    isWeightedPred,
    isWeightedBipred,
    areTilesEnabled,
    isEntropySyncEnabled,
  };
}

function skipTiles(reader: BitReader): void {
  // Level 6.2 has at most 20 columns and 22 rows; the bound is for hostile bits.
  const columns = bounded("num_tile_columns_minus1", reader.ue(), 1023);
  const rows = bounded("num_tile_rows_minus1", reader.ue(), 1023);
  const isUniform = reader.flag();
  if (!isUniform) for (let index = 0; index < columns + rows; index++) reader.ue();
  reader.skip(1); // loop_filter_across_tiles_enabled_flag
}

function readFilters(reader: BitReader) {
  const isLoopFilterAcrossSlicesEnabled = reader.flag();
  let isDeblockingOverrideEnabled = false;
  let isDeblockingDisabled = false;
  if (reader.flag()) {
    isDeblockingOverrideEnabled = reader.flag();
    isDeblockingDisabled = reader.flag();
    if (!isDeblockingDisabled) {
      reader.se(); // pps_beta_offset_div2
      reader.se();
    }
  }
  return { isLoopFilterAcrossSlicesEnabled, isDeblockingOverrideEnabled, isDeblockingDisabled };
}

function readExtensions(reader: BitReader, isTransformSkip: boolean) {
  const none = { isChromaQpOffsetListEnabled: false, hasFurtherExtensions: false };
  if (!reader.flag()) return none;
  const hasRange = reader.flag();
  const hasFurtherExtensions = reader.bits(3) !== 0;
  reader.skip(4);
  if (!hasRange) return { ...none, hasFurtherExtensions };
  if (isTransformSkip) reader.ue(); // log2_max_transform_skip_block_size_minus2
  reader.skip(1); // cross_component_prediction_enabled_flag
  return { isChromaQpOffsetListEnabled: reader.flag(), hasFurtherExtensions };
}

function bounded(field: string, value: number, max: number): number {
  if (value >= 0 && value <= max) return value;
  throw new ReelmillError("MEDIA_MALFORMED", `H.265 PPS: ${field} is ${value}; 0 to ${max} is allowed.`);
}
