/**
 * How the frame parser weighs what it sees. Every field adds log2(chance in the work of an encoder / chance in random
 * bits). Such a sum is a likelihood ratio, so whatever the chances assumed for encoders, random bits reach n bits
 * of evidence at most once in 2^n tries (Markov's inequality): the figure can be too modest, never too bold.
 * Sums are kept in small integers, sixteenths of a bit, which the engine adds without allocating.
 */
export const EVIDENCE_UNITS_PER_BIT = 16;

/** The answer of a parsing step that met something no AAC frame holds. Any sum that contains it stays far below zero. */
export const REJECTED = -(2 ** 24);

/** Evidence units of a value of `fieldBits` random bits that an encoder writes with the given chance (0 < chance ≤ 1). */
export function evidenceUnits(chance: number, fieldBits: number): number {
  return Math.round(EVIDENCE_UNITS_PER_BIT * (Math.log2(chance) + fieldBits));
}
