import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";

const DEFAULT_CAPACITY_BYTES = 256 * 1024;
/** A first look at a new place reads this much; looks that follow on directly read four times more each. */
const FIRST_READ_BYTES = 4 * 1024;

/** Bytes of a source from an offset on, and how much the next read that follows on takes. */
interface View {
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly nextReadBytes: number;
}

/**
 * A movable view on a source. `load` brings a range into `bytes`; absolute offsets become indexes by subtracting
 * `baseOffset`. Jumping about reads little; walking on reads ahead. What was seen before the last jump is kept, so that
 * looking ahead and coming back reads nothing twice.
 */
export class ByteWindow {
  readonly sizeBytes: number;
  /** The visible bytes are `bytes.subarray(0, endOffset - baseOffset)`; the array's identity may change on `load`. */
  bytes: Uint8Array = new Uint8Array(FIRST_READ_BYTES);
  /** Absolute offset of `bytes[0]`. */
  baseOffset = 0;
  /** Absolute offset after the last visible byte. */
  endOffset = 0;
  readonly #source: ByteSource;
  readonly #capacityBytes: number;
  #nextReadBytes = FIRST_READ_BYTES;
  #kept: View = {
    bytes: new Uint8Array(FIRST_READ_BYTES),
    baseOffset: 0,
    endOffset: 0,
    nextReadBytes: FIRST_READ_BYTES,
  };

  constructor(source: ByteSource, capacityBytes = DEFAULT_CAPACITY_BYTES) {
    this.#source = source;
    this.#capacityBytes = capacityBytes;
    this.sizeBytes = source.sizeBytes;
  }

  /**
   * Makes `[offset, offset + lengthBytes)` visible, clipped to the source, and returns how many bytes are visible
   * from `offset` on: at least `lengthBytes` unless the source ends, possibly more. `lengthBytes` bounds an
   * allocation: callers pass limits of formats, never a number read from a file.
   */
  load(offset: number, lengthBytes: number): number {
    if (offset >= this.baseOffset && offset + lengthBytes <= this.endOffset) return this.endOffset - offset;
    if (offset >= this.sizeBytes || offset < 0) return 0;
    const neededEnd = Math.min(offset + lengthBytes, this.sizeBytes);
    if (offset >= this.baseOffset && neededEnd <= this.endOffset) return this.endOffset - offset;
    const followsOn = offset >= this.baseOffset && offset <= this.endOffset;
    if (!followsOn) {
      this.#exchange();
      if (offset >= this.baseOffset && neededEnd <= this.endOffset) return this.endOffset - offset;
    }
    const readsOn = followsOn || (offset >= this.baseOffset && offset <= this.endOffset);
    this.#nextReadBytes = readsOn ? Math.min(this.#nextReadBytes * 4, this.#capacityBytes) : FIRST_READ_BYTES;
    const wanted = Math.min(Math.max(lengthBytes, this.#nextReadBytes), this.sizeBytes - offset);
    if (wanted > this.bytes.length) this.bytes = new Uint8Array(2 ** Math.ceil(Math.log2(wanted)));
    const got = this.#source.read(offset, this.bytes.subarray(0, wanted));
    this.baseOffset = offset;
    this.endOffset = offset + got;
    return got;
  }

  /** Changes places with the view that was kept. */
  #exchange(): void {
    const { bytes, baseOffset, endOffset } = this;
    const kept = this.#kept;
    this.#kept = { bytes, baseOffset, endOffset, nextReadBytes: this.#nextReadBytes };
    this.bytes = kept.bytes;
    this.baseOffset = kept.baseOffset;
    this.endOffset = kept.endOffset;
    this.#nextReadBytes = kept.nextReadBytes;
  }

  /** The byte at an absolute offset. Throws MEDIA_MALFORMED at or past the end of the source. */
  u8(offset: number): number {
    this.#need(offset, 1);
    return this.bytes[offset - this.baseOffset] as number;
  }

  /** Big-endian 16 bits at an absolute offset. Throws MEDIA_MALFORMED where they are not all there. */
  u16(offset: number): number {
    this.#need(offset, 2);
    const index = offset - this.baseOffset;
    return ((this.bytes[index] as number) << 8) | (this.bytes[index + 1] as number);
  }

  /** Big-endian unsigned 32 bits at an absolute offset. Throws MEDIA_MALFORMED where they are not all there. */
  u32(offset: number): number {
    return this.u16(offset) * 0x10000 + this.u16(offset + 2);
  }

  #need(offset: number, lengthBytes: number): void {
    if (this.load(offset, lengthBytes) < lengthBytes) {
      throw new ReelmillError(
        "MEDIA_MALFORMED",
        `The data end at byte ${this.sizeBytes}; ${lengthBytes} bytes were wanted at ${offset}.`,
      );
    }
  }
}
