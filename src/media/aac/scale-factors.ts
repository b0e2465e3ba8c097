import type { BitCursor } from "./bit-cursor.ts";
import {
  SCALE_FACTOR_LONG_BITS,
  SCALE_FACTOR_LONG_CODES,
  SCALE_FACTOR_LONG_PREFIX_BITS,
  SCALE_FACTOR_SHORT_BITS,
  SCALE_FACTOR_SHORT_CODES,
} from "./huffman-lookup.ts";
import type { Sections } from "./sections.ts";

/** The symbol that says "as before". */
const ZERO_DIFFERENCE = 60;
const NOISE_BOOK = 13;
/** The first noise energy of a channel is written plainly. */
const FIRST_NOISE_BITS = 9;
const LONG_SHIFT = 32 - SCALE_FACTOR_LONG_PREFIX_BITS - SCALE_FACTOR_LONG_BITS;
const LONG_MASK = 2 ** SCALE_FACTOR_LONG_BITS - 1;

/**
 * Passes over `scale_factor_data()` (ISO/IEC 14496-3 Table 4.53). False where a scale factor leaves 0 to 255
 * (§4.6.2.3.2). Noise energies and intensity positions have no such bound.
 */
export function parseScaleFactors(cursor: BitCursor, sections: Sections): boolean {
  const { view, baseIndex } = cursor;
  let bit = cursor.bit;
  let factor = sections.globalGain;
  let isFirstNoise = true;
  for (let section = 0; section < sections.count; section++) {
    const book = sections.books[section] as number;
    if (book === 0) continue;
    let left = sections.bandCounts[section] as number;
    if (book === NOISE_BOOK && isFirstNoise && left > 0) {
      bit += FIRST_NOISE_BITS;
      isFirstNoise = false;
      left--;
    }
    for (; left > 0; left--) {
      const word = view.getInt32(baseIndex + (bit >> 3)) << (bit & 7);
      let entry = SCALE_FACTOR_SHORT_CODES[word >>> (32 - SCALE_FACTOR_SHORT_BITS)] as number;
      if (entry === 0) entry = SCALE_FACTOR_LONG_CODES[(word >>> LONG_SHIFT) & LONG_MASK] as number;
      bit += entry & 31;
      if (book < NOISE_BOOK) {
        factor += (entry >> 5) - ZERO_DIFFERENCE;
        if (factor < 0 || factor > 255) return false;
      }
    }
  }
  cursor.bit = bit;
  return true;
}

/** Passes over one scale factor codeword, as coupling gains use them. */
export function skipScaleFactorCode(cursor: BitCursor): void {
  const word = cursor.view.getInt32(cursor.baseIndex + (cursor.bit >> 3)) << (cursor.bit & 7);
  const entry = SCALE_FACTOR_SHORT_CODES[word >>> (32 - SCALE_FACTOR_SHORT_BITS)] as number;
  cursor.bit += (entry === 0 ? (SCALE_FACTOR_LONG_CODES[(word >>> LONG_SHIFT) & LONG_MASK] as number) : entry) & 31;
}
