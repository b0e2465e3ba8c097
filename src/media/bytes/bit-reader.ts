import { ReelmillError } from "../../base/errors.ts";

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
    if (count > this.bitsLeft) throw underrun(count, this.bitsLeft);
    let value = 0;
    let left = count;
    while (left > 0) {
      const inByte = 8 - (this.#bit & 7);
      const take = Math.min(inByte, left);
      const byte = this.#bytes[this.#bit >>> 3] as number;
      value = value * 2 ** take + ((byte >>> (inByte - take)) & ((1 << take) - 1));
      this.#bit += take;
      left -= take;
    }
    return value;
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
