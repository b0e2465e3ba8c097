import { ReelmillError } from "../../base/errors.ts";
import type { BitReader } from "../bytes/bit-reader.ts";

/** Value of seq_force_screen_content_tools and seq_force_integer_mv that leaves the choice to each frame. */
export const SELECT_PER_FRAME = 2;

/** What the frame header's syntax depends on, from the sequence header OBU (AV1 §5.5). */
export interface Av1SequenceHeader {
  /** seq_profile, 0 to 2. */
  readonly profile: number;
  readonly reducedStillPicture: boolean;
  readonly equalPictureInterval: boolean;
  /** Undefined where decoder_model_info_present_flag is 0. */
  readonly decoderModel:
    | {
        readonly bufferRemovalTimeBits: number;
        readonly framePresentationTimeBits: number;
      }
    | undefined;
  readonly operatingPoints: readonly {
    /** operating_point_idc: temporal layers in bits 0–7, spatial layers in bits 8–11. */
    readonly idc: number;
    readonly hasDecoderModel: boolean;
  }[];
  readonly frameWidthBits: number;
  readonly frameHeightBits: number;
  /** Pixels. */
  readonly maxFrameWidth: number;
  /** Pixels. */
  readonly maxFrameHeight: number;
  /** Undefined where frame_id_numbers_present_flag is 0. */
  readonly frameIds: { readonly deltaBits: number; readonly idBits: number } | undefined;
  readonly use128Superblock: boolean;
  readonly enableWarpedMotion: boolean;
  readonly enableRefFrameMvs: boolean;
  /** 0 where enable_order_hint is 0, else 1 to 8. */
  readonly orderHintBits: number;
  /** 0, 1, or SELECT_PER_FRAME. */
  readonly forceScreenContentTools: number;
  /** 0, 1, or SELECT_PER_FRAME. */
  readonly forceIntegerMv: number;
  readonly enableSuperres: boolean;
  readonly enableCdef: boolean;
  readonly enableRestoration: boolean;
  readonly monochrome: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  readonly separateUvDeltaQ: boolean;
  /** ITU-T H.273; undefined where no colour is described. */
  readonly transferCharacteristics: number | undefined;
  readonly filmGrainParamsPresent: boolean;
}

/**
 * Parses sequence_header_obu (AV1 §5.5.1) from the start of the OBU's payload. Throws MEDIA_MALFORMED where the bytes
 * end early or hold a reserved profile.
 */
export function parseAv1SequenceHeader(reader: BitReader): Av1SequenceHeader {
  const profile = reader.bits(3);
  if (profile > 2) throw new ReelmillError("MEDIA_MALFORMED", `AV1 seq_profile is ${profile}; 0 to 2 are defined.`);
  reader.skip(1);
  const reducedStillPicture = reader.flag();
  const timing = reducedStillPicture ? parseReducedTiming(reader) : parseTiming(reader);
  const frameWidthBits = reader.bits(4) + 1;
  const frameHeightBits = reader.bits(4) + 1;
  const maxFrameWidth = reader.bits(frameWidthBits) + 1;
  const maxFrameHeight = reader.bits(frameHeightBits) + 1;
  const frameIds = !reducedStillPicture && reader.flag() ? parseFrameIds(reader) : undefined;
  const use128Superblock = reader.flag();
  reader.skip(2);
  const tools = reducedStillPicture ? STILL_TOOLS : parseTools(reader);
  const enableSuperres = reader.flag();
  const enableCdef = reader.flag();
  const enableRestoration = reader.flag();
  const color = parseColorConfig(reader, profile);
  return {
    profile,
    reducedStillPicture,
    ...timing,
    frameWidthBits,
    frameHeightBits,
    maxFrameWidth,
    maxFrameHeight,
    frameIds,
    use128Superblock,
    ...tools,
    enableSuperres,
    enableCdef,
    enableRestoration,
    ...color,
    filmGrainParamsPresent: reader.flag(),
  };
}

type Timing = Pick<Av1SequenceHeader, "equalPictureInterval" | "decoderModel" | "operatingPoints">;

function parseReducedTiming(reader: BitReader): Timing {
  reader.skip(5);
  return {
    equalPictureInterval: false,
    decoderModel: undefined,
    operatingPoints: [{ idc: 0, hasDecoderModel: false }],
  };
}

function parseTiming(reader: BitReader): Timing {
  let equalPictureInterval = false;
  let decoderModel: Av1SequenceHeader["decoderModel"];
  let bufferDelayBits = 0;
  if (reader.flag()) {
    reader.skip(64);
    equalPictureInterval = reader.flag();
    if (equalPictureInterval) reader.ue(); // num_ticks_per_picture_minus_1: uvlc has the bits of ue(v)
    if (reader.flag()) {
      bufferDelayBits = reader.bits(5) + 1;
      reader.skip(32);
      decoderModel = { bufferRemovalTimeBits: reader.bits(5) + 1, framePresentationTimeBits: reader.bits(5) + 1 };
    }
  }
  const initialDisplayDelayPresent = reader.flag();
  const count = reader.bits(5) + 1;
  const operatingPoints: { idc: number; hasDecoderModel: boolean }[] = [];
  for (let i = 0; i < count; i++) {
    const idc = reader.bits(12);
    if (reader.bits(5) > 7) reader.skip(1);
    const hasDecoderModel = decoderModel !== undefined && reader.flag();
    if (hasDecoderModel) reader.skip(2 * bufferDelayBits + 1);
    if (initialDisplayDelayPresent && reader.flag()) reader.skip(4);
    operatingPoints.push({ idc, hasDecoderModel });
  }
  return { equalPictureInterval, decoderModel, operatingPoints };
}

function parseFrameIds(reader: BitReader): Av1SequenceHeader["frameIds"] {
  const deltaBits = reader.bits(4) + 2;
  return { deltaBits, idBits: reader.bits(3) + deltaBits + 1 };
}

type Tools = Pick<
  Av1SequenceHeader,
  "enableWarpedMotion" | "enableRefFrameMvs" | "orderHintBits" | "forceScreenContentTools" | "forceIntegerMv"
>;

const STILL_TOOLS: Tools = {
  enableWarpedMotion: false,
  enableRefFrameMvs: false,
  orderHintBits: 0,
  forceScreenContentTools: SELECT_PER_FRAME,
  forceIntegerMv: SELECT_PER_FRAME,
};

function parseTools(reader: BitReader): Tools {
  reader.skip(2);
  const enableWarpedMotion = reader.flag();
  reader.skip(1);
  const enableOrderHint = reader.flag();
  if (enableOrderHint) reader.skip(1);
  const enableRefFrameMvs = enableOrderHint && reader.flag();
  const forceScreenContentTools = reader.flag() ? SELECT_PER_FRAME : reader.bits(1);
  let forceIntegerMv = SELECT_PER_FRAME;
  if (forceScreenContentTools > 0 && !reader.flag()) forceIntegerMv = reader.bits(1);
  const orderHintBits = enableOrderHint ? reader.bits(3) + 1 : 0;
  return { enableWarpedMotion, enableRefFrameMvs, orderHintBits, forceScreenContentTools, forceIntegerMv };
}

type Color = Pick<
  Av1SequenceHeader,
  "monochrome" | "subsamplingX" | "subsamplingY" | "separateUvDeltaQ" | "transferCharacteristics"
>;

/** color_config (AV1 §5.5.2). */
function parseColorConfig(reader: BitReader, profile: number): Color {
  const highBitdepth = reader.flag();
  const twelveBit = profile === 2 && highBitdepth && reader.flag();
  const monochrome = profile !== 1 && reader.flag();
  let isSrgb = false;
  let transferCharacteristics: number | undefined;
  if (reader.flag()) {
    const primaries = reader.bits(8);
    const transfer = reader.bits(8);
    transferCharacteristics = transfer;
    isSrgb = primaries === 1 && transfer === 13 && reader.bits(8) === 0;
    if (!(primaries === 1 && transfer === 13)) reader.skip(8);
  }
  if (monochrome) {
    reader.skip(1);
    return { monochrome, subsamplingX: true, subsamplingY: true, separateUvDeltaQ: false, transferCharacteristics };
  }
  let subsamplingX = profile !== 1 && !isSrgb;
  let subsamplingY = profile === 0 && !isSrgb;
  if (!isSrgb) {
    reader.skip(1);
    if (profile === 2 && twelveBit) {
      subsamplingX = reader.flag();
      subsamplingY = subsamplingX && reader.flag();
    }
    if (subsamplingX && subsamplingY) reader.skip(2);
  }
  return { monochrome, subsamplingX, subsamplingY, separateUvDeltaQ: reader.flag(), transferCharacteristics };
}
