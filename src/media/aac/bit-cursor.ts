const NO_BYTES = new DataView(new ArrayBuffer(0));

/**
 * An unchecked bit position for the frame parser. The bytes must go on for some margin past anything that is read;
 * the parser sees to that, so that no single read pays for a check.
 */
export class BitCursor {
  view: DataView = NO_BYTES;
  /** Index in `view` of bit 0. */
  baseIndex = 0;
  /** Position in bits from `baseIndex`. */
  bit = 0;

  /** The next `count` bits, 1 ≤ count ≤ 24, as an unsigned number. */
  bits(count: number): number {
    const bit = this.bit;
    this.bit = bit + count;
    return (this.view.getInt32(this.baseIndex + (bit >> 3)) << (bit & 7)) >>> (32 - count);
  }

  /** Moves on to the next byte boundary and returns the bits passed over: `{count << 8 | value}`, count 0 to 7. */
  alignToByte(): number {
    const count = -this.bit & 7;
    return count === 0 ? 0 : (count << 8) | this.bits(count);
  }
}
