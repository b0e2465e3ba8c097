/**
 * The arithmetic decoder of VP9 §9.2 over `[startIndex, endIndex)`. Bits past the end read as zero, and `isOverrun`
 * then says so.
 */
export class BoolDecoder {
  readonly #bytes: Uint8Array;
  readonly #endIndex: number;
  #index: number;
  #value: number;
  #range = 255;
  /** Bits of `#value` below its top eight that are already there. */
  #count = 0;
  #borrowedBits = 0;

  constructor(bytes: Uint8Array, startIndex: number, endIndex: number) {
    this.#bytes = bytes;
    this.#endIndex = Math.min(endIndex, bytes.length);
    this.#index = startIndex + 1;
    this.#value = startIndex < this.#endIndex ? (bytes[startIndex] ?? 0) : 0;
  }

  /** Whether more bits were needed than the data hold. */
  get isOverrun(): boolean {
    return this.#borrowedBits > this.#count;
  }

  /** Whole bits after those that the decoder has looked at. */
  get bitsLeft(): number {
    return Math.max(0, (this.#endIndex - this.#index) * 8 + this.#count - this.#borrowedBits);
  }

  /** B(p), §9.2.2: a flag that is 0 with a probability of about `probability`/256. */
  bool(probability: number): 0 | 1 {
    const split = 1 + (((this.#range - 1) * probability) >> 8);
    let bit: 0 | 1 = 0;
    const bigSplit = split << this.#count;
    let range = split;
    if (this.#value >= bigSplit) {
      bit = 1;
      this.#value -= bigSplit;
      range = this.#range - split;
    }
    // Bits by which the range falls short of 128: at most 7, so that one more byte is enough.
    const shift = Math.clz32(range) - 24;
    if (shift > this.#count) this.#fill();
    this.#count -= shift;
    this.#range = range << shift;
    return bit;
  }

  /** L(n), §9.2.4: `count` equally likely bits, the highest first. */
  literal(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = 2 * value + this.bool(128);
    return value;
  }

  #fill(): void {
    const byte = this.#index < this.#endIndex ? (this.#bytes[this.#index] ?? 0) : 0;
    if (this.#index >= this.#endIndex) this.#borrowedBits += 8;
    else this.#index++;
    this.#value = (this.#value << 8) | byte;
    this.#count += 8;
  }
}
