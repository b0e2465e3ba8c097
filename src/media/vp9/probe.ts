import { BitReader } from "../bytes/bit-reader.ts";
import { checkCompressedHeader } from "./compressed-header.ts";
import { parseVp9Configuration } from "./configuration.ts";
import {
  createVp9State,
  parseVp9FrameHeader,
  refreshReferences,
  type Vp9FrameHeader,
  type Vp9State,
} from "./uncompressed-header.ts";

/** What stands at a place when it is taken for the start of a VP9 packet. */
export type Vp9StartProbe =
  | {
      readonly kind: "start";
      readonly header: Vp9FrameHeader;
      /** The packet is at least so long: its headers, and all its tiles but the last. */
      readonly minSizeBytes: number;
      /** −log2 of the chance that random bytes pass the same checks. */
      readonly evidenceBits: number;
      /** Whether decoding may start here: a shown key frame. */
      readonly isSync: boolean;
      /** The state after this packet's first frame; hidden frames before a shown one share the packet. */
      readonly nextState: Vp9State;
    }
  /** Undecidable with the bytes given: ask again with at least so many from the start. */
  | { readonly kind: "more"; readonly neededBytes: number }
  | { readonly kind: "no" };

/** Finds VP9 packets with one track's configuration. */
export interface Vp9Probe {
  /** The state before the track's first packet, and after a loss. */
  readonly initialState: Vp9State;
  /** `probeVp9Start`. */
  probeStart(bytes: Uint8Array, startIndex: number, endIndex: number, state: Vp9State, isEnd?: boolean): Vp9StartProbe;
}

/** Makes the probe of a track from the payload of its `vpcC` box. Throws MEDIA_MALFORMED where the record is broken. */
export function createVp9Probe(vpccPayload: Uint8Array): Vp9Probe {
  return { initialState: createVp9State(parseVp9Configuration(vpccPayload).profile), probeStart: probeVp9Start };
}

const NO_START: Vp9StartProbe = { kind: "no" };
/** Compressed headers stay below this; 64 KiB is what the field allows. */
const MAX_COMPRESSED_BYTES = 2048;
const HEADER_MAX_BYTES = 128;
const MAX_TILE_SIZES_WALKED = 64;

/**
 * Whether a VP9 packet starts at `startIndex`: parses both headers and checks every fixed bit, the arithmetic coder's
 * marker and padding, and the sizes of the tiles. Only `[startIndex, endIndex)` is looked at; `isEnd` says that the
 * data end there.
 */
export function probeVp9Start(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  state: Vp9State,
  isEnd = false,
): Vp9StartProbe {
  const first = bytes[startIndex];
  if (first === undefined || startIndex >= endIndex || first >>> 6 !== 2) return NO_START;
  if (state.profile !== undefined && ((first >>> 5) & 1) + 2 * ((first >>> 4) & 1) !== state.profile) return NO_START;
  let header: Vp9FrameHeader | undefined;
  try {
    const end = Math.min(endIndex, startIndex + HEADER_MAX_BYTES);
    header = parseVp9FrameHeader(new BitReader(bytes, startIndex, end), state);
  } catch {
    const mayBeCut = !isEnd && endIndex - startIndex < HEADER_MAX_BYTES;
    return mayBeCut ? { kind: "more", neededBytes: HEADER_MAX_BYTES } : NO_START;
  }
  if (!header) return NO_START;
  if (state.profile !== undefined) header = { ...header, fixedBits: header.fixedBits + 2 };
  if (header.showExistingSlot !== undefined) return showExisting(header, state);
  if (!isPlausible(header, state) || header.compressedBytes > MAX_COMPRESSED_BYTES) return NO_START;
  const headersEnd = startIndex + header.headerBytes + header.compressedBytes;
  if (headersEnd > endIndex) {
    return isEnd ? NO_START : { kind: "more", neededBytes: headersEnd - startIndex };
  }
  const check = checkCompressedHeader(bytes, startIndex + header.headerBytes, headersEnd, header);
  if (!check.isValid) return NO_START;
  const tiles = walkTiles(bytes, headersEnd, endIndex, header);
  if (!tiles) return NO_START;
  const sizeBits = sizeEvidence(header, state);
  return {
    kind: "start",
    header,
    minSizeBytes: tiles.endIndex + 1 - startIndex,
    evidenceBits: header.fixedBits + check.evidenceBits + tiles.evidenceBits + sizeBits,
    isSync: header.isKeyFrame && header.showFrame,
    nextState: refreshReferences(state, header),
  };
}

function showExisting(header: Vp9FrameHeader, state: Vp9State): Vp9StartProbe {
  const isKnown = state.references[header.showExistingSlot ?? 0] !== undefined;
  return {
    kind: "start",
    header,
    minSizeBytes: header.headerBytes,
    evidenceBits: header.fixedBits + (isKnown ? 1 : 0),
    isSync: false,
    nextState: state,
  };
}

/** Rules that every encoder keeps but that are not syntax. */
function isPlausible(header: Vp9FrameHeader, state: Vp9State): boolean {
  if (header.picture && (header.picture.width < 8 || header.picture.height < 8)) return false;
  const known = state.references.find((picture) => picture !== undefined);
  // A key frame may change the size, but not beyond what decoders of the stream were set up for by much.
  if (known && header.picture) {
    return header.picture.width <= known.width * 4 && header.picture.height <= known.height * 4;
  }
  return true;
}

/** A size that equals the references', where it is written out, is 32 bits right by no chance. */
function sizeEvidence(header: Vp9FrameHeader, state: Vp9State): number {
  if (!header.isIntra || !header.picture) return 0;
  const { width, height } = header.picture;
  return state.references.some((known) => known?.width === width && known.height === height) ? 32 : 0;
}

/** Follows the 4-byte sizes of all tiles but the last (VP9 §6.4); undefined where one is not possible. */
function walkTiles(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  header: Vp9FrameHeader,
): { endIndex: number; evidenceBits: number } | undefined {
  let index = startIndex;
  let evidenceBits = 0;
  const count = 2 ** ((header.tileColumnsLog2 ?? 0) + header.tileRowsLog2);
  for (let tile = 0; tile < Math.min(count - 1, MAX_TILE_SIZES_WALKED); tile++) {
    if (index + 4 > endIndex) return { endIndex: index, evidenceBits };
    let size = 0;
    for (let k = 0; k < 4; k++) size = size * 256 + (bytes[index + k] ?? 0);
    if (size === 0 || size > MAX_TILE_BYTES) return undefined;
    evidenceBits += 32 - Math.log2(MAX_TILE_BYTES);
    // The tile's arithmetic coder starts with a zero marker.
    if (index + 4 < endIndex && (bytes[index + 4] ?? 0) >= 128) return undefined;
    evidenceBits += 1;
    index += 4 + size;
  }
  if (index < endIndex) {
    if ((bytes[index] ?? 0) >= 128) return undefined;
    evidenceBits += 1;
  }
  return { endIndex: index, evidenceBits };
}

/** Larger tiles do not occur below 8K. */
const MAX_TILE_BYTES = 16 * 1024 * 1024;
