import type { BitCursor } from "./bit-cursor.ts";
import {
  SPECTRAL_CODE_BITS,
  SPECTRAL_CODES,
  SPECTRAL_DIMENSION_SHIFT,
  SPECTRAL_STEPS,
  STEP_BITS,
} from "./huffman-lookup.ts";
import type { Sections } from "./sections.ts";

const ESCAPE_BOOK = 11;
/** An escape says at most 8191: eight ones, a zero, twelve bits (ISO/IEC 14496-3 §4.6.3.3). */
const MAX_ESCAPE_PREFIX = 8;
const STEP_SHIFT = 32 - STEP_BITS;

/**
 * Passes over `spectral_data()` (ISO/IEC 14496-3 Table 4.56), codewords, signs and escapes. False where an escape is
 * too long or a section ends after `limitBit`.
 */
export function skipSpectralData(cursor: BitCursor, sections: Sections, limitBit: number): boolean {
  for (let section = 0; section < sections.count; section++) {
    const book = sections.books[section] as number;
    if (book === 0 || book > ESCAPE_BOOK) continue;
    const codewords = (sections.coefficientCounts[section] as number) >> (SPECTRAL_DIMENSION_SHIFT[book] as number);
    if (!skipCodewords(cursor, book, codewords, limitBit)) return false;
    if (cursor.bit > limitBit) return false;
  }
  return true;
}

/** Passes over `codewords` codewords of one book, several per step where they are short. */
function skipCodewords(cursor: BitCursor, book: number, codewords: number, limitBit: number): boolean {
  const { view, baseIndex } = cursor;
  const steps = book << STEP_BITS;
  let bit = cursor.bit;
  let left = codewords;
  while (left > 0) {
    const word = view.getInt32(baseIndex + (bit >> 3)) << (bit & 7);
    const step = SPECTRAL_STEPS[steps + (word >>> STEP_SHIFT)] as number;
    const count = (step >> 4) & 15;
    if (count === 0) {
      cursor.bit = bit;
      if (!skipLongCodeword(cursor, book) || cursor.bit > limitBit) return false;
      bit = cursor.bit;
      left--;
    } else if (count <= left) {
      bit += step & 15;
      left -= count;
    } else {
      bit += step >> 8;
      left--;
    }
  }
  cursor.bit = bit;
  return true;
}

function skipLongCodeword(cursor: BitCursor, book: number): boolean {
  const word = cursor.view.getInt32(cursor.baseIndex + (cursor.bit >> 3)) << (cursor.bit & 7);
  const codes = SPECTRAL_CODES[book] as Uint8Array;
  const entry = codes[word >>> (32 - (SPECTRAL_CODE_BITS[book] as number))] as number;
  cursor.bit += entry & 31;
  for (let escapes = entry >> 5; escapes > 0; escapes--) {
    const rest = ~(cursor.view.getInt32(cursor.baseIndex + (cursor.bit >> 3)) << (cursor.bit & 7));
    const prefix = Math.clz32(rest);
    if (prefix > MAX_ESCAPE_PREFIX) return false;
    cursor.bit += 2 * prefix + 5;
  }
  return true;
}
