import type { BoundedBits } from "./bounded-bits.ts";

const CONSTANT = 0;
const VERBATIM = 1;
const MAX_FIXED_ORDER = 4;
/** Widest sample: 32 bits and the side channel's extra one. */
const MAX_SAMPLE_BITS = 33;

/**
 * Passes over one subframe (RFC 9639 §9.2) of `blockSamples` samples of `sampleBits` bits. False where it breaks the
 * syntax; may stop past the end of the visible bytes, which the caller checks.
 */
export function skipSubframe(bits: BoundedBits, blockSamples: number, sampleBits: number): boolean {
  const head = bits.bits(8);
  if (head >> 7 !== 0) return false;
  const type = (head >> 1) & 0x3f;
  const wastedBits = (head & 1) === 0 ? 0 : bits.skipUnary() + 1;
  const width = sampleBits - wastedBits;
  if (width < 1 || width > MAX_SAMPLE_BITS) return false;
  if (type === CONSTANT) {
    bits.bit += width;
    return true;
  }
  if (type === VERBATIM) {
    bits.bit += width * blockSamples;
    return true;
  }
  if (type >= 32) return skipLinear(bits, blockSamples, width, type - 31);
  const order = type - 8;
  if (order < 0 || order > MAX_FIXED_ORDER || order > blockSamples) return false;
  bits.bit += width * order;
  return skipResidual(bits, blockSamples, order);
}

/** A linear predictor of order 1 to 32. */
function skipLinear(bits: BoundedBits, blockSamples: number, width: number, order: number): boolean {
  if (order > blockSamples) return false;
  bits.bit += width * order;
  const field = bits.bits(9);
  const precision = (field >> 5) + 1;
  // All ones is forbidden, and so is a negative shift (RFC 9639 §9.2.6).
  if (precision === 16 || (field & 0x10) !== 0) return false;
  bits.bit += precision * order;
  return skipResidual(bits, blockSamples, order);
}

/** A coded residual (RFC 9639 §9.2.7): partitions of Rice codes or of plain numbers. */
function skipResidual(bits: BoundedBits, blockSamples: number, order: number): boolean {
  const field = bits.bits(6);
  const method = field >> 4;
  if (method > 1) return false;
  const partitions = 2 ** (field & 15);
  const partitionSamples = blockSamples / partitions;
  if (!Number.isInteger(partitionSamples) || partitionSamples < order) return false;
  const parameterBits = method === 0 ? 4 : 5;
  const escapeValue = 2 ** parameterBits - 1;
  for (let partition = 0; partition < partitions; partition++) {
    if (bits.isPastEnd) return true;
    const count = partition === 0 ? partitionSamples - order : partitionSamples;
    const parameter = bits.bits(parameterBits);
    if (parameter === escapeValue) bits.bit += bits.bits(5) * count;
    else skipRiceCodes(bits, count, parameter);
  }
  return true;
}

function skipRiceCodes(bits: BoundedBits, count: number, parameter: number): void {
  const { endBit } = bits;
  let bit = bits.bit;
  for (let left = count; left > 0 && bit <= endBit; ) {
    const zeros = Math.clz32(bits.peekAt(bit));
    if (zeros < 25) {
      bit += zeros + 1 + parameter;
      left--;
    } else {
      // The run of zeros goes on: look again from within it.
      bit += 25;
    }
  }
  bits.bit = bit;
}
