import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";

/** The STREAMINFO of a FLAC stream (RFC 9639 §8.2). */
export interface FlacConfig {
  /** Smallest and largest block in samples per channel, 16 to 65535; the last block may be smaller. */
  readonly minBlockSamples: number;
  readonly maxBlockSamples: number;
  readonly samplingRateHz: number;
  /** 1 to 8. */
  readonly channels: number;
  /** 4 to 32. */
  readonly bitsPerSample: number;
}

const STREAM_INFO_BYTES = 34;
const FLAC_MARKER = [0x66, 0x4c, 0x61, 0x43] as const;

/**
 * Parses the payload of a `dfLa` box (version and flags, metadata blocks), a native header (`fLaC`, metadata blocks), or
 * a bare STREAMINFO of 34 bytes. Throws MEDIA_MALFORMED where no STREAMINFO is found or its values are out of range.
 */
export function parseFlacConfig(bytes: Uint8Array): FlacConfig {
  const start = bytes.length === STREAM_INFO_BYTES ? 0 : streamInfoStart(bytes);
  const reader = new BitReader(bytes, start);
  const minBlockSamples = reader.bits(16);
  const maxBlockSamples = reader.bits(16);
  reader.skip(48);
  const samplingRateHz = reader.bits(20);
  const channels = reader.bits(3) + 1;
  const bitsPerSample = reader.bits(5) + 1;
  if (maxBlockSamples < minBlockSamples || maxBlockSamples < 16 || bitsPerSample < 4) {
    throw new ReelmillError(
      "MEDIA_MALFORMED",
      `dfLa: STREAMINFO says blocks of ${minBlockSamples} to ${maxBlockSamples} samples (16 to 65535 allowed) ` +
        `of ${bitsPerSample} bits (4 to 32 allowed).`,
    );
  }
  return { minBlockSamples, maxBlockSamples, samplingRateHz, channels, bitsPerSample };
}

/** STREAMINFO is always the first metadata block: type 0, 34 bytes. */
function streamInfoStart(bytes: Uint8Array): number {
  const prefixBytes = bytes[0] === 0 || FLAC_MARKER.every((byte, i) => bytes[i] === byte) ? 4 : 0;
  const isStreamInfo = ((bytes[prefixBytes] ?? 1) & 0x7f) === 0 && bytes[prefixBytes + 3] === STREAM_INFO_BYTES;
  if (!isStreamInfo) throw new ReelmillError("MEDIA_MALFORMED", "dfLa: the first metadata block is not STREAMINFO.");
  return prefixBytes + 4;
}
