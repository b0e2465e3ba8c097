import type { BitReader } from "../bytes/bit-reader.ts";

/** Video usability information (ITU-T H.265 §E.2.1), the parts that repair uses. */
export interface HevcVui {
  readonly isFullRange: boolean;
  /** Code points of ITU-T H.273; 2 is unspecified. */
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
  /** Pictures are fields. */
  readonly isFieldSequence: boolean;
  readonly timing: HevcTiming | undefined;
}

/** Clock of the stream: a picture lasts `numUnitsInTick / timeScale` seconds where the rate is fixed. */
export interface HevcTiming {
  readonly numUnitsInTick: number;
  readonly timeScale: number;
  /** Order counts rise by this much per tick; undefined where they do not follow the clock. */
  readonly pocTicks: number | undefined;
}

const EXTENDED_SAR = 255;

/** Parses vui_parameters(). Throws MEDIA_MALFORMED where the bits run out. */
export function parseHevcVui(reader: BitReader, maxSubLayersMinus1: number): HevcVui {
  if (reader.flag() && reader.bits(8) === EXTENDED_SAR) reader.skip(32);
  if (reader.flag()) reader.skip(1); // overscan_appropriate_flag
  const colour = readVideoSignal(reader);
  if (reader.flag()) {
    reader.ue(); // chroma_sample_loc_type_top_field
    reader.ue();
  }
  reader.skip(1); // neutral_chroma_indication_flag
  const isFieldSequence = reader.flag();
  reader.skip(1); // frame_field_info_present_flag
  if (reader.flag()) for (let side = 0; side < 4; side++) reader.ue(); // default display window
  const timing = reader.flag() ? readHevcTiming(reader) : undefined;
  if (timing !== undefined && reader.flag()) skipHrd(reader, maxSubLayersMinus1);
  if (reader.flag()) {
    reader.skip(3);
    for (let field = 0; field < 5; field++) reader.ue();
  }
  return { ...colour, isFieldSequence, timing };
}

/** Reads num_units_in_tick to num_ticks_poc_diff_one_minus1, which VPS and VUI write alike. */
export function readHevcTiming(reader: BitReader): HevcTiming {
  const numUnitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  return { numUnitsInTick, timeScale, pocTicks: reader.flag() ? reader.ue() + 1 : undefined };
}

function readVideoSignal(reader: BitReader) {
  const colour = { isFullRange: false, colourPrimaries: 2, transferCharacteristics: 2, matrixCoefficients: 2 };
  if (!reader.flag()) return colour;
  reader.skip(3); // video_format
  colour.isFullRange = reader.flag();
  if (reader.flag()) {
    colour.colourPrimaries = reader.bits(8);
    colour.transferCharacteristics = reader.bits(8);
    colour.matrixCoefficients = reader.bits(8);
  }
  return colour;
}

/** hrd_parameters(1, maxSubLayersMinus1), §E.2.2. */
function skipHrd(reader: BitReader, maxSubLayersMinus1: number): void {
  const hasNal = reader.flag();
  const hasVcl = reader.flag();
  let isSubPicture = false;
  if (hasNal || hasVcl) {
    isSubPicture = reader.flag();
    if (isSubPicture) reader.skip(19);
    reader.skip(8); // bit_rate_scale, cpb_size_scale
    if (isSubPicture) reader.skip(4);
    reader.skip(15);
  }
  for (let layer = 0; layer <= maxSubLayersMinus1; layer++) {
    const isFixedGeneral = reader.flag();
    const isFixedInSequence = isFixedGeneral || reader.flag();
    let isLowDelay = false;
    if (isFixedInSequence)
      reader.ue(); // elemental_duration_in_tc_minus1
    else isLowDelay = reader.flag();
    const cpbCount = isLowDelay ? 1 : reader.ue() + 1;
    const entries = (hasNal ? cpbCount : 0) + (hasVcl ? cpbCount : 0);
    for (let entry = 0; entry < entries; entry++) skipCpb(reader, isSubPicture);
  }
}

function skipCpb(reader: BitReader, isSubPicture: boolean): void {
  for (let field = 0; field < (isSubPicture ? 4 : 2); field++) reader.ue();
  reader.skip(1); // cbr_flag
}
