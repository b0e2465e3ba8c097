import { BoolDecoder } from "./bool-decoder.ts";
import type { Vp9FrameHeader } from "./uncompressed-header.ts";

/** How well bytes fit as a compressed header. */
export interface CompressedHeaderCheck {
  /** False where the marker is set, the bits run out, or an update is out of range. */
  readonly isValid: boolean;
  /** Bits that random bytes would get wrong half of the time each. */
  readonly evidenceBits: number;
}

const UPDATE_PROBABILITY = 252;
/** An encoder's flush writes this many zero flags after the last symbol (VP9 §9.2.3 asks for zero padding). */
const MAX_FLUSH_BITS = 32;

/** Parses compressed_header (VP9 §6.3) in `[startIndex, endIndex)` and checks its padding. */
export function checkCompressedHeader(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  header: Vp9FrameHeader,
): CompressedHeaderCheck {
  const decoder = new BoolDecoder(bytes, startIndex, endIndex);
  if (decoder.bool(128) !== 0) return INVALID;
  const parser = new UpdateParser(decoder);
  parseTransform(parser, header);
  parser.updates(3); // skip
  if (!header.isIntra) parseInter(parser, header);
  if (decoder.isOverrun || parser.hasBadUpdate) return INVALID;
  // What follows the last symbol must decode to zeros up to the end, and an encoder leaves at most four bytes of it.
  const left = decoder.bitsLeft;
  if (left > MAX_FLUSH_BITS + 8) return INVALID;
  let evidenceBits = 1;
  for (let i = 0; i < left; i++, evidenceBits++) if (decoder.bool(128) !== 0) return INVALID;
  return { isValid: true, evidenceBits };
}

const INVALID: CompressedHeaderCheck = { isValid: false, evidenceBits: 0 };

class UpdateParser {
  readonly decoder: BoolDecoder;
  hasBadUpdate = false;

  constructor(decoder: BoolDecoder) {
    this.decoder = decoder;
  }

  /** `count` times diff_update_prob, §6.3.5. */
  updates(count: number): void {
    for (let i = 0; i < count && !this.decoder.isOverrun; i++) {
      if (this.decoder.bool(UPDATE_PROBABILITY) === 0) continue;
      if (this.#subexponential() > 253) this.hasBadUpdate = true;
    }
  }

  /** `count` times update_mv_prob, §6.3.17. */
  vectorUpdates(count: number): void {
    for (let i = 0; i < count && !this.decoder.isOverrun; i++) {
      if (this.decoder.bool(UPDATE_PROBABILITY) === 1) this.decoder.literal(7);
    }
  }

  /** decode_term_subexp, §6.3.6. */
  #subexponential(): number {
    const { decoder } = this;
    if (decoder.literal(1) === 0) return decoder.literal(4);
    if (decoder.literal(1) === 0) return decoder.literal(4) + 16;
    if (decoder.literal(1) === 0) return decoder.literal(5) + 32;
    const value = decoder.literal(7);
    return value < 65 ? value + 64 : 2 * value - 1 + decoder.literal(1);
  }
}

const TRANSFORM_SELECT = 4;

function parseTransform(parser: UpdateParser, header: Vp9FrameHeader): void {
  const { decoder } = parser;
  let mode = 0;
  if (!header.isLossless) {
    mode = decoder.literal(2);
    if (mode === 3) mode += decoder.literal(1);
  }
  if (mode === TRANSFORM_SELECT) parser.updates(2 + 4 + 6);
  const largest = Math.min(mode, 3);
  for (let size = 0; size <= largest; size++) {
    // 2 planes × 2 reference kinds × (3 + 5 · 6) contexts × 3 probabilities
    if (decoder.literal(1) === 1) parser.updates(2 * 2 * 33 * 3);
  }
}

function parseInter(parser: UpdateParser, header: Vp9FrameHeader): void {
  const { decoder } = parser;
  parser.updates(7 * 3);
  if (header.hasSwitchableFilter) parser.updates(4 * 2);
  parser.updates(4);
  let isSingleOnly = true;
  let isSelect = false;
  if (header.allowsCompound && decoder.literal(1) === 1) {
    isSingleOnly = false;
    isSelect = decoder.literal(1) === 1;
  }
  if (isSelect) parser.updates(5);
  if (isSingleOnly || isSelect) parser.updates(5 * 2);
  if (!isSingleOnly) parser.updates(5);
  parser.updates(4 * 9);
  parser.updates(16 * 3);
  parser.vectorUpdates(3 + 2 * (1 + 10 + 1 + 10) + 2 * (2 * 3 + 3));
  if (header.allowHighPrecisionMv) parser.vectorUpdates(4);
}
