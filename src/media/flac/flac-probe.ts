import type { PacketProbe } from "../bytes/packet-probe.ts";
import { BoundedBits } from "./bounded-bits.ts";
import { crc8, crc16 } from "./checksums.ts";
import type { FlacConfig } from "./flac-config.ts";
import { parseFlacFrameHeader } from "./frame-header.ts";
import { skipSubframe } from "./subframe.ts";

/** One FLAC frame whose end is known and whose checksums fit. */
export interface FlacFrame {
  readonly kind: "frame";
  readonly sizeBytes: number;
  readonly evidenceBits: number;
  /** Samples per channel. */
  readonly durationSamples: number;
  /** Number of the frame in its stream, or of its first sample where `countsSamples`; counts from 0. */
  readonly codedNumber: number;
  readonly countsSamples: boolean;
}

/** What `parseFrame` answers: a frame, too few bytes to tell, or no frame. */
export type FlacFrameProbe =
  | FlacFrame
  | { readonly kind: "more"; readonly neededBytes: number }
  | { readonly kind: "no" };

/** Finds FLAC frames of one stream. Holds a reader and is for one caller at a time. */
export interface FlacProbe {
  /** What starts at `bytes[startIndex]`, looking no further than `endIndex`. Never throws. */
  parseFrame(bytes: Uint8Array, startIndex: number, endIndex: number): FlacFrameProbe;
  /** The same as a packet of an audio track. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

const NO_FRAME: FlacFrameProbe = { kind: "no" };
/** Sync, number, explicit block size and rate, CRC-8. */
const MAX_HEADER_BYTES = 16;
const CRC16_BYTES = 2;
/** Bytes that a subframe may take beyond its samples written plainly: header, wasted bits, partition parameters. */
const SUBFRAME_OVERHEAD_BYTES = 64;
/** Sync and reserved bits 16, CRC-8 8, CRC-16 16; the syntax in between is left out, being hard to weigh. */
const EVIDENCE_BITS = 40;

/** A probe for the frames of the stream that `config` describes. */
export function createFlacProbe(config: FlacConfig): FlacProbe {
  const bits = new BoundedBits();
  const parseFrame = (bytes: Uint8Array, startIndex: number, endIndex: number): FlacFrameProbe => {
    const end = Math.min(endIndex, bytes.length);
    if (startIndex < end && bytes[startIndex] !== 0xff) return NO_FRAME;
    if (startIndex + 1 < end && ((bytes[startIndex + 1] as number) & 0xfe) !== 0xf8) return NO_FRAME;
    return parseFrameAt(config, bits, bytes, startIndex, end);
  };
  return {
    parseFrame,
    probe(bytes, startIndex, endIndex) {
      const answer = parseFrame(bytes, startIndex, endIndex);
      if (answer.kind !== "frame") return answer;
      const { sizeBytes, evidenceBits, durationSamples } = answer;
      return { kind: "packet", sizeBytes, evidenceBits, isSync: true, durationSamples };
    },
  };
}

function parseFrameAt(
  config: FlacConfig,
  bits: BoundedBits,
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
): FlacFrameProbe {
  bits.place(bytes, startIndex, endIndex);
  const header = parseFlacFrameHeader(bits, config);
  const headerEnd = startIndex + bits.bit / 8 + 1;
  if (headerEnd > endIndex) return more(MAX_HEADER_BYTES, startIndex, endIndex);
  if (header === undefined || crc8(bytes, startIndex, headerEnd) !== 0) return NO_FRAME;
  bits.bit += 8;
  const maxFrameBytes = longestFrame(config, header.blockSamples);
  for (let channel = 0; channel < config.channels; channel++) {
    const isWellFormed = skipSubframe(bits, header.blockSamples, subframeBits(config, header.assignment, channel));
    if (bits.isPastEnd) return more(maxFrameBytes, startIndex, endIndex);
    if (!isWellFormed) return NO_FRAME;
  }
  if (bits.alignToByte() !== 0) return NO_FRAME;
  const sizeBytes = bits.bit / 8 + CRC16_BYTES;
  if (sizeBytes > maxFrameBytes) return NO_FRAME;
  if (startIndex + sizeBytes > endIndex) return more(maxFrameBytes, startIndex, endIndex);
  if (crc16(bytes, startIndex, startIndex + sizeBytes) !== 0) return NO_FRAME;
  const { blockSamples, codedNumber, countsSamples } = header;
  return {
    kind: "frame",
    sizeBytes,
    evidenceBits: EVIDENCE_BITS,
    durationSamples: blockSamples,
    codedNumber,
    countsSamples,
  };
}

/** Bits per sample of one channel: the side channel has one more. */
function subframeBits(config: FlacConfig, assignment: number, channel: number): number {
  const isSide = channel === (assignment === 9 ? 0 : 1) && assignment >= 8;
  return config.bitsPerSample + (isSide ? 1 : 0);
}

/** No encoder lets a frame grow much beyond its samples written plainly. */
function longestFrame(config: FlacConfig, blockSamples: number): number {
  const sampleBytes = Math.ceil((blockSamples * (config.bitsPerSample + 1)) / 8);
  return MAX_HEADER_BYTES + CRC16_BYTES + config.channels * (sampleBytes + SUBFRAME_OVERHEAD_BYTES);
}

/** Asks for more where more could be: past the bound the bytes cannot be a frame. */
function more(neededBytes: number, startIndex: number, endIndex: number): FlacFrameProbe {
  return endIndex - startIndex >= neededBytes ? NO_FRAME : { kind: "more", neededBytes };
}
