import type { BoundedBits } from "./bounded-bits.ts";
import type { FlacConfig } from "./flac-config.ts";

/** A frame header that fits its stream (RFC 9639 §9.1). */
export interface FlacFrameHeader {
  /** Samples per channel in the frame. */
  readonly blockSamples: number;
  /** Channel assignment: 0–7 independent, 8 left/side, 9 side/right, 10 mid/side. */
  readonly assignment: number;
  /** Whether `codedNumber` counts samples (variable block sizes) or frames. */
  readonly countsSamples: boolean;
  readonly codedNumber: number;
}

const SYNC = 0x3ffe;
/** Fixed block sizes by code; 0 marks the codes that stand for something else. */
const BLOCK_SAMPLES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768] as const;
const RATES_HZ = [0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000] as const;
const SAMPLE_BITS = [0, 8, 12, 0, 16, 20, 24, 32] as const;

/**
 * Parses the header up to its CRC-8, which the caller checks. Undefined where it is none of this stream's; reads zeros
 * past the end of the visible bytes.
 */
export function parseFlacFrameHeader(bits: BoundedBits, config: FlacConfig): FlacFrameHeader | undefined {
  const fixed = bits.bits(16);
  if (fixed >> 2 !== SYNC || (fixed & 2) !== 0) return undefined;
  const codes = bits.bits(16);
  const blockCode = codes >> 12;
  const rateCode = (codes >> 8) & 15;
  const assignment = (codes >> 4) & 15;
  const depthCode = (codes >> 1) & 7;
  if (blockCode === 0 || rateCode === 15 || assignment > 10 || depthCode === 3 || (codes & 1) !== 0) return undefined;
  if ((assignment < 8 ? assignment + 1 : 2) !== config.channels) return undefined;
  if (depthCode !== 0 && SAMPLE_BITS[depthCode] !== config.bitsPerSample) return undefined;
  const codedNumber = readCodedNumber(bits);
  if (codedNumber === undefined) return undefined;
  const blockSamples =
    blockCode === 6 || blockCode === 7 ? bits.bits(blockCode === 6 ? 8 : 16) + 1 : BLOCK_SAMPLES[blockCode];
  if (blockSamples === undefined || blockSamples > config.maxBlockSamples) return undefined;
  const rateHz = readRate(bits, rateCode);
  if (rateHz !== 0 && rateHz !== config.samplingRateHz) return undefined;
  return { blockSamples, assignment, countsSamples: (fixed & 1) === 1, codedNumber };
}

/** 0 where STREAMINFO tells. */
function readRate(bits: BoundedBits, code: number): number | undefined {
  if (code === 12) return bits.bits(8) * 1000;
  if (code === 13) return bits.bits(16);
  if (code === 14) return bits.bits(16) * 10;
  return RATES_HZ[code];
}

/** The frame or sample number, coded as UTF-8 codes characters, but up to 36 bits (RFC 9639 §9.1.5). */
function readCodedNumber(bits: BoundedBits): number | undefined {
  const first = bits.bits(8);
  if (first < 0x80) return first;
  const length = Math.clz32(~(first << 24));
  if (length < 2 || length > 7) return undefined;
  let value = length === 7 ? 0 : first & (2 ** (7 - length) - 1);
  for (let i = 1; i < length; i++) {
    const byte = bits.bits(8);
    if (byte >> 6 !== 2) return undefined;
    value = value * 64 + (byte & 0x3f);
  }
  return value;
}
