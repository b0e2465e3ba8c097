import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { unescapeNal } from "../nal/unescape.ts";
import { skipAvcScalingMatrix } from "./scaling-list.ts";
import { type AvcVui, parseAvcVui } from "./vui.ts";

/** A sequence parameter set (ITU-T H.264 §7.3.2.1.1, §7.4.2.1.1). */
export interface AvcSps {
  /** seq_parameter_set_id, 0–31. */
  readonly id: number;
  readonly profileIdc: number;
  /** constraint_set0_flag … constraint_set5_flag and two reserved bits, highest first. */
  readonly constraintFlags: number;
  readonly levelIdc: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly isSeparateColourPlane: boolean;
  /** Bits per sample, 8–14. */
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** frame_num has this many bits, 4–16. */
  readonly log2MaxFrameNum: number;
  readonly poc: AvcPocSyntax;
  readonly maxNumRefFrames: number;
  readonly areFrameNumGapsAllowed: boolean;
  readonly widthInMbs: number;
  /** In macroblocks of a frame, also where the sequence is coded in fields. */
  readonly frameHeightInMbs: number;
  /** Map units of slice groups: macroblocks, or macroblock pairs where fields may occur. */
  readonly sizeInMapUnits: number;
  readonly isFrameMbsOnly: boolean;
  readonly isMbaff: boolean;
  /** Cropped picture, luma samples. */
  readonly width: number;
  readonly height: number;
  readonly vui: AvcVui | undefined;
}

/** How pictures say their order (§8.2.1). */
export type AvcPocSyntax =
  /** pic_order_cnt_lsb in each slice header, of `log2MaxLsb` bits, 4–16. */
  | { readonly type: 0; readonly log2MaxLsb: number }
  /** A cycle of expected differences, with corrections in the slice header. */
  | {
      readonly type: 1;
      readonly isDeltaAlwaysZero: boolean;
      readonly offsetForNonRefPic: number;
      readonly offsetForTopToBottomField: number;
      readonly offsetsForRefFrame: readonly number[];
    }
  /** Output order is decode order. */
  | { readonly type: 2 };

/** Profiles whose SPS carries chroma format, bit depths and scaling lists (§7.3.2.1.1). */
const HIGH_PROFILES: readonly number[] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
/** Every profile_idc that Annexes A, F, G and H define. */
export const AVC_PROFILES: readonly number[] = [66, 77, 88, ...HIGH_PROFILES];
/** Level 6.2: 139,264 macroblocks a frame, no side longer than √(8·139,264) = 1055. */
const MAX_SIDE_IN_MBS = 1055;
const MAX_FRAME_SIZE_IN_MBS = 139_264;

/** Parses an SPS NAL unit, header byte first. Throws MEDIA_MALFORMED on anything outside its range. */
export function parseAvcSps(nal: Uint8Array): AvcSps {
  const reader = new BitReader(unescapeNal(nal, 1));
  const profileIdc = reader.bits(8);
  const constraintFlags = reader.bits(8);
  const levelIdc = reader.bits(8);
  const id = bounded("seq_parameter_set_id", reader.ue(), 31);
  const format = readFormat(reader, profileIdc);
  const log2MaxFrameNum = 4 + bounded("log2_max_frame_num_minus4", reader.ue(), 12);
  const poc = readPocSyntax(reader);
  const maxNumRefFrames = bounded("max_num_ref_frames", reader.ue(), 16);
  const areFrameNumGapsAllowed = reader.flag();
  const widthInMbs = 1 + bounded("pic_width_in_mbs_minus1", reader.ue(), MAX_SIDE_IN_MBS - 1);
  const heightInMapUnits = 1 + bounded("pic_height_in_map_units_minus1", reader.ue(), MAX_SIDE_IN_MBS - 1);
  const isFrameMbsOnly = reader.flag();
  const isMbaff = isFrameMbsOnly ? false : reader.flag();
  reader.skip(1); // direct_8x8_inference_flag
  const frameHeightInMbs = heightInMapUnits * (isFrameMbsOnly ? 1 : 2);
  bounded("the frame's macroblocks", widthInMbs * frameHeightInMbs, MAX_FRAME_SIZE_IN_MBS);
  const crop = readCrop(reader, format, isFrameMbsOnly);
  return {
    id,
    profileIdc,
    constraintFlags,
    levelIdc,
    ...format,
    log2MaxFrameNum,
    poc,
    maxNumRefFrames,
    areFrameNumGapsAllowed,
    widthInMbs,
    frameHeightInMbs,
    sizeInMapUnits: widthInMbs * heightInMapUnits,
    isFrameMbsOnly,
    isMbaff,
    width: Math.max(0, widthInMbs * 16 - crop.horizontal),
    height: Math.max(0, frameHeightInMbs * 16 - crop.vertical),
    vui: readVui(reader),
  };
}

interface AvcFormat {
  readonly chromaFormatIdc: number;
  readonly isSeparateColourPlane: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

function readFormat(reader: BitReader, profileIdc: number): AvcFormat {
  if (!HIGH_PROFILES.includes(profileIdc)) {
    return { chromaFormatIdc: 1, isSeparateColourPlane: false, bitDepthLuma: 8, bitDepthChroma: 8 };
  }
  const chromaFormatIdc = bounded("chroma_format_idc", reader.ue(), 3);
  const isSeparateColourPlane = chromaFormatIdc === 3 && reader.flag();
  const bitDepthLuma = 8 + bounded("bit_depth_luma_minus8", reader.ue(), 6);
  const bitDepthChroma = 8 + bounded("bit_depth_chroma_minus8", reader.ue(), 6);
  reader.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) skipAvcScalingMatrix(reader, chromaFormatIdc === 3 ? 12 : 8);
  return { chromaFormatIdc, isSeparateColourPlane, bitDepthLuma, bitDepthChroma };
}

function readPocSyntax(reader: BitReader): AvcPocSyntax {
  const type = bounded("pic_order_cnt_type", reader.ue(), 2);
  if (type === 2) return { type };
  if (type === 0) {
    return { type, log2MaxLsb: 4 + bounded("log2_max_pic_order_cnt_lsb_minus4", reader.ue(), 12) };
  }
  const isDeltaAlwaysZero = reader.flag();
  const offsetForNonRefPic = reader.se();
  const offsetForTopToBottomField = reader.se();
  const count = bounded("num_ref_frames_in_pic_order_cnt_cycle", reader.ue(), 255);
  const offsetsForRefFrame: number[] = [];
  for (let index = 0; index < count; index++) offsetsForRefFrame.push(reader.se());
  return { type: 1, isDeltaAlwaysZero, offsetForNonRefPic, offsetForTopToBottomField, offsetsForRefFrame };
}

function readCrop(reader: BitReader, format: AvcFormat, isFrameMbsOnly: boolean) {
  if (!reader.flag()) return { horizontal: 0, vertical: 0 };
  const isPlanar = format.chromaFormatIdc === 0 || format.isSeparateColourPlane;
  const unitX = isPlanar || format.chromaFormatIdc === 3 ? 1 : 2;
  const unitY = (!isPlanar && format.chromaFormatIdc === 1 ? 2 : 1) * (isFrameMbsOnly ? 1 : 2);
  const horizontal = (reader.ue() + reader.ue()) * unitX;
  const vertical = (reader.ue() + reader.ue()) * unitY;
  return { horizontal, vertical };
}

/** Some encoders cut their VUI short; what stands before it is sound all the same. */
function readVui(reader: BitReader): AvcVui | undefined {
  if (reader.bitsLeft < 1 || !reader.flag()) return undefined;
  try {
    return parseAvcVui(reader);
  } catch {
    return undefined;
  }
}

function bounded(field: string, value: number, max: number): number {
  if (value <= max) return value;
  throw new ReelmillError("MEDIA_MALFORMED", `H.264 SPS: ${field} is ${value}; at most ${max} is allowed.`);
}
