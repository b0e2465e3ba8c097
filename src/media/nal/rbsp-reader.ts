import type { BitInput } from "./bit-input.ts";

/**
 * Reads bits of a NAL unit and steps over emulation prevention bytes on the way. Unlike the readers elsewhere it
 * does not throw: a scan asks it about random bytes hundreds of thousands of times a second, and an exception costs
 * more than all the rest. A read past the end, a malformed code or a byte pattern that no NAL unit may hold makes
 * `isBroken` true for good; what is read from then on means nothing, so callers bound their loops by it and ask it
 * before they believe a value.
 */
export class RbspReader implements BitInput {
  isBroken = false;
  readonly #bytes: Uint8Array;
  readonly #startIndex: number;
  readonly #endIndex: number;
  #index: number;
  #escapeCount = 0;
  #zeros = 0;
  /** The low `#cachedBits` bits are read from the bytes but not yet handed out. */
  #cache = 0;
  #cachedBits = 0;

  /** Reads `[startIndex, endIndex)` of `bytes`, which begins after the NAL unit's header. */
  constructor(bytes: Uint8Array, startIndex: number, endIndex: number) {
    this.#bytes = bytes;
    this.#startIndex = startIndex;
    this.#index = startIndex;
    this.#endIndex = endIndex;
  }

  /** Bits up to the next byte boundary of the payload, 0–7. */
  get bitsToByteBoundary(): number {
    return this.#cachedBits & 7;
  }

  /** Bytes still to read, counting emulation prevention bytes ahead: the payload may hold fewer, never more. */
  get maxBytesLeft(): number {
    return (this.#cachedBits >>> 3) + (this.#endIndex - this.#index);
  }

  /** Bits of the payload that were read, emulation prevention bytes not among them. */
  get payloadBitsRead(): number {
    return 8 * (this.#index - this.#startIndex - this.#escapeCount) - this.#cachedBits;
  }

  /** Declares what was read impossible. */
  fail(): void {
    this.isBroken = true;
  }

  bits(count: number): number {
    if (count > 24) return this.bits(count - 16) * 0x10000 + this.bits(16);
    if (count > this.#cachedBits) this.#fill();
    if (count > this.#cachedBits) {
      this.isBroken = true;
      return 0;
    }
    this.#cachedBits -= count;
    return (this.#cache >>> this.#cachedBits) & ((1 << count) - 1);
  }

  /** The next byte of the payload, left unread; −1 where fewer than eight bits remain. */
  peekByte(): number {
    if (this.#cachedBits < 8) this.#fill();
    return this.#cachedBits < 8 ? -1 : (this.#cache >>> (this.#cachedBits - 8)) & 0xff;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  ue(): number {
    if (this.#cachedBits < 25) this.#fill();
    const have = this.#cachedBits;
    const zeros = have === 0 ? 32 : Math.clz32(this.#cache << (32 - have));
    if (zeros * 2 + 1 <= have && zeros <= 11) return this.bits(zeros * 2 + 1) - 1;
    return this.#longUe();
  }

  se(): number {
    const code = this.ue();
    return (code & 1) === 1 ? (code + 1) / 2 : -code / 2;
  }

  #longUe(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros++;
      if (zeros > 32 || this.isBroken) {
        this.isBroken = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  #fill(): void {
    while (this.#cachedBits <= 24 && this.#index < this.#endIndex) {
      let byte = this.#bytes[this.#index++] as number;
      if (this.#zeros >= 2) {
        if (byte === 3) {
          this.#zeros = 0;
          this.#escapeCount++;
          if (this.#index >= this.#endIndex) return;
          byte = this.#bytes[this.#index++] as number;
        } else if (byte < 3) {
          this.isBroken = true;
        }
      }
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
      this.#cache = (this.#cache << 8) | byte;
      this.#cachedBits += 8;
    }
  }
}
