import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { findStartCode, START_CODE } from "./start-codes.ts";

/** What a video object layer header says of its VOPs (ISO/IEC 14496-2 §6.2.3). */
export interface VolConfig {
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Ticks per second of VOP times, 1–65535. */
  readonly timeIncrementResolution: number;
  /** Bits of vop_time_increment. */
  readonly timeIncrementBits: number;
  /** Ticks per VOP where the rate is fixed. */
  readonly fixedTimeIncrementTicks?: number;
  /** Without B-VOPs; false where not stated. */
  readonly isLowDelay: boolean;
  readonly isInterlaced: boolean;
  /** 0 none, 1 static, 2 GMC. */
  readonly spriteEnable: number;
  readonly quantPrecisionBits: number;
  readonly hasResyncMarkers: boolean;
  readonly isDataPartitioned: boolean;
  /** newpred or reduced resolution, which put more into the VOP header. */
  readonly hasReducedResolution: boolean;
  /** Whether the macroblocks can be parsed with what is known here. */
  readonly isParsable: boolean;
}

/**
 * Finds and reads the video object layer header in a decoder configuration (an `esds` payload will do: the headers are
 * found by their start code) or in-band; undefined where there is none or it is cut short.
 */
export function parseVolConfig(bytes: Uint8Array, startIndex = 0, endIndex = bytes.length): VolConfig | undefined {
  let index = findStartCode(bytes, startIndex, endIndex);
  while (index >= 0) {
    const code = bytes[index + 3] ?? 0;
    if (code >= START_CODE.firstVideoObjectLayer && code <= START_CODE.lastVideoObjectLayer) {
      const config = readVol(new BitReader(bytes, index + 4, endIndex));
      if (config !== undefined) return config;
    }
    index = findStartCode(bytes, index + 3, endIndex);
  }
  return undefined;
}

function readVol(reader: BitReader): VolConfig | undefined {
  try {
    return parseVol(reader);
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "MEDIA_MALFORMED") return undefined;
    throw error;
  }
}

interface VolHead {
  readonly verid: number;
  readonly shape: number;
  readonly isLowDelay: boolean;
  readonly timeIncrementResolution: number;
  readonly timeIncrementBits: number;
  readonly fixedTimeIncrementTicks: number | undefined;
}

function parseVol(reader: BitReader): VolConfig | undefined {
  const head = parseVolHead(reader);
  if (head.shape !== 0 || head.timeIncrementResolution === 0) return undefined;
  reader.skip(1);
  const widthPixels = reader.bits(13);
  reader.skip(1);
  const heightPixels = reader.bits(13);
  reader.skip(1);
  const isInterlaced = reader.flag();
  const isObmcDisabled = reader.flag();
  const spriteEnable = reader.bits(head.verid === 1 ? 1 : 2);
  if (spriteEnable !== 0) skipSprite(reader, spriteEnable);
  const isNot8Bit = reader.flag();
  const quantPrecisionBits = isNot8Bit ? reader.bits(4) : 5;
  if (isNot8Bit) reader.skip(4);
  if (reader.flag()) {
    skipQuantMatrix(reader);
    skipQuantMatrix(reader);
  }
  if (head.verid !== 1) reader.skip(1);
  const hasComplexityEstimation = !reader.flag();
  const common = {
    widthPixels,
    heightPixels,
    timeIncrementResolution: head.timeIncrementResolution,
    timeIncrementBits: head.timeIncrementBits,
    ...(head.fixedTimeIncrementTicks === undefined ? {} : { fixedTimeIncrementTicks: head.fixedTimeIncrementTicks }),
    isLowDelay: head.isLowDelay,
    isInterlaced,
    spriteEnable,
    quantPrecisionBits,
  };
  if (hasComplexityEstimation) {
    const unknown = { hasResyncMarkers: true, isDataPartitioned: false, hasReducedResolution: false };
    return { ...common, ...unknown, isParsable: false };
  }
  const hasResyncMarkers = !reader.flag();
  const isDataPartitioned = reader.flag();
  if (isDataPartitioned) reader.skip(1);
  const isNewpred = head.verid !== 1 && reader.flag();
  if (isNewpred) reader.skip(3);
  const hasReducedResolution = head.verid !== 1 && reader.flag();
  const isScalable = reader.flag();
  return {
    ...common,
    hasResyncMarkers,
    isDataPartitioned,
    hasReducedResolution,
    isParsable:
      !isDataPartitioned &&
      !isNewpred &&
      !hasReducedResolution &&
      !isScalable &&
      isObmcDisabled &&
      spriteEnable === 0 &&
      !isNot8Bit &&
      widthPixels > 0 &&
      heightPixels > 0,
  };
}

function parseVolHead(reader: BitReader): VolHead {
  reader.skip(1 + 8);
  let verid = 1;
  if (reader.flag()) {
    verid = reader.bits(4);
    reader.skip(3);
  }
  if (reader.bits(4) === 15) reader.skip(16);
  let isLowDelay = false;
  if (reader.flag()) {
    reader.skip(2);
    isLowDelay = reader.flag();
    if (reader.flag()) reader.skip(79);
  }
  const shape = reader.bits(2);
  if (shape === 3 && verid !== 1) reader.skip(4);
  reader.skip(1);
  const timeIncrementResolution = reader.bits(16);
  reader.skip(1);
  const timeIncrementBits = Math.max(1, Math.ceil(Math.log2(Math.max(1, timeIncrementResolution))));
  const isFixedRate = reader.flag();
  const fixedTimeIncrementTicks = isFixedRate ? reader.bits(timeIncrementBits) : undefined;
  return { verid, shape, isLowDelay, timeIncrementResolution, timeIncrementBits, fixedTimeIncrementTicks };
}

function skipSprite(reader: BitReader, spriteEnable: number): void {
  const isGmc = spriteEnable === 2;
  if (!isGmc) reader.skip(4 * 14);
  reader.skip(6 + 2 + 1);
  if (!isGmc) reader.skip(1);
}

/** load_*_quant_mat: up to 64 bytes, ended by a 0. */
function skipQuantMatrix(reader: BitReader): void {
  if (!reader.flag()) return;
  for (let i = 0; i < 64; i++) if (reader.bits(8) === 0) return;
}
