import { ReelmillError } from "../../base/errors.ts";

/** So many bits lie within four bytes wherever they start. */
const MAX_WORD_BITS = 25;

/** Reads big-endian bit fields from a byte range. Every read past the end throws MEDIA_MALFORMED. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #endBit: number;
  #bit: number;

  /** Reads `[startIndex, endIndex)` of `bytes`. */
  constructor(bytes: Uint8Array, startIndex = 0, endIndex = bytes.length) {
    this.#bytes = bytes;
    this.#bit = startIndex * 8;
    this.#endBit = Math.min(endIndex, bytes.length) * 8;
  }

  /** Position in bits from the start of `bytes` (not of the range). */
  get bitPosition(): number {
    return this.#bit;
  }

  get bitsLeft(): number {
    return this.#endBit - this.#bit;
  }

  /** Unsigned value of the next `count` bits, 0 ≤ count ≤ 32. */
  bits(count: number): number {
    const bit = this.#bit;
    if (bit + count > this.#endBit) throw underrun(count, this.bitsLeft);
    if (count > MAX_WORD_BITS) return this.bits(count - 16) * 65536 + this.bits(16);
    if (count === 0) return 0;
    this.#bit = bit + count;
    const bytes = this.#bytes;
    const index = bit >>> 3;
    const first = bytes[index] as number;
    const inByte = (bit & 7) + count;
    if (inByte <= 8) return (first >>> (8 - inByte)) & ((1 << count) - 1);
    // Bytes past the array's end count as zeros; none of their bits is among those returned.
    const word =
      (first << 24) |
      ((bytes[index + 1] as number) << 16) |
      ((bytes[index + 2] as number) << 8) |
      (bytes[index + 3] as number);
    return (word << (bit & 7)) >>> (32 - count);
  }

  /** The next bit as a boolean. */
  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(count: number): void {
    if (count > this.bitsLeft) throw underrun(count, this.bitsLeft);
    this.#bit += count;
  }

  /** Moves on to the next byte boundary. */
  alignToByte(): void {
    this.#bit = (this.#bit + 7) & ~7;
  }

  /** ue(v), ITU-T H.264 §9.1: unsigned Exp-Golomb, at most 2^32 − 2. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros++;
      if (zeros > 32)
        throw new ReelmillError("MEDIA_MALFORMED", "An Exp-Golomb code has more than 32 leading zero bits.");
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v), ITU-T H.264 §9.1.1: signed Exp-Golomb. */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

function underrun(wanted: number, left: number): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `The bitstream ends early: ${wanted} bits wanted, ${left} left.`);
}
