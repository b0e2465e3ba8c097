import { BitReader } from "../bytes/bit-reader.ts";
import type { ByteWindow } from "../bytes/byte-window.ts";
import { type Av1FrameHeader, KEY_FRAME, parseAv1FrameHeader } from "./frame-header.ts";
import { type Av1State, relativeDistance } from "./frame-state.ts";
import {
  OBU_FRAME,
  OBU_FRAME_HEADER,
  OBU_HEADER_MAX_BYTES,
  OBU_METADATA,
  OBU_PADDING,
  OBU_REDUNDANT_FRAME_HEADER,
  OBU_SEQUENCE_HEADER,
  OBU_TEMPORAL_DELIMITER,
  OBU_TILE_GROUP,
  type ObuHeader,
  parseObuHeader,
} from "./obu.ts";
import { parseAv1SequenceHeader } from "./sequence-header.ts";
import { walkTiles } from "./tile-group.ts";

/** What stands at an offset when it is taken for the start of a temporal unit, as MP4 stores it in one sample. */
export type Av1SampleProbe =
  | {
      readonly kind: "sample";
      /** Exact length of the temporal unit. */
      readonly sizeBytes: number;
      /** −log2 of the chance that random bytes pass the same checks. */
      readonly evidenceBits: number;
      /** Whether the unit starts with a shown key frame. */
      readonly isSync: boolean;
      /** Order hint of the (last) shown frame: presentation order modulo 2^OrderHintBits. Undefined if it is not known. */
      readonly orderHint: number | undefined;
      /** Coded frames in the unit, hidden ones included. */
      readonly frameCount: number;
      /** The state for the sample after this one. */
      readonly nextState: Av1State;
    }
  /** A temporal unit starts here, but runs past the end of the data. */
  | { readonly kind: "cut"; readonly evidenceBits: number }
  | { readonly kind: "no" };

const NO_SAMPLE: Av1SampleProbe = { kind: "no" };
/** Headers are rarely over 100 bytes; film grain and explicit tiles bring the longest to about 600. */
const FRAME_HEADER_MAX_BYTES = 1024;
const SEQUENCE_HEADER_MAX_BYTES = 512;
/** A temporal unit of more OBUs than this is not from an encoder. */
const MAX_OBUS = 8192;

/** A frame whose tile groups are not all there yet. */
interface OpenFrame {
  readonly header: Av1FrameHeader;
  readonly layer: ObuHeader;
  readonly isLastTileSeen: boolean;
}

/** The walk through one temporal unit; `step` moves it on by one OBU. */
interface Walk {
  offset: number;
  state: Av1State;
  evidenceBits: number;
  frameCount: number;
  isSync: boolean;
  hasSequence: boolean;
  open: OpenFrame | undefined;
  shown: { readonly orderHint: number | undefined; readonly layer: ObuHeader } | undefined;
}

/**
 * Finds the temporal unit at absolute `offset`: OBUs up to and including the last tile of the shown frame (of every
 * spatial layer), and padding after it. Looks at headers only and jumps over tile data. `endOffset` bounds the data,
 * by default the end of the source. Needs a sequence header in `state` or in the unit.
 */
export function probeAv1Sample(
  window: ByteWindow,
  offset: number,
  state: Av1State,
  endOffset: number = window.sizeBytes,
): Av1SampleProbe {
  const walk: Walk = {
    offset,
    state,
    evidenceBits: 0,
    frameCount: 0,
    isSync: false,
    hasSequence: false,
    open: undefined,
    shown: undefined,
  };
  for (let i = 0; i < MAX_OBUS; i++) {
    const obu = readObuHeader(window, walk.offset, endOffset);
    if (walk.shown && !continuesShown(window, walk, walk.shown.layer, obu, endOffset)) {
      return finish(walk, offset, walk.shown.orderHint);
    }
    if (!obu) {
      // A header that the end of the data cuts is not a wrong one.
      const isCut = i > 0 && endOffset - walk.offset < OBU_HEADER_MAX_BYTES;
      return isCut ? { kind: "cut", evidenceBits: walk.evidenceBits } : NO_SAMPLE;
    }
    const verdict = step(window, walk, obu, endOffset);
    if (verdict === "no") return NO_SAMPLE;
    if (verdict === "cut") return { kind: "cut", evidenceBits: walk.evidenceBits };
  }
  return NO_SAMPLE;
}

function finish(walk: Walk, offset: number, orderHint: number | undefined): Av1SampleProbe {
  return {
    kind: "sample",
    sizeBytes: walk.offset - offset,
    evidenceBits: Math.max(0, Math.floor(walk.evidenceBits)),
    isSync: walk.isSync,
    orderHint,
    frameCount: walk.frameCount,
    nextState: { ...walk.state, shownOrderHint: orderHint },
  };
}

function readObuHeader(window: ByteWindow, offset: number, endOffset: number): ObuHeader | undefined {
  const visible = window.load(offset, OBU_HEADER_MAX_BYTES);
  const index = offset - window.baseOffset;
  return parseObuHeader(window.bytes, index, index + Math.min(visible, endOffset - offset));
}

/** Whether the OBU after a shown frame still belongs to its temporal unit: a higher spatial layer, or padding. */
function continuesShown(
  window: ByteWindow,
  walk: Walk,
  shown: ObuHeader,
  obu: ObuHeader | undefined,
  endOffset: number,
): boolean {
  if (!obu) return false;
  const end = walk.offset + obu.headerBytes + obu.payloadBytes;
  if (obu.type === OBU_PADDING) return end <= endOffset && endsWithTrailingBit(window, end, obu.payloadBytes);
  if (obu.type !== OBU_FRAME && obu.type !== OBU_FRAME_HEADER) return false;
  return (
    shown.hasExtension && obu.hasExtension && obu.temporalId === shown.temporalId && obu.spatialId > shown.spatialId
  );
}

/** Whether a payload's last byte that is not zero is the trailing one bit alone (AV1 §5.3.4, §5.8.1). */
function endsWithTrailingBit(window: ByteWindow, endOffset: number, payloadBytes: number): boolean {
  const lookBack = Math.min(payloadBytes, 64);
  if (lookBack === 0) return false;
  window.load(endOffset - lookBack, lookBack);
  for (let offset = endOffset - 1; offset >= endOffset - lookBack; offset--) {
    const byte = window.bytes[offset - window.baseOffset];
    if (byte !== 0) return byte === 0x80;
  }
  return false;
}

type Verdict = "next" | "no" | "cut";

/** Takes one OBU into the walk. */
function step(window: ByteWindow, walk: Walk, obu: ObuHeader, endOffset: number): Verdict {
  const end = walk.offset + obu.headerBytes + obu.payloadBytes;
  const isFirst = walk.evidenceBits === 0;
  let verdict: Verdict;
  switch (obu.type) {
    case OBU_TEMPORAL_DELIMITER:
      verdict = isFirst && obu.payloadBytes === 0 ? "next" : "no";
      walk.evidenceBits += 14;
      break;
    case OBU_SEQUENCE_HEADER:
      verdict = walk.open || walk.frameCount > 0 ? "no" : takeSequence(window, walk, obu);
      break;
    case OBU_METADATA:
    case OBU_PADDING:
      verdict = takeMetadata(window, walk, obu, end, endOffset);
      break;
    case OBU_FRAME:
    case OBU_FRAME_HEADER:
      verdict = walk.open ? "no" : takeFrame(window, walk, obu, endOffset);
      break;
    case OBU_TILE_GROUP:
      verdict = takeTileGroup(window, walk, obu, endOffset);
      break;
    case OBU_REDUNDANT_FRAME_HEADER:
      verdict = walk.open ? "next" : "no";
      walk.evidenceBits += 5;
      break;
    default:
      verdict = "no";
  }
  if (verdict === "next" && end > endOffset) return "cut";
  walk.offset = end;
  return verdict;
}

function takeSequence(window: ByteWindow, walk: Walk, obu: ObuHeader): Verdict {
  if (obu.payloadBytes > SEQUENCE_HEADER_MAX_BYTES || obu.payloadBytes < 5) return "no";
  const reader = readerAt(window, walk.offset + obu.headerBytes, obu.payloadBytes);
  try {
    const sequence = parseAv1SequenceHeader(reader);
    if (!reader.flag()) return "no"; // trailing_one_bit
    while (reader.bitsLeft > 0) if (reader.flag()) return "no";
    const isKnown = JSON.stringify(sequence) === JSON.stringify(walk.state.sequence);
    walk.evidenceBits += isKnown ? 8 * obu.payloadBytes : 16;
    walk.state = { ...walk.state, sequence };
    walk.hasSequence = true;
    return "next";
  } catch {
    return "no";
  }
}

function takeMetadata(window: ByteWindow, walk: Walk, obu: ObuHeader, end: number, endOffset: number): Verdict {
  if (end > endOffset) return "cut";
  if (!endsWithTrailingBit(window, end, obu.payloadBytes)) return "no";
  walk.evidenceBits += 12;
  if (obu.type === OBU_PADDING) return "next";
  // metadata_type: 1 to 5 are defined, 6 to 31 are for private use
  const type = window.u8(walk.offset + obu.headerBytes);
  return type >= 1 && type <= 31 ? "next" : "no";
}

function takeFrame(window: ByteWindow, walk: Walk, obu: ObuHeader, endOffset: number): Verdict {
  const { sequence } = walk.state;
  if (!sequence || obu.payloadBytes === 0) return "no";
  const payloadOffset = walk.offset + obu.headerBytes;
  const reader = readerAt(window, payloadOffset, Math.min(obu.payloadBytes, endOffset - payloadOffset));
  const startBit = reader.bitPosition;
  let header: Av1FrameHeader;
  try {
    header = parseAv1FrameHeader(reader, sequence, walk.state, obu);
    if (!checkHeaderEnd(walk, obu, header, reader)) return "no";
  } catch {
    return payloadOffset + FRAME_HEADER_MAX_BYTES > endOffset && payloadOffset + obu.payloadBytes > endOffset
      ? "cut"
      : "no";
  }
  walk.evidenceBits += frameEvidenceBits(walk.state, header);
  if (walk.frameCount === 0) walk.isSync = header.frameType === KEY_FRAME && !header.showsExisting && header.showFrame;
  walk.frameCount++;
  walk.state = { ...walk.state, references: header.references };
  if (header.showsExisting) closeFrame(walk, { header, layer: obu, isLastTileSeen: true });
  else if (obu.type === OBU_FRAME_HEADER) walk.open = { header, layer: obu, isLastTileSeen: false };
  else {
    const tilesAt = header.headerBits === undefined ? undefined : Math.ceil((reader.bitPosition - startBit) / 8);
    return takeTiles(window, walk, { header, layer: obu, isLastTileSeen: false }, obu, tilesAt, endOffset);
  }
  return "next";
}

/** Zero bits up to the tile group, or the trailing bits that fill the OBU, follow a header (AV1 §5.3.4, §5.10). */
function checkHeaderEnd(walk: Walk, obu: ObuHeader, header: Av1FrameHeader, reader: BitReader): boolean {
  if (header.showsExisting && obu.type === OBU_FRAME) return false;
  if (header.headerBits === undefined) return true;
  if (obu.type === OBU_FRAME) {
    const padding = (8 - (header.headerBits & 7)) & 7;
    walk.evidenceBits += padding;
    return reader.bits(padding) === 0;
  }
  if (!reader.flag()) return false;
  const rest = reader.bitsLeft;
  walk.evidenceBits += Math.min(16, rest) + 6;
  while (reader.bitsLeft > 0) if (reader.flag()) return false;
  return true;
}

function takeTileGroup(window: ByteWindow, walk: Walk, obu: ObuHeader, endOffset: number): Verdict {
  if (!walk.open) return "no";
  walk.evidenceBits += 5;
  return takeTiles(window, walk, walk.open, obu, 0, endOffset);
}

/** Takes the tile group that starts `tilesAt` bytes into the payload; undefined where the header's end is unknown. */
function takeTiles(
  window: ByteWindow,
  walk: Walk,
  frame: OpenFrame,
  obu: ObuHeader,
  tilesAt: number | undefined,
  endOffset: number,
): Verdict {
  const start = walk.offset + obu.headerBytes;
  const { tiles } = frame.header;
  if (tilesAt === undefined || !tiles) {
    // Without the tile layout, a frame goes on as long as tile groups follow it.
    const end = start + obu.payloadBytes;
    const next = readObuHeader(window, end, endOffset);
    const goesOn = next?.type === OBU_TILE_GROUP || next?.type === OBU_REDUNDANT_FRAME_HEADER;
    if (goesOn || (obu.type === OBU_FRAME_HEADER && !frame.isLastTileSeen)) walk.open = frame;
    else closeFrame(walk, frame);
    return "next";
  }
  const group = walkTiles(window, start + tilesAt, start + obu.payloadBytes, endOffset, tiles);
  if (group === "no") return "no";
  walk.evidenceBits += group.evidenceBits;
  if (group.lastTile === tiles.tileCount - 1) closeFrame(walk, frame);
  else walk.open = frame;
  return "next";
}

function closeFrame(walk: Walk, frame: OpenFrame): void {
  walk.open = undefined;
  if (frame.header.showFrame) walk.shown = { orderHint: frame.header.orderHint, layer: frame.layer };
}

/** What the header's values add to the belief that a frame starts here, given the frames before it. */
function frameEvidenceBits(state: Av1State, header: Av1FrameHeader): number {
  let bits = 6; // the OBU header byte
  if (header.headerBits !== undefined) bits += 4;
  const hintBits = state.sequence?.orderHintBits ?? 0;
  const { orderHint } = header;
  if (state.shownOrderHint !== undefined && orderHint !== undefined && hintBits > 0 && header.frameType !== KEY_FRAME) {
    const ahead = relativeDistance(hintBits, orderHint, state.shownOrderHint);
    const expected = header.showFrame ? 1 : 16;
    if (ahead > 0) bits += Math.max(0, hintBits - Math.log2(Math.abs(ahead - expected) + 1) - 1);
    else bits -= 8;
  }
  return bits - 4 * header.unknownReferences;
}

function readerAt(window: ByteWindow, offset: number, payloadBytes: number): BitReader {
  const wanted = Math.min(payloadBytes, FRAME_HEADER_MAX_BYTES);
  const visible = Math.min(window.load(offset, wanted), wanted);
  const index = offset - window.baseOffset;
  return new BitReader(window.bytes, index, index + Math.max(0, visible));
}
