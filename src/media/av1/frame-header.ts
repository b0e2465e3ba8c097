import { ReelmillError } from "../../base/errors.ts";
import type { BitReader } from "../bytes/bit-reader.ts";
import { skipCodingTools } from "./coding-tools.ts";
import type { FrameContext, FrameSize } from "./frame-context.ts";
import type { Av1ReferenceFrame, Av1State, SegmentQuantizers } from "./frame-state.ts";
import { type Av1SequenceHeader, SELECT_PER_FRAME } from "./sequence-header.ts";
import { type Av1TileInfo, parseTileInfo } from "./tile-info.ts";

/** frame_type of a key frame. */
export const KEY_FRAME = 0;
/** frame_type of an intra-only frame. */
const INTRA_ONLY_FRAME = 2;
/** frame_type of a switch frame. */
const SWITCH_FRAME = 3;

/** The part of uncompressed_header (AV1 §5.9.2) that tells where a sample ends and what state it leaves. */
export interface Av1FrameHeader {
  /** True where the header only shows a frame decoded before; the fields of a coded frame are then that frame's. */
  readonly showsExisting: boolean;
  readonly frameType: number;
  readonly showFrame: boolean;
  /** Undefined where a frame is shown that is not known. */
  readonly orderHint: number | undefined;
  /** Undefined where nothing is coded, or where the size hangs on a reference that is not known. */
  readonly tiles: Av1TileInfo | undefined;
  /** The reference slots after this frame. */
  readonly references: readonly (Av1ReferenceFrame | undefined)[];
  /** Bits parsed from the header's start; undefined where it could not be parsed to its end. */
  readonly headerBits: number | undefined;
  /** Of the references the frame names, how many are known and how many are not. */
  readonly knownReferences: number;
  readonly unknownReferences: number;
}

/** Where a frame header stands among layers; needed for operating parameters. */
export interface LayerIds {
  readonly temporalId: number;
  readonly spatialId: number;
}

/**
 * Parses a frame header from its first bit. Throws MEDIA_MALFORMED where the bytes end early or break a rule that any
 * encoder keeps. Needs a state with a sequence header.
 */
export function parseAv1FrameHeader(
  reader: BitReader,
  sequence: Av1SequenceHeader,
  state: Av1State,
  layer: LayerIds,
): Av1FrameHeader {
  const startBit = reader.bitPosition;
  if (!sequence.reducedStillPicture && reader.flag()) return parseShowExisting(reader, sequence, state, startBit);
  const head = parseHead(reader, sequence);
  const { frameType, isIntra, showFrame, errorResilient } = head;
  const disableCdfUpdate = reader.flag();
  const allowScreenContent =
    sequence.forceScreenContentTools === SELECT_PER_FRAME ? reader.flag() : sequence.forceScreenContentTools === 1;
  let forceIntegerMv = false;
  if (allowScreenContent) {
    forceIntegerMv = sequence.forceIntegerMv === SELECT_PER_FRAME ? reader.flag() : sequence.forceIntegerMv === 1;
  }
  if (sequence.frameIds) reader.skip(sequence.frameIds.idBits);
  const sizeOverride = frameType === SWITCH_FRAME || (!sequence.reducedStillPicture && reader.flag());
  const orderHint = reader.bits(sequence.orderHintBits);
  const primaryReference = isIntra || errorResilient ? 7 : reader.bits(3);
  if (sequence.decoderModel) skipBufferRemovalTimes(reader, sequence, layer);
  const refreshAll = frameType === SWITCH_FRAME || (frameType === KEY_FRAME && showFrame);
  const refreshFlags = refreshAll ? 0xff : reader.bits(8);
  if (frameType === INTRA_ONLY_FRAME && refreshFlags === 0xff)
    throw malformed("an intra-only frame refreshes all slots");
  if ((!isIntra || refreshFlags !== 0xff) && errorResilient) reader.skip(8 * sequence.orderHintBits);
  const body = isIntra
    ? parseIntraBody(reader, sequence, sizeOverride, allowScreenContent)
    : parseInterBody(reader, sequence, state, { sizeOverride, errorResilient, forceIntegerMv });
  const partial = { sequence, state, ...head, orderHint, primaryReference, ...body };
  return parseTail(reader, partial, { startBit, refreshFlags, disableCdfUpdate });
}

type Head = Pick<FrameContext, "frameType" | "isIntra" | "showFrame" | "showableFrame" | "errorResilient">;

function parseHead(reader: BitReader, sequence: Av1SequenceHeader): Head {
  if (sequence.reducedStillPicture) {
    return { frameType: KEY_FRAME, isIntra: true, showFrame: true, showableFrame: false, errorResilient: true };
  }
  const frameType = reader.bits(2);
  const isIntra = frameType === KEY_FRAME || frameType === INTRA_ONLY_FRAME;
  const showFrame = reader.flag();
  if (showFrame && sequence.decoderModel && !sequence.equalPictureInterval) {
    reader.skip(sequence.decoderModel.framePresentationTimeBits);
  }
  const showableFrame = showFrame ? frameType !== KEY_FRAME : reader.flag();
  const errorResilient = frameType === SWITCH_FRAME || (frameType === KEY_FRAME && showFrame) || reader.flag();
  return { frameType, isIntra, showFrame, showableFrame, errorResilient };
}

function parseShowExisting(
  reader: BitReader,
  sequence: Av1SequenceHeader,
  state: Av1State,
  startBit: number,
): Av1FrameHeader {
  const slot = reader.bits(3);
  if (sequence.decoderModel && !sequence.equalPictureInterval) {
    reader.skip(sequence.decoderModel.framePresentationTimeBits);
  }
  if (sequence.frameIds) reader.skip(sequence.frameIds.idBits);
  const shown = state.references[slot];
  if (shown && !shown.showableFrame) throw malformed("it shows a frame that is not showable");
  const isKey = shown?.frameType === KEY_FRAME;
  return {
    showsExisting: true,
    frameType: shown?.frameType ?? 1,
    showFrame: true,
    orderHint: shown?.orderHint,
    tiles: undefined,
    // A key frame shown this way fills every slot (AV1 §7.21).
    references: isKey ? state.references.map(() => shown) : state.references,
    headerBits: reader.bitPosition - startBit,
    knownReferences: shown ? 1 : 0,
    unknownReferences: shown ? 0 : 1,
  };
}

function skipBufferRemovalTimes(reader: BitReader, sequence: Av1SequenceHeader, layer: LayerIds): void {
  if (!sequence.decoderModel || !reader.flag()) return;
  for (const point of sequence.operatingPoints) {
    if (!point.hasDecoderModel) continue;
    const inTemporal = ((point.idc >>> layer.temporalId) & 1) === 1;
    const inSpatial = ((point.idc >>> (layer.spatialId + 8)) & 1) === 1;
    if (point.idc === 0 || (inTemporal && inSpatial)) reader.skip(sequence.decoderModel.bufferRemovalTimeBits);
  }
}

type Body = Pick<FrameContext, "allowIntraBlockCopy" | "allowHighPrecisionMv" | "referenceSlots"> & {
  readonly size: FrameSize | undefined;
};

function parseIntraBody(
  reader: BitReader,
  sequence: Av1SequenceHeader,
  sizeOverride: boolean,
  allowScreenContent: boolean,
): Body {
  const size = parseFrameSize(reader, sequence, sizeOverride);
  skipRenderSize(reader);
  const allowIntraBlockCopy = allowScreenContent && size.upscaledWidth === size.frameWidth && reader.flag();
  return { allowIntraBlockCopy, allowHighPrecisionMv: false, referenceSlots: [], size };
}

function parseInterBody(
  reader: BitReader,
  sequence: Av1SequenceHeader,
  state: Av1State,
  flags: { readonly sizeOverride: boolean; readonly errorResilient: boolean; readonly forceIntegerMv: boolean },
): Body {
  const referenceSlots = parseReferenceSlots(reader, sequence);
  let size: FrameSize | undefined;
  if (flags.sizeOverride && !flags.errorResilient)
    size = parseSizeWithReferences(reader, sequence, state, referenceSlots);
  else {
    size = parseFrameSize(reader, sequence, flags.sizeOverride);
    skipRenderSize(reader);
  }
  const body = { allowIntraBlockCopy: false, allowHighPrecisionMv: false, referenceSlots, size };
  if (!size) return body;
  const allowHighPrecisionMv = !flags.forceIntegerMv && reader.flag();
  if (!reader.flag()) reader.skip(2); // interpolation_filter
  reader.skip(1); // is_motion_mode_switchable
  if (!flags.errorResilient && sequence.enableRefFrameMvs) reader.skip(1);
  return { ...body, allowHighPrecisionMv };
}

function parseReferenceSlots(reader: BitReader, sequence: Av1SequenceHeader): (number | undefined)[] {
  const isShort = sequence.orderHintBits > 0 && reader.flag();
  const slots = new Array<number | undefined>(7).fill(undefined);
  if (isShort) {
    slots[0] = reader.bits(3);
    slots[3] = reader.bits(3);
  }
  for (let i = 0; i < 7; i++) {
    if (!isShort) slots[i] = reader.bits(3);
    if (sequence.frameIds) reader.skip(sequence.frameIds.deltaBits);
  }
  return slots;
}

function parseFrameSize(reader: BitReader, sequence: Av1SequenceHeader, sizeOverride: boolean): FrameSize {
  const width = sizeOverride ? reader.bits(sequence.frameWidthBits) + 1 : sequence.maxFrameWidth;
  const frameHeight = sizeOverride ? reader.bits(sequence.frameHeightBits) + 1 : sequence.maxFrameHeight;
  if (width > sequence.maxFrameWidth || frameHeight > sequence.maxFrameHeight) {
    throw malformed("the frame is larger than the sequence allows");
  }
  return parseSuperres(reader, sequence, width, frameHeight);
}

function parseSuperres(
  reader: BitReader,
  sequence: Av1SequenceHeader,
  upscaledWidth: number,
  frameHeight: number,
): FrameSize {
  const denominator = sequence.enableSuperres && reader.flag() ? reader.bits(3) + 9 : 8;
  return {
    upscaledWidth,
    frameWidth: Math.floor((upscaledWidth * 8 + (denominator >>> 1)) / denominator),
    frameHeight,
  };
}

function skipRenderSize(reader: BitReader): void {
  if (reader.flag()) reader.skip(32);
}

function parseSizeWithReferences(
  reader: BitReader,
  sequence: Av1SequenceHeader,
  state: Av1State,
  slots: readonly (number | undefined)[],
): FrameSize | undefined {
  for (const slot of slots) {
    if (!reader.flag()) continue;
    const frame = slot === undefined ? undefined : state.references[slot];
    return frame && parseSuperres(reader, sequence, frame.upscaledWidth, frame.frameHeight);
  }
  const size = parseFrameSize(reader, sequence, true);
  skipRenderSize(reader);
  return size;
}

function parseTail(
  reader: BitReader,
  partial: Omit<FrameContext, "size"> & { readonly size: FrameSize | undefined },
  extra: { readonly startBit: number; readonly refreshFlags: number; readonly disableCdfUpdate: boolean },
): Av1FrameHeader {
  const { sequence, state, size, referenceSlots } = partial;
  let tiles: Av1TileInfo | undefined;
  let isComplete = false;
  let segmentQuantizers: SegmentQuantizers | undefined;
  if (size) {
    if (!sequence.reducedStillPicture && !extra.disableCdfUpdate) reader.skip(1);
    tiles = parseTileInfo(reader, sequence, size.frameWidth, size.frameHeight);
    const tools = skipCodingTools(reader, { ...partial, size });
    isComplete = tools.isComplete;
    segmentQuantizers = tools.segmentQuantizers;
  }
  const named = referenceSlots.map((slot) => slot !== undefined && state.references[slot] !== undefined);
  return {
    showsExisting: false,
    frameType: partial.frameType,
    showFrame: partial.showFrame,
    orderHint: partial.orderHint,
    tiles,
    references: refresh(partial, extra.refreshFlags, segmentQuantizers),
    headerBits: isComplete ? reader.bitPosition - extra.startBit : undefined,
    knownReferences: named.filter(Boolean).length,
    unknownReferences: named.filter((known) => !known).length,
  };
}

/** The reference frame update process (AV1 §7.20) for the fields that headers need. */
function refresh(
  partial: Omit<FrameContext, "size"> & { readonly size: FrameSize | undefined },
  refreshFlags: number,
  segmentQuantizers: SegmentQuantizers | undefined,
): (Av1ReferenceFrame | undefined)[] {
  const { size, frameType, showableFrame, orderHint } = partial;
  const frame: Av1ReferenceFrame | undefined = size && {
    frameType,
    showableFrame,
    orderHint,
    upscaledWidth: size.upscaledWidth,
    frameHeight: size.frameHeight,
    segmentQuantizers,
  };
  return partial.state.references.map((old, slot) => (((refreshFlags >>> slot) & 1) === 1 ? frame : old));
}

function malformed(what: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `Not a valid AV1 frame header: ${what}.`);
}
