import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { unescapeNal } from "../nal/unescape.ts";
import { type HevcProfile, parseProfileTierLevel } from "./profile-tier-level.ts";
import { parseShortTermRefPicSet, type ShortTermRefPicSet } from "./reference-picture-set.ts";
import { skipScalingListData } from "./scaling-list-data.ts";
import { type HevcVui, parseHevcVui } from "./vui.ts";

/** A sequence parameter set (ITU-T H.265 §7.3.2.2, §7.4.3.2). */
export interface HevcSps extends HevcProfile {
  /** sps_seq_parameter_set_id, 0–15. */
  readonly id: number;
  readonly maxSubLayers: number;
  readonly chromaFormatIdc: number;
  readonly isSeparateColourPlane: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Cropped picture, luma samples. */
  readonly width: number;
  readonly height: number;
  /** Coded picture, luma samples. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Coding tree blocks of a picture, across and down. */
  readonly widthInCtbs: number;
  readonly heightInCtbs: number;
  /** slice_pic_order_cnt_lsb has this many bits, 4–16. */
  readonly log2MaxPocLsb: number;
  /** sps_max_num_reorder_pics of the highest sub-layer: pictures that may precede one in decode and follow it in output. */
  readonly maxNumReorderPics: number;
  readonly isSaoEnabled: boolean;
  readonly shortTermRefPicSets: readonly ShortTermRefPicSet[];
  /** long_term_ref_pics_present_flag. */
  readonly hasLongTermRefPics: boolean;
  /** used_by_curr_pic_lt_sps_flag of each long-term candidate, 0–32 of them. */
  readonly longTermUsed: readonly boolean[];
  readonly isTemporalMvpEnabled: boolean;
  readonly vui: HevcVui | undefined;
  /** motion_vector_resolution_control_idc is 2: slice headers carry use_integer_mv_flag (screen content). */
  readonly hasIntegerMvFlag: boolean;
}

/** Level 6.2 and above: no side longer than 16,888 luma samples (§A.4.1). */
const MAX_SIDE = 16_888;

/**
 * Parses an SPS NAL unit of the base layer, header bytes first. Throws MEDIA_MALFORMED on anything outside its range;
 * the SPSs of other layers (nuh_layer_id > 0) have another syntax and are refused too.
 */
export function parseHevcSps(nal: Uint8Array): HevcSps {
  const layerId = (((nal[0] ?? 0) & 1) << 5) | ((nal[1] ?? 0) >> 3);
  bounded("nuh_layer_id", layerId, 0);
  const reader = new BitReader(unescapeNal(nal, 2));
  reader.skip(4); // sps_video_parameter_set_id
  const maxSubLayersMinus1 = bounded("sps_max_sub_layers_minus1", reader.bits(3), 6);
  reader.skip(1); // sps_temporal_id_nesting_flag
  const profile = parseProfileTierLevel(reader, maxSubLayersMinus1);
  const id = bounded("sps_seq_parameter_set_id", reader.ue(), 15);
  const picture = readPicture(reader);
  const log2MaxPocLsb = 4 + bounded("log2_max_pic_order_cnt_lsb_minus4", reader.ue(), 12);
  const maxNumReorderPics = readReorder(reader, maxSubLayersMinus1);
  const log2Ctb = readBlockSizes(reader);
  if (reader.flag() && reader.flag()) skipScalingListData(reader);
  reader.skip(1); // amp_enabled_flag
  const isSaoEnabled = reader.flag();
  if (reader.flag()) skipPcm(reader);
  const shortTermRefPicSets = readRefPicSets(reader);
  const hasLongTermRefPics = reader.flag();
  const longTermUsed = hasLongTermRefPics ? readLongTerm(reader, log2MaxPocLsb) : [];
  const isTemporalMvpEnabled = reader.flag();
  reader.skip(1); // strong_intra_smoothing_enabled_flag
  return {
    ...profile,
    id,
    maxSubLayers: maxSubLayersMinus1 + 1,
    ...picture,
    widthInCtbs: Math.ceil(picture.codedWidth / 2 ** log2Ctb),
    heightInCtbs: Math.ceil(picture.codedHeight / 2 ** log2Ctb),
    log2MaxPocLsb,
    maxNumReorderPics,
    isSaoEnabled,
    shortTermRefPicSets,
    hasLongTermRefPics,
    longTermUsed,
    isTemporalMvpEnabled,
    ...readTail(reader, maxSubLayersMinus1),
  };
}

function readPicture(reader: BitReader) {
  const chromaFormatIdc = bounded("chroma_format_idc", reader.ue(), 3);
  const isSeparateColourPlane = chromaFormatIdc === 3 && reader.flag();
  const codedWidth = bounded("pic_width_in_luma_samples", reader.ue(), MAX_SIDE);
  const codedHeight = bounded("pic_height_in_luma_samples", reader.ue(), MAX_SIDE);
  if (codedWidth === 0 || codedHeight === 0) throw malformed("a picture side", 0, "1 or more");
  let width = codedWidth;
  let height = codedHeight;
  if (reader.flag()) {
    const unitX = chromaFormatIdc === 1 || chromaFormatIdc === 2 ? 2 : 1;
    const unitY = chromaFormatIdc === 1 ? 2 : 1;
    width = Math.max(0, width - unitX * (reader.ue() + reader.ue()));
    height = Math.max(0, height - unitY * (reader.ue() + reader.ue()));
  }
  const bitDepthLuma = 8 + bounded("bit_depth_luma_minus8", reader.ue(), 8);
  const bitDepthChroma = 8 + bounded("bit_depth_chroma_minus8", reader.ue(), 8);
  return {
    chromaFormatIdc,
    isSeparateColourPlane,
    codedWidth,
    codedHeight,
    width,
    height,
    bitDepthLuma,
    bitDepthChroma,
  };
}

function readReorder(reader: BitReader, maxSubLayersMinus1: number): number {
  const first = reader.flag() ? 0 : maxSubLayersMinus1; // sps_sub_layer_ordering_info_present_flag
  let reorder = 0;
  for (let layer = first; layer <= maxSubLayersMinus1; layer++) {
    bounded("sps_max_dec_pic_buffering_minus1", reader.ue(), 16);
    reorder = bounded("sps_max_num_reorder_pics", reader.ue(), 16);
    reader.ue(); // sps_max_latency_increase_plus1
  }
  return reorder;
}

/** Returns CtbLog2SizeY. */
function readBlockSizes(reader: BitReader): number {
  const log2MinCb = 3 + bounded("log2_min_luma_coding_block_size_minus3", reader.ue(), 3);
  const log2Ctb = log2MinCb + bounded("log2_diff_max_min_luma_coding_block_size", reader.ue(), 3);
  for (let field = 0; field < 4; field++) reader.ue(); // transform block sizes and depths
  return bounded("CtbLog2SizeY", log2Ctb, 6);
}

function skipPcm(reader: BitReader): void {
  reader.skip(8);
  reader.ue();
  reader.ue();
  reader.skip(1);
}

function readRefPicSets(reader: BitReader): ShortTermRefPicSet[] {
  const count = bounded("num_short_term_ref_pic_sets", reader.ue(), 64);
  const sets: ShortTermRefPicSet[] = [];
  for (let index = 0; index < count; index++) {
    const set = parseShortTermRefPicSet(reader, index, sets, false);
    if (set === undefined) throw malformed("st_ref_pic_set", index, "a set within its ranges");
    sets.push(set);
  }
  return sets;
}

function readLongTerm(reader: BitReader, log2MaxPocLsb: number): boolean[] {
  const count = bounded("num_long_term_ref_pics_sps", reader.ue(), 32);
  const used: boolean[] = [];
  for (let index = 0; index < count; index++) {
    reader.skip(log2MaxPocLsb);
    used.push(reader.flag());
  }
  return used;
}

/** VUI and extensions. Some encoders cut them short; what stands before is sound all the same. */
function readTail(reader: BitReader, maxSubLayersMinus1: number) {
  const tail: { vui: HevcVui | undefined; hasIntegerMvFlag: boolean } = { vui: undefined, hasIntegerMvFlag: false };
  try {
    if (reader.flag()) tail.vui = parseHevcVui(reader, maxSubLayersMinus1);
    if (reader.flag()) tail.hasIntegerMvFlag = readExtensions(reader);
  } catch {
    return tail;
  }
  return tail;
}

function readExtensions(reader: BitReader): boolean {
  const hasRange = reader.flag();
  const hasMultilayer = reader.flag();
  const has3d = reader.flag();
  const hasScreenContent = reader.flag();
  reader.skip(4);
  if (hasRange) reader.skip(9);
  if (hasMultilayer) reader.skip(1);
  if (has3d || !hasScreenContent) return false;
  reader.skip(1); // sps_curr_pic_ref_enabled_flag
  if (reader.flag()) return false; // palette mode: its tables come first, and nobody records with them
  return reader.bits(2) === 2;
}

function bounded(field: string, value: number, max: number): number {
  if (value <= max) return value;
  throw malformed(field, value, `at most ${max}`);
}

function malformed(field: string, value: number, allowed: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `H.265 SPS: ${field} is ${value}; ${allowed} is allowed.`);
}
