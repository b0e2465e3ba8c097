import type { BitReader } from "../bytes/bit-reader.ts";

/** Video usability information (ITU-T H.264 §E.1.1), the parts that repair uses. */
export interface AvcVui {
  /** Sample aspect ratio as width:height, 0:0 where unspecified. */
  readonly sarWidth: number;
  readonly sarHeight: number;
  readonly isFullRange: boolean;
  /** Code points of ITU-T H.273; 2 is unspecified. */
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
  readonly timing: AvcVuiTiming | undefined;
  readonly isPicStructPresent: boolean;
  /** max_num_reorder_frames; undefined without bitstream restrictions. */
  readonly maxNumReorderFrames: number | undefined;
  /** max_dec_frame_buffering; undefined without bitstream restrictions. */
  readonly maxDecFrameBuffering: number | undefined;
}

/** Clock of the stream: one field lasts `numUnitsInTick / timeScale` seconds, one frame twice that. */
export interface AvcVuiTiming {
  readonly numUnitsInTick: number;
  readonly timeScale: number;
  readonly isFixedFrameRate: boolean;
}

const EXTENDED_SAR = 255;
/** Table E-1, aspect_ratio_idc 0–16. */
const SAMPLE_ASPECT_RATIOS: readonly (readonly [number, number])[] = [
  [0, 0],
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];

/** Parses vui_parameters(). Throws MEDIA_MALFORMED where the bits run out. */
export function parseAvcVui(reader: BitReader): AvcVui {
  const [sarWidth, sarHeight] = readAspectRatio(reader);
  if (reader.flag()) reader.skip(1); // overscan_appropriate_flag
  const colour = readVideoSignal(reader);
  if (reader.flag()) {
    reader.ue(); // chroma_sample_loc_type_top_field
    reader.ue();
  }
  const timing = reader.flag() ? readTiming(reader) : undefined;
  const hasNalHrd = reader.flag();
  if (hasNalHrd) skipHrd(reader);
  const hasVclHrd = reader.flag();
  if (hasVclHrd) skipHrd(reader);
  if (hasNalHrd || hasVclHrd) reader.skip(1); // low_delay_hrd_flag
  const isPicStructPresent = reader.flag();
  const restriction = reader.flag() ? readRestriction(reader) : undefined;
  return {
    sarWidth,
    sarHeight,
    ...colour,
    timing,
    isPicStructPresent,
    maxNumReorderFrames: restriction?.[0],
    maxDecFrameBuffering: restriction?.[1],
  };
}

function readAspectRatio(reader: BitReader): readonly [number, number] {
  if (!reader.flag()) return [0, 0];
  const idc = reader.bits(8);
  if (idc === EXTENDED_SAR) return [reader.bits(16), reader.bits(16)];
  return SAMPLE_ASPECT_RATIOS[idc] ?? [0, 0];
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

function readTiming(reader: BitReader): AvcVuiTiming {
  return { numUnitsInTick: reader.bits(32), timeScale: reader.bits(32), isFixedFrameRate: reader.flag() };
}

/** hrd_parameters(), §E.1.2. */
function skipHrd(reader: BitReader): void {
  const cpbCount = reader.ue() + 1;
  reader.skip(8); // bit_rate_scale, cpb_size_scale
  for (let index = 0; index < cpbCount; index++) {
    reader.ue();
    reader.ue();
    reader.skip(1);
  }
  reader.skip(20);
}

function readRestriction(reader: BitReader): readonly [number, number] {
  reader.skip(1); // motion_vectors_over_pic_boundaries_flag
  for (let index = 0; index < 4; index++) reader.ue();
  return [reader.ue(), reader.ue()];
}
