import type { BitCursor } from "./bit-cursor.ts";
import { evidenceUnits, REJECTED } from "./evidence.ts";
import type { IcsInfo } from "./ics-info.ts";

/** The `section_data()` of one channel stream, and its gain. Reused from frame to frame. */
export interface Sections {
  globalGain: number;
  count: number;
  /** Codebook of each section, 0 to 15. */
  readonly books: Uint8Array;
  /** Scale factor bands of each section. */
  readonly bandCounts: Uint8Array;
  /** Coefficients of each section, over all windows of its group. */
  readonly coefficientCounts: Uint16Array;
}

/** More sections than bands can only come from empty ones, which no encoder writes in numbers. */
const MAX_SECTIONS = 160;
const RESERVED_BOOK = 12;
const NOISE_BOOK = 13;
const EMPTY_CHANCE = 0.001;

const BOOK_UNITS = evidenceUnits(1 / 13, 4);
const BOOK_WITH_INTENSITY_UNITS = evidenceUnits(1 / 15, 4);
const LONG_LENGTHS = lengthUnits(5);
const SHORT_LENGTHS = lengthUnits(3);

interface LengthUnits {
  readonly fieldBits: number;
  readonly escapeValue: number;
  readonly empty: number;
  /** By the bands left: evidence of a first increment that fits. */
  readonly first: Int16Array;
  /** By the bands left: evidence of an increment after an escape that fits. */
  readonly further: Int16Array;
}

/** An empty set of sections to be filled by `parseSections`. */
export function createSections(): Sections {
  return {
    globalGain: 0,
    count: 0,
    books: new Uint8Array(MAX_SECTIONS),
    bandCounts: new Uint8Array(MAX_SECTIONS),
    coefficientCounts: new Uint16Array(MAX_SECTIONS),
  };
}

/**
 * Parses `section_data()` (ISO/IEC 14496-3 Table 4.52) into `sections`; returns evidence units, or REJECTED where a
 * section overshoots its group or names a codebook that is not allowed.
 */
export function parseSections(cursor: BitCursor, info: IcsInfo, sections: Sections, allowsIntensity: boolean): number {
  const lengths = info.windowSequence === 2 ? SHORT_LENGTHS : LONG_LENGTHS;
  const { fieldBits, escapeValue } = lengths;
  const { edges, maxBands } = info;
  const bookUnits = allowsIntensity ? BOOK_WITH_INTENSITY_UNITS : BOOK_UNITS;
  let units = 0;
  let count = 0;
  for (let group = 0; group < info.groupCount; group++) {
    const windows = info.groupLengths[group] as number;
    let band = 0;
    while (band < maxBands) {
      const field = cursor.bits(4 + fieldBits);
      const book = field >> fieldBits;
      if (book === RESERVED_BOOK || (book > NOISE_BOOK && !allowsIntensity)) return REJECTED;
      let increment = field & escapeValue;
      let end = band + increment;
      if (end > maxBands || count === MAX_SECTIONS) return REJECTED;
      units += bookUnits + (increment === 0 ? lengths.empty : (lengths.first[maxBands - band] as number));
      while (increment === escapeValue) {
        increment = cursor.bits(fieldBits);
        units += lengths.further[maxBands - end] as number;
        end += increment;
        if (end > maxBands) return REJECTED;
      }
      sections.books[count] = book;
      sections.bandCounts[count] = end - band;
      sections.coefficientCounts[count] = ((edges[end] as number) - (edges[band] as number)) * windows;
      count++;
      band = end;
    }
  }
  sections.count = count;
  return units;
}

function lengthUnits(fieldBits: number): LengthUnits {
  const escapeValue = 2 ** fieldBits - 1;
  const first = new Int16Array(64);
  const further = new Int16Array(64);
  for (let left = 0; left < 64; left++) {
    first[left] = evidenceUnits((1 - EMPTY_CHANCE) / Math.max(1, Math.min(left, escapeValue)), fieldBits);
    further[left] = evidenceUnits(1 / Math.min(left + 1, escapeValue + 1), fieldBits);
  }
  return { fieldBits, escapeValue, empty: evidenceUnits(EMPTY_CHANCE, fieldBits), first, further };
}
