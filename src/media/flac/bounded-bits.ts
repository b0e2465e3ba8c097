const NO_BYTES = new DataView(new ArrayBuffer(0));

/**
 * A bit position over `[startIndex, endIndex)` of a byte array that reads zeros past the end and never looks there. The
 * caller checks `isPastEnd` where a parse could run on. For parsers that touch every bit and cannot afford throwing.
 */
export class BoundedBits {
  #bytes: Uint8Array | undefined;
  #view: DataView = NO_BYTES;
  #startIndex = 0;
  #endIndex = 0;
  /** Position in bits from `startIndex`. */
  bit = 0;
  /** Length of the range in bits. */
  endBit = 0;

  /** Begins anew at `startIndex`; `endIndex` is cut to the array. */
  place(bytes: Uint8Array, startIndex: number, endIndex: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#startIndex = startIndex;
    this.#endIndex = Math.min(endIndex, bytes.length);
    this.bit = 0;
    this.endBit = Math.max(0, this.#endIndex - startIndex) * 8;
  }

  get isPastEnd(): boolean {
    return this.bit > this.endBit;
  }

  /** The bits from `bit` on, left-aligned in a signed 32-bit number; the first 25 are valid, those after may be zeros. */
  peekAt(bit: number): number {
    const index = this.#startIndex + Math.floor(bit / 8);
    if (index + 4 <= this.#endIndex) return this.#view.getInt32(index) << (bit & 7);
    return this.#peekTail(index) << (bit & 7);
  }

  /** The next `count` bits, 0 ≤ count ≤ 25, as an unsigned number. */
  bits(count: number): number {
    const word = this.peekAt(this.bit);
    this.bit += count;
    return count === 0 ? 0 : word >>> (32 - count);
  }

  /** Passes over zeros and the one that ends them and returns how many zeros there were; stops past the end. */
  skipUnary(): number {
    const start = this.bit;
    while (this.bit <= this.endBit) {
      const zeros = Math.clz32(this.peekAt(this.bit));
      if (zeros < 25) {
        this.bit += zeros + 1;
        return this.bit - start - 1;
      }
      this.bit += 25;
    }
    return this.bit - start;
  }

  /** Moves to the next byte boundary and returns the bits passed over as a number. */
  alignToByte(): number {
    return this.bits(-this.bit & 7);
  }

  #peekTail(index: number): number {
    let word = 0;
    for (let i = 0; i < 4; i++) {
      const at = index + i;
      word = (word << 8) | (at < this.#endIndex ? this.#view.getUint8(at) : 0);
    }
    return word;
  }
}
