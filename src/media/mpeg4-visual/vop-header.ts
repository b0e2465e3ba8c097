import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import type { VolConfig } from "./vol-config.ts";

/** The start of a VOP, ISO/IEC 14496-2 §6.2.5. */
export interface VopHeader {
  readonly codingType: "I" | "P" | "B" | "S";
  /** Whole seconds since the time base that applies (see `createVopClock`). */
  readonly moduloTimeBaseSeconds: number;
  /** 0 to the resolution − 1. */
  readonly timeIncrementTicks: number;
  /** False: the VOP holds no picture and ends with its header. */
  readonly isCoded: boolean;
  /** 0–7; index of the quantiser from which intra DC is coded like AC (Table 6-21). */
  readonly intraDcVlcThreshold: number;
  readonly quant: number;
  /** 1–7, 0 where the coding type has none. */
  readonly forwardCode: number;
  readonly backwardCode: number;
  /** Position in bits, from the start of `bytes`, of the first macroblock (of the stuffing where not coded). */
  readonly endBit: number;
}

const CODING_TYPES = ["I", "P", "B", "S"] as const;
/** A minute without a reference VOP; encoders write 0 or 1. */
const MAX_MODULO_SECONDS = 60;

/**
 * Reads the VOP header whose start code stands at `startIndex`. Undefined where a marker bit or field is wrong, or (for
 * sprites) where the header goes on with what is not read here. "more" where the bytes end within it.
 */
export function parseVopHeader(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  config: VolConfig,
): VopHeader | "more" | undefined {
  try {
    return readVopHeader(new BitReader(bytes, startIndex + 4, endIndex), config);
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "MEDIA_MALFORMED") return "more";
    throw error;
  }
}

function readVopHeader(reader: BitReader, config: VolConfig): VopHeader | undefined {
  const codingType = CODING_TYPES[reader.bits(2) & 3] ?? "I";
  let moduloTimeBaseSeconds = 0;
  while (reader.flag()) {
    moduloTimeBaseSeconds++;
    if (moduloTimeBaseSeconds > MAX_MODULO_SECONDS) return undefined;
  }
  if (!reader.flag()) return undefined;
  const timeIncrementTicks = reader.bits(config.timeIncrementBits);
  if (timeIncrementTicks >= config.timeIncrementResolution || !reader.flag()) return undefined;
  const time = { codingType, moduloTimeBaseSeconds, timeIncrementTicks };
  if (!reader.flag()) {
    const nothing = { intraDcVlcThreshold: 0, quant: 0, forwardCode: 0, backwardCode: 0 };
    return { ...time, isCoded: false, ...nothing, endBit: reader.bitPosition };
  }
  if (codingType === "P" || (codingType === "S" && config.spriteEnable === 2)) reader.skip(1);
  const intraDcVlcThreshold = reader.bits(3);
  if (config.isInterlaced) reader.skip(2);
  const isSprite = codingType === "S";
  const quant = isSprite ? 1 : reader.bits(config.quantPrecisionBits);
  const forwardCode = codingType === "P" || codingType === "B" ? reader.bits(3) : 0;
  const backwardCode = codingType === "B" ? reader.bits(3) : 0;
  const isMissingCode =
    (codingType === "P" && forwardCode === 0) || (codingType === "B" && forwardCode * backwardCode === 0);
  if (quant === 0 || isMissingCode) return undefined;
  return { ...time, isCoded: true, intraDcVlcThreshold, quant, forwardCode, backwardCode, endBit: reader.bitPosition };
}
