const CODE_TOP = 0x8000_0000;
const CODE_BOTTOM = 0x80_0000;

/**
 * The entropy decoder of RFC 6716 §4.1 over one Opus frame. Reads past the frame's end are zero, as the RFC has it;
 * callers compare `tell()` with the frame's size. Symbol methods return what a decoder would see, whatever the bytes.
 */
export class RangeDecoder {
  /** Whether a uniform integer came out above its range: no encoder writes that. */
  hasRangeError = false;
  readonly #bytes: Uint8Array;
  readonly #startIndex: number;
  readonly #endIndex: number;
  #nextIndex: number;
  #rawIndex: number;
  #rawWindow = 0;
  #rawBits = 0;
  #value: number;
  #range = 128;
  #previousByte: number;
  #totalBits = 9;
  #rawTotal = 0;

  /** Decodes the frame `[startIndex, endIndex)` of `bytes`. */
  constructor(bytes: Uint8Array, startIndex: number, endIndex: number) {
    this.#bytes = bytes;
    this.#startIndex = startIndex;
    this.#endIndex = Math.min(endIndex, bytes.length);
    this.#nextIndex = startIndex;
    this.#rawIndex = this.#endIndex;
    this.#previousByte = this.#readByte();
    this.#value = 127 - (this.#previousByte >>> 1);
    this.#normalize();
  }

  get sizeBits(): number {
    return (this.#endIndex - this.#startIndex) * 8;
  }

  /** The current range: at the end of a frame it equals the encoder's, by which conformance is checked. */
  get range(): number {
    return this.#range;
  }

  /** Bits used so far, rounded up, raw bits included (RFC 6716 §4.1.6.1). */
  tell(): number {
    return this.#totalBits - bitLength(this.#range);
  }

  /** Eighths of a bit used so far, rounded up (RFC 6716 §4.1.6.2). */
  tellEighths(): number {
    let log = bitLength(this.#range);
    let r = this.#range >>> (log - 16);
    for (let i = 0; i < 3; i++) {
      r = (r * r) >>> 15;
      const bit = r >>> 16;
      log = 2 * log + bit;
      r >>>= bit;
    }
    return 8 * this.#totalBits - log;
  }

  /** Counts the rest of the frame as used, as a silent frame does. */
  consumeAll(): void {
    this.#totalBits += this.sizeBits - this.tell();
  }

  /** A flag that is set with probability 2^−`logp`. */
  bit(logp: number): boolean {
    const threshold = this.#range >>> logp;
    const isSet = this.#value < threshold;
    if (isSet) this.#range = threshold;
    else {
      this.#value -= threshold;
      this.#range -= threshold;
    }
    this.#normalize();
    return isSet;
  }

  /** Index of a symbol in an inverse cumulative table that ends in 0 and whose total is 2^`totalLog2`. */
  symbol(inverseCumulative: Int32Array, totalLog2: number): number {
    const step = this.#range >>> totalLog2;
    let upper = this.#range;
    let index = 0;
    let lower = step * (inverseCumulative[0] ?? 0);
    while (this.#value < lower) {
      upper = lower;
      index++;
      lower = step * (inverseCumulative[index] ?? 0);
    }
    this.#value -= lower;
    this.#range = upper - lower;
    this.#normalize();
    return index;
  }

  /** The position, below `total`, that the next symbol's cumulative range must cover; `update` then takes it. */
  position(total: number): number {
    const step = Math.floor(this.#range / total);
    return Math.max(0, total - Math.floor(this.#value / step) - 1);
  }

  /** Takes the symbol whose cumulative range is `[low, high)` of `total`, after `position`. */
  update(low: number, high: number, total: number): void {
    const step = Math.floor(this.#range / total);
    const skipped = step * (total - high);
    this.#value -= skipped;
    this.#range = low > 0 ? step * (high - low) : this.#range - skipped;
    this.#normalize();
  }

  /** A uniform integer below `count`, 2 ≤ `count` ≤ 2^32 − 1 (RFC 6716 §4.1.5). */
  uniform(count: number): number {
    const largest = count - 1;
    const lowBits = bitLength(largest) - 8;
    if (lowBits <= 0) {
      const value = this.position(count);
      this.update(value, value + 1, count);
      return value;
    }
    const highCount = (largest >>> lowBits) + 1;
    const high = this.position(highCount);
    this.update(high, high + 1, highCount);
    const value = high * 2 ** lowBits + this.rawBits(lowBits);
    if (value <= largest) return value;
    this.hasRangeError = true;
    return largest;
  }

  /** `count` bits from the frame's end, 0 ≤ `count` ≤ 25 (RFC 6716 §4.1.4). */
  rawBits(count: number): number {
    while (this.#rawBits < count) {
      let byte = 0;
      if (this.#rawIndex > this.#startIndex) byte = this.#bytes[--this.#rawIndex] ?? 0;
      this.#rawWindow = (this.#rawWindow | (byte << this.#rawBits)) >>> 0;
      this.#rawBits += 8;
    }
    const value = this.#rawWindow & ((1 << count) - 1);
    this.#rawWindow >>>= count;
    this.#rawBits -= count;
    this.#totalBits += count;
    this.#rawTotal += count;
    return value;
  }

  /**
   * Checks that the bits between the range coder's and the raw ones are those that an encoder leaves: the shortest
   * number inside the final range, then zeros (RFC 6716 §5.1.5). Returns the number of bits so checked, or −1 where
   * they differ.
   */
  checkJunction(): number {
    // The 31-bit window that the decoder last looked at starts this many bits into the frame; the first byte gives 7.
    const windowStart = (this.#nextIndex - this.#startIndex) * 8 - 32;
    const seen = this.#bitsAt(windowStart, 31);
    // low = seen − (range − 1 − value), modulo 2^31
    const low = (((seen - (this.#range - 1 - this.#value)) % CODE_TOP) + CODE_TOP) % CODE_TOP;
    let length = 32 - bitLength(this.#range);
    let unit = CODE_TOP / 2 ** length;
    let end = Math.ceil(low / unit) * unit;
    if (end + unit - 1 >= low + this.#range) {
      length++;
      unit /= 2;
      end = Math.ceil(low / unit) * unit;
    }
    end %= CODE_TOP;
    const rawStart = this.sizeBits - this.#rawTotal;
    const visible = Math.min(31, rawStart - windowStart);
    if (visible < 0) return 0;
    const mask = 2 ** (31 - visible);
    if (Math.floor(seen / mask) !== Math.floor(end / mask)) return -1;
    let checked = Math.max(0, visible - length);
    for (let bit = windowStart + 31; bit < rawStart; bit++, checked++) {
      if (this.#bitsAt(bit, 1) !== 0) return -1;
    }
    return checked;
  }

  #bitsAt(startBit: number, count: number): number {
    let value = 0;
    for (let bit = startBit; bit < startBit + count; bit++) {
      const byte = bit < 0 || bit >= this.sizeBits ? 0 : (this.#bytes[this.#startIndex + (bit >> 3)] ?? 0);
      value = value * 2 + ((byte >>> (7 - (bit & 7))) & 1);
    }
    return value;
  }

  #readByte(): number {
    const byte = this.#nextIndex < this.#endIndex ? (this.#bytes[this.#nextIndex] ?? 0) : 0;
    this.#nextIndex++;
    return byte;
  }

  #normalize(): void {
    while (this.#range <= CODE_BOTTOM) {
      this.#totalBits += 8;
      this.#range *= 256;
      const byte = this.#readByte();
      const symbol = (((this.#previousByte << 8) | byte) >>> 1) & 0xff;
      this.#previousByte = byte;
      this.#value = ((this.#value << 8) + (255 - symbol)) & 0x7fff_ffff;
    }
  }
}

/** Bits in `value`: 0 for 0, else 1 + floor(log2). 0 ≤ `value` < 2^32. */
export function bitLength(value: number): number {
  return 32 - Math.clz32(value);
}
