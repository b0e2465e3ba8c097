import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";

/** The ALACSpecificConfig, Apple Lossless's magic cookie. */
export interface AlacConfig {
  /** Samples per channel and packet, usually 4096; the last packet of a track may hold fewer. */
  readonly frameSamples: number;
  /** Bits per sample: 16, 20, 24 or 32. */
  readonly bitsPerSample: number;
  /** Speed of the adaptation (pb), its start (mb) and the longest parameter (kb) of the Golomb coder. */
  readonly riceHistoryMultiplier: number;
  readonly riceInitialHistory: number;
  readonly riceParameterLimit: number;
  /** 1 to 8. */
  readonly channels: number;
  readonly samplingRateHz: number;
}

const CONFIG_BYTES = 24;
const MAX_FRAME_SAMPLES = 65536;

/**
 * Parses the cookie wherever it lies: bare (24 bytes), as the payload of an `alac` box (version and flags before it), or
 * in the boxes of a QuickTime `wave` (`frma`, `alac`, terminator). Throws MEDIA_MALFORMED where none with possible
 * values is found.
 */
export function parseAlacConfig(bytes: Uint8Array): AlacConfig {
  for (const start of candidateStarts(bytes)) {
    const config = start + CONFIG_BYTES <= bytes.length ? readConfig(bytes, start) : undefined;
    if (config !== undefined) return config;
  }
  throw new ReelmillError("MEDIA_MALFORMED", `alac: no configuration found in ${bytes.length} bytes (24 at least).`);
}

/** Offsets where a cookie may begin, the surest first: after each `alac` fourcc, after version and flags, at once. */
function candidateStarts(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let i = 0; i + 4 <= bytes.length; i++) {
    const isFourcc = bytes[i] === 0x61 && bytes[i + 1] === 0x6c && bytes[i + 2] === 0x61 && bytes[i + 3] === 0x63;
    if (isFourcc) starts.push(i + 8, i + 4);
  }
  return [...starts, 4, 0];
}

function readConfig(bytes: Uint8Array, start: number): AlacConfig | undefined {
  const reader = new BitReader(bytes, start);
  const frameSamples = reader.bits(32);
  reader.skip(8);
  const bitsPerSample = reader.bits(8);
  const riceHistoryMultiplier = reader.bits(8);
  const riceInitialHistory = reader.bits(8);
  const riceParameterLimit = reader.bits(8);
  const channels = reader.bits(8);
  reader.skip(16 + 32 + 32);
  const samplingRateHz = reader.bits(32);
  const isPossible =
    frameSamples >= 1 &&
    frameSamples <= MAX_FRAME_SAMPLES &&
    bitsPerSample >= 8 &&
    bitsPerSample <= 32 &&
    riceParameterLimit <= 24 &&
    channels >= 1 &&
    channels <= 8;
  if (!isPossible) return undefined;
  return {
    frameSamples,
    bitsPerSample,
    riceHistoryMultiplier,
    riceInitialHistory,
    riceParameterLimit,
    channels,
    samplingRateHz,
  };
}
