import { buildVlc, type CodeWord, type Vlc } from "./vlc.ts";

/** Table B-6: cbpc 0–3 of intra macroblocks, the same with dquant (4–7), stuffing (8). */
const MCBPC_INTRA: readonly CodeWord[] = [
  [1, 1],
  [1, 3],
  [2, 3],
  [3, 3],
  [1, 4],
  [1, 6],
  [2, 6],
  [3, 6],
  [1, 9],
];

/**
 * Table B-7: cbpc 0–3 of inter (0–3), intra (4–7), inter with dquant (8–11), intra with dquant (12–15), four vectors
 * (16–19), stuffing (20); of H.263 also four vectors with dquant (24–27).
 */
const MCBPC_INTER: readonly CodeWord[] = [
  [1, 1],
  [3, 4],
  [2, 4],
  [5, 6],
  [3, 5],
  [4, 8],
  [3, 8],
  [3, 7],
  [3, 3],
  [7, 7],
  [6, 7],
  [5, 9],
  [4, 6],
  [4, 9],
  [3, 9],
  [2, 9],
  [2, 3],
  [5, 7],
  [4, 7],
  [5, 8],
  [1, 9],
];

/** Table B-8, by the four bits for intra macroblocks; inter ones take the complement. */
const CBPY: readonly CodeWord[] = [
  [3, 4],
  [5, 5],
  [4, 5],
  [9, 4],
  [3, 5],
  [7, 4],
  [2, 6],
  [11, 4],
  [2, 5],
  [3, 6],
  [5, 4],
  [10, 4],
  [4, 4],
  [8, 4],
  [6, 4],
  [3, 2],
];

/** Table B-12 without its sign bit: size of the motion vector difference in half samples. */
const MOTION: readonly CodeWord[] = [
  [1, 1],
  [1, 2],
  [1, 3],
  [1, 4],
  [3, 6],
  [5, 7],
  [4, 7],
  [3, 7],
  [11, 9],
  [10, 9],
  [9, 9],
  [17, 10],
  [16, 10],
  [15, 10],
  [14, 10],
  [13, 10],
  [12, 10],
  [11, 10],
  [10, 10],
  [9, 10],
  [8, 10],
  [7, 10],
  [6, 10],
  [5, 10],
  [4, 10],
  [7, 11],
  [6, 11],
  [5, 11],
  [4, 11],
  [3, 11],
  [2, 11],
  [3, 12],
  [2, 12],
];

/** Table B-13: dct_dc_size of luminance. */
const DC_LUMINANCE: readonly CodeWord[] = [
  [3, 3],
  [3, 2],
  [2, 2],
  [2, 3],
  [1, 3],
  [1, 4],
  [1, 5],
  [1, 6],
  [1, 7],
  [1, 8],
  [1, 9],
  [1, 10],
  [1, 11],
];

/** Table B-14: dct_dc_size of chrominance. */
const DC_CHROMINANCE: readonly CodeWord[] = [
  [3, 2],
  [2, 2],
  [1, 2],
  [1, 3],
  [1, 4],
  [1, 5],
  [1, 6],
  [1, 7],
  [1, 8],
  [1, 9],
  [1, 10],
  [1, 11],
  [1, 12],
];

/** Table B-3: mb_type of B-VOPs: direct, interpolate, backward, forward. */
const MB_TYPE_B: readonly CodeWord[] = [
  [1, 1],
  [1, 2],
  [1, 3],
  [1, 4],
];

/** Table B-16 without sign bits, as code and length in turn, ordered by last, run, level; then the escape. */
const INTRA_COEFFICIENTS: readonly number[] = [
  0x2, 2, 0x6, 3, 0xf, 4, 0xd, 5, 0xc, 5, 0x15, 6, 0x13, 6, 0x12, 6, 0x17, 7, 0x1f, 8, 0x1e, 8, 0x1d, 8, 0x25, 9, 0x24,
  9, 0x23, 9, 0x21, 9, 0x21, 10, 0x20, 10, 0xf, 10, 0xe, 10, 0x7, 11, 0x6, 11, 0x20, 11, 0x21, 11, 0x50, 12, 0x51, 12,
  0x52, 12, 0xe, 4, 0x14, 6, 0x16, 7, 0x1c, 8, 0x20, 9, 0x1f, 9, 0xd, 10, 0x22, 11, 0x53, 12, 0x55, 12, 0xb, 5, 0x15, 7,
  0x1e, 9, 0xc, 10, 0x56, 12, 0x11, 6, 0x1b, 8, 0x1d, 9, 0xb, 10, 0x10, 6, 0x22, 9, 0xa, 10, 0xd, 6, 0x1c, 9, 0x8, 10,
  0x12, 7, 0x1b, 9, 0x54, 12, 0x14, 7, 0x1a, 9, 0x57, 12, 0x19, 8, 0x9, 10, 0x18, 8, 0x23, 11, 0x17, 8, 0x19, 9, 0x18,
  9, 0x7, 10, 0x58, 12, 0x7, 4, 0xc, 6, 0x16, 8, 0x17, 9, 0x6, 10, 0x5, 11, 0x4, 11, 0x59, 12, 0xf, 6, 0x16, 9, 0x5, 10,
  0xe, 6, 0x4, 10, 0x11, 7, 0x24, 11, 0x10, 7, 0x25, 11, 0x13, 7, 0x5a, 12, 0x15, 8, 0x5b, 12, 0x14, 8, 0x13, 8, 0x1a,
  8, 0x15, 9, 0x14, 9, 0x13, 9, 0x12, 9, 0x11, 9, 0x26, 11, 0x27, 11, 0x5c, 12, 0x5d, 12, 0x5e, 12, 0x5f, 12, 0x3, 7,
];

/** Table B-17 in the same form; H.263 has the same code words. */
const INTER_COEFFICIENTS: readonly number[] = [
  0x2, 2, 0xf, 4, 0x15, 6, 0x17, 7, 0x1f, 8, 0x25, 9, 0x24, 9, 0x21, 10, 0x20, 10, 0x7, 11, 0x6, 11, 0x20, 11, 0x6, 3,
  0x14, 6, 0x1e, 8, 0xf, 10, 0x21, 11, 0x50, 12, 0xe, 4, 0x1d, 8, 0xe, 10, 0x51, 12, 0xd, 5, 0x23, 9, 0xd, 10, 0xc, 5,
  0x22, 9, 0x52, 12, 0xb, 5, 0xc, 10, 0x53, 12, 0x13, 6, 0xb, 10, 0x54, 12, 0x12, 6, 0xa, 10, 0x11, 6, 0x9, 10, 0x10, 6,
  0x8, 10, 0x16, 7, 0x55, 12, 0x15, 7, 0x14, 7, 0x1c, 8, 0x1b, 8, 0x21, 9, 0x20, 9, 0x1f, 9, 0x1e, 9, 0x1d, 9, 0x1c, 9,
  0x1b, 9, 0x1a, 9, 0x22, 11, 0x23, 11, 0x56, 12, 0x57, 12, 0x7, 4, 0x19, 9, 0x5, 11, 0xf, 6, 0x4, 11, 0xe, 6, 0xd, 6,
  0xc, 6, 0x13, 7, 0x12, 7, 0x11, 7, 0x10, 7, 0x1a, 8, 0x19, 8, 0x18, 8, 0x17, 8, 0x16, 8, 0x15, 8, 0x14, 8, 0x13, 8,
  0x18, 9, 0x17, 9, 0x16, 9, 0x15, 9, 0x14, 9, 0x13, 9, 0x12, 9, 0x11, 9, 0x7, 10, 0x6, 10, 0x5, 10, 0x4, 10, 0x24, 11,
  0x25, 11, 0x26, 11, 0x27, 11, 0x58, 12, 0x59, 12, 0x5a, 12, 0x5b, 12, 0x5c, 12, 0x5d, 12, 0x5e, 12, 0x5f, 12, 0x3, 7,
];

/** How many levels each run has, from run 0 on, for last 0 and last 1 (Tables B-16 and B-17). */
const INTRA_LEVELS = [
  [27, 10, 5, 4, 3, 3, 3, 3, 2, 2, 1, 1, 1, 1, 1],
  [8, 3, 2, 2, 2, 2, 2, ...new Array<number>(14).fill(1)],
] as const;
const INTER_LEVELS = [
  [12, 6, 4, 3, 3, 3, 3, 2, 2, 2, 2, ...new Array<number>(16).fill(1)],
  [3, 2, ...new Array<number>(39).fill(1)],
] as const;

/** A coefficient code with what its symbols mean. */
export interface CoefficientCode {
  readonly vlc: Vlc;
  /** Symbol of the escape; symbols below it are coefficients. */
  readonly escapeSymbol: number;
  /** By symbol: run of zeros before the coefficient. */
  readonly runs: Uint8Array;
  /** By symbol: 1 where it is the last coefficient of its block. */
  readonly lasts: Uint8Array;
  /** By symbol: longest run that the code has for its last and level, plus 1 (escape type 2, §7.4.1.3). */
  readonly runOffsets: Uint8Array;
  /**
   * By the next `STEP_PEEK_BITS` bits: all whole coefficients in them at once, as bits to move on (bits 0–4),
   * coefficients with their runs of zeros (bits 5–11), `STEP_LAST` and `STEP_ESCAPE`; 0 where no code word matches.
   */
  readonly steps: Uint16Array;
}

/** Bits that a lookup in `CoefficientCode.steps` takes. */
export const STEP_PEEK_BITS = 14;
/** Set in a step whose first code word is the escape. */
export const STEP_ESCAPE = 1 << 13;
/** Set in a step that ends with a block's last coefficient. */
export const STEP_LAST = 1 << 12;

/** All codes that macroblock parsing needs. */
export interface VisualCodes {
  readonly mcbpcIntra: Vlc;
  readonly mcbpcInter: Vlc;
  readonly cbpy: Vlc;
  readonly motion: Vlc;
  readonly dcLuminance: Vlc;
  readonly dcChrominance: Vlc;
  readonly mbTypeB: Vlc;
  readonly intra: CoefficientCode;
  readonly inter: CoefficientCode;
}

/** Builds the codes of ISO/IEC 14496-2 Annex B; some 50 KiB, so a probe builds them once. */
export function buildVisualCodes(): VisualCodes {
  return {
    mcbpcIntra: buildVlc(MCBPC_INTRA),
    mcbpcInter: buildVlc(MCBPC_INTER),
    cbpy: buildVlc(CBPY),
    motion: buildVlc(MOTION),
    dcLuminance: buildVlc(DC_LUMINANCE),
    dcChrominance: buildVlc(DC_CHROMINANCE),
    mbTypeB: buildVlc(MB_TYPE_B),
    intra: buildCoefficients(INTRA_COEFFICIENTS, INTRA_LEVELS),
    inter: buildCoefficients(INTER_COEFFICIENTS, INTER_LEVELS),
  };
}

function buildCoefficients(words: readonly number[], levels: readonly (readonly number[])[]): CoefficientCode {
  const codes: CodeWord[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) codes.push([words[i] ?? 0, words[i + 1] ?? 0]);
  const escapeSymbol = codes.length - 1;
  const runs = new Uint8Array(escapeSymbol);
  const lasts = new Uint8Array(escapeSymbol);
  const runOffsets = new Uint8Array(escapeSymbol);
  let symbol = 0;
  levels.forEach((levelsOfRuns, last) => {
    levelsOfRuns.forEach((levelCount, run) => {
      for (let level = 1; level <= levelCount; level++) {
        runs[symbol] = run;
        lasts[symbol] = last;
        runOffsets[symbol] = levelsOfRuns.findLastIndex((count) => count >= level) + 1;
        symbol++;
      }
    });
  });
  const code = { vlc: buildVlc(codes), escapeSymbol, runs, lasts, runOffsets };
  return { ...code, steps: buildSteps(code) };
}

function buildSteps(code: Omit<CoefficientCode, "steps">): Uint16Array {
  return Uint16Array.from({ length: 1 << STEP_PEEK_BITS }, (_, window) => stepOf(code, window));
}

function stepOf({ vlc, escapeSymbol, runs, lasts }: Omit<CoefficientCode, "steps">, window: number): number {
  let usedBits = 0;
  let indexes = 0;
  for (;;) {
    const comes = (window << usedBits) & ((1 << STEP_PEEK_BITS) - 1);
    const entry = vlc.entries[comes >>> (STEP_PEEK_BITS - vlc.peekBits)] ?? 0;
    const lengthBits = (entry & 15) + 1;
    const symbol = entry >>> 4;
    const isFirst = usedBits === 0;
    if (isFirst && entry === 0) return 0;
    if (isFirst && symbol === escapeSymbol) return STEP_ESCAPE | (lengthBits - 1);
    if (entry === 0 || symbol === escapeSymbol || usedBits + lengthBits > STEP_PEEK_BITS) break;
    usedBits += lengthBits;
    indexes += (runs[symbol] ?? 0) + 1;
    if (lasts[symbol] === 1) return STEP_LAST | (indexes << 5) | usedBits;
    // A step holds at most 127 coefficients; more than 64 are an error anyway.
    if (indexes > 64) break;
  }
  return (indexes << 5) | usedBits;
}
