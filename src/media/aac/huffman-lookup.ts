import { type HuffmanTable, SCALE_FACTOR_TABLE, SPECTRAL_TABLES, type SpectralTable } from "./huffman-tables.ts";

/** Width in bits of the index into `SPECTRAL_STEPS`. */
export const STEP_BITS = 11;

const STEP_SIZE = 1 << STEP_BITS;
/** Most whole codewords that one step can pass over: one bit each. */
const STEP_MAX_CODEWORDS = 15;

/**
 * For each spectral codebook (book 0 unused) and each value of the next STEP_BITS bits: how far a parser that only
 * counts can go. Bits 0–3: bits to skip for `bits 4–7` whole codewords with their signs; bits 8–11: bits to skip
 * for the first codeword alone. Zero where the first codeword is too long or carries escapes: ask SPECTRAL_CODES.
 */
export const SPECTRAL_STEPS: Uint16Array = buildSteps();

/**
 * For each spectral codebook (0 unused) a table indexed by the next `SPECTRAL_CODE_BITS[book]` bits. Bits 0–4: length
 * of the codeword and its signs; bits 5–6: how many escape sequences follow.
 */
export const SPECTRAL_CODES: readonly Uint8Array[] = [new Uint8Array(1), ...SPECTRAL_TABLES.map(buildCodes)];

/** Longest codeword of each spectral codebook in bits, without signs. */
export const SPECTRAL_CODE_BITS: readonly number[] = [
  0,
  ...SPECTRAL_TABLES.map((table) => table.codesPerLength.length),
];

/** Coefficients per codeword of each spectral codebook, as a shift: 2 for four, 1 for two. */
export const SPECTRAL_DIMENSION_SHIFT: readonly number[] = [0, ...SPECTRAL_TABLES.map((table) => table.dimension >> 1)];

/** Scale factor codewords of at most this many bits are in SCALE_FACTOR_SHORT_CODES. */
export const SCALE_FACTOR_SHORT_BITS = 10;

/** By the next SCALE_FACTOR_SHORT_BITS bits: length in bits | symbol << 5; zero where the codeword is longer. */
export const SCALE_FACTOR_SHORT_CODES: Uint16Array = buildScaleFactorCodes(0, SCALE_FACTOR_SHORT_BITS);

/** Every longer scale factor codeword begins with this many ones. */
export const SCALE_FACTOR_LONG_PREFIX_BITS = 7;

/** How many bits after those ones index SCALE_FACTOR_LONG_CODES: 19, the longest codeword, less 7. */
export const SCALE_FACTOR_LONG_BITS = 12;

/** Entries as in SCALE_FACTOR_SHORT_CODES for all codewords that begin with SCALE_FACTOR_LONG_PREFIX_BITS ones. */
export const SCALE_FACTOR_LONG_CODES: Uint16Array = buildScaleFactorCodes(
  SCALE_FACTOR_LONG_PREFIX_BITS,
  SCALE_FACTOR_LONG_BITS,
);

/** One codeword: `value` is right-aligned in `lengthBits` bits. */
export interface HuffmanCode {
  readonly symbol: number;
  readonly lengthBits: number;
  readonly value: number;
}

/** Spells out the codewords of a table in ascending order. */
export function listHuffmanCodes(table: HuffmanTable): HuffmanCode[] {
  const codes: HuffmanCode[] = [];
  let value = 0;
  let next = 0;
  table.codesPerLength.forEach((count, index) => {
    value *= 2;
    for (const symbol of table.symbols.slice(next, next + count)) {
      codes.push({ symbol, lengthBits: index + 1, value });
      value++;
    }
    next += count;
  });
  return codes;
}

/** The absolute values (signed books: the values) of a spectral symbol, in the order of the coefficients. */
export function spectralValues(table: SpectralTable, symbol: number): number[] {
  const base = table.signed ? 2 * table.largestValue + 1 : table.largestValue + 1;
  const offset = table.signed ? table.largestValue : 0;
  const values: number[] = [];
  let rest = symbol;
  for (let i = 0; i < table.dimension; i++) {
    values.unshift((rest % base) - offset);
    rest = Math.floor(rest / base);
  }
  return values;
}

function buildCodes(table: SpectralTable, tableIndex: number): Uint8Array {
  const indexBits = table.codesPerLength.length;
  const codes = new Uint8Array(2 ** indexBits);
  for (const { symbol, lengthBits, value } of listHuffmanCodes(table)) {
    const values = spectralValues(table, symbol);
    const signs = table.signed ? 0 : values.filter((v) => v !== 0).length;
    const escapes = tableIndex === SPECTRAL_TABLES.length - 1 ? values.filter((v) => v === 16).length : 0;
    const first = value << (indexBits - lengthBits);
    codes.fill((lengthBits + signs) | (escapes << 5), first, first + 2 ** (indexBits - lengthBits));
  }
  return codes;
}

function buildSteps(): Uint16Array {
  const steps = new Uint16Array(STEP_SIZE * (SPECTRAL_TABLES.length + 1));
  SPECTRAL_TABLES.forEach((table, tableIndex) => {
    const codes = buildCodes(table, tableIndex);
    for (let bits = 0; bits < STEP_SIZE; bits++) {
      steps[(tableIndex + 1) * STEP_SIZE + bits] = stepFrom(codes, table.codesPerLength.length, bits);
    }
  });
  return steps;
}

/** Walks over the whole codewords within STEP_BITS bits. */
function stepFrom(codes: Uint8Array, indexBits: number, bits: number): number {
  let used = 0;
  let count = 0;
  let firstBits = 0;
  while (count < STEP_MAX_CODEWORDS) {
    const left = (bits << used) & (STEP_SIZE - 1);
    const index = indexBits >= STEP_BITS ? left << (indexBits - STEP_BITS) : left >> (STEP_BITS - indexBits);
    const entry = codes[index] as number;
    // A codeword that does not end within the bits seen here was looked up with made-up zeros: its length says so.
    if (entry >> 5 !== 0 || used + entry > STEP_BITS) break;
    used += entry;
    count++;
    if (count === 1) firstBits = used;
    if (used === STEP_BITS) break;
  }
  return used | (count << 4) | (firstBits << 8);
}

/** A table over `indexBits` bits, after `prefixBits` ones that are not part of the index. */
function buildScaleFactorCodes(prefixBits: number, indexBits: number): Uint16Array {
  const codes = new Uint16Array(2 ** indexBits);
  const prefix = 2 ** prefixBits - 1;
  for (const { symbol, lengthBits, value } of listHuffmanCodes(SCALE_FACTOR_TABLE)) {
    const restBits = lengthBits - prefixBits;
    if (restBits < 0 || restBits > indexBits || value >> restBits !== prefix) continue;
    const first = (value - prefix * 2 ** restBits) << (indexBits - restBits);
    codes.fill(lengthBits | (symbol << 5), first, first + 2 ** (indexBits - restBits));
  }
  return codes;
}
