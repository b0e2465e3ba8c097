import type { BoundedBits } from "../flac/bounded-bits.ts";
import type { AlacConfig } from "./alac-config.ts";

/** A prefix of this many ones says that the number follows plainly. */
const PLAIN_PREFIX_BITS = 9;
/** Fixed-point places of the running mean. */
const MEAN_SHIFT = 9;
const MEAN_CLAMP = 0xffff;
/** Below this mean a run of zeros is coded in one number. */
const RUN_MEAN_LIMIT = 128;
const RUN_PLAIN_BITS = 16;

/**
 * Passes over the residual of one channel: `count` numbers in Apple Lossless's adaptive Golomb code, where each
 * codeword's parameter follows from the numbers before it. `historyFactor` is the packet's own, 0 to 7; `sampleBits` the
 * width of a number written plainly. False where a run of zeros overshoots; may stop past the end of the bytes.
 */
export function skipResidual(
  bits: BoundedBits,
  config: AlacConfig,
  count: number,
  historyFactor: number,
  sampleBits: number,
): boolean {
  const multiplier = (config.riceHistoryMultiplier * historyFactor) >> 2;
  const limit = config.riceParameterLimit;
  const runMask = 2 ** limit - 1;
  let mean = config.riceInitialHistory;
  let bump = 0;
  let done = 0;
  while (done < count && bits.bit <= bits.endBit) {
    const parameter = Math.min(31 - Math.clz32((mean >> MEAN_SHIFT) + 3), limit);
    const value = readNumber(bits, parameter, 2 ** parameter - 1, sampleBits);
    done++;
    mean = value > MEAN_CLAMP ? MEAN_CLAMP : multiplier * (value + bump) + mean - ((multiplier * mean) >> MEAN_SHIFT);
    bump = 0;
    if (mean >= RUN_MEAN_LIMIT || done >= count) continue;
    const runParameter = Math.clz32(mean) - 24 + ((mean + 16) >> 6);
    const run = readNumber(bits, runParameter, (2 ** runParameter - 1) & runMask, RUN_PLAIN_BITS);
    done += run;
    if (done > count) return bits.isPastEnd;
    bump = run < MEAN_CLAMP ? 1 : 0;
    mean = 0;
  }
  return true;
}

/** One number: ones up to a zero count multiples of `modulus`, then `parameter` bits, one fewer where those say 0 or 1. */
function readNumber(bits: BoundedBits, parameter: number, modulus: number, plainBits: number): number {
  const word = bits.peekAt(bits.bit);
  const prefix = Math.clz32(~word);
  if (prefix >= PLAIN_PREFIX_BITS) {
    bits.bit += PLAIN_PREFIX_BITS;
    return readPlain(bits, plainBits);
  }
  const usedBits = prefix + 1;
  // Prefix and parameter can exceed the 25 bits of one look.
  const tail = usedBits + parameter <= 25 ? word << usedBits : bits.peekAt(bits.bit + usedBits);
  const rest = parameter === 0 ? 0 : tail >>> (32 - parameter);
  if (rest < 2) {
    bits.bit += usedBits + Math.max(0, parameter - 1);
    return prefix * modulus;
  }
  bits.bit += usedBits + parameter;
  return prefix * modulus + rest - 1;
}

function readPlain(bits: BoundedBits, count: number): number {
  if (count <= 16) return bits.bits(count);
  const high = bits.bits(count - 16);
  return high * 0x10000 + bits.bits(16);
}
