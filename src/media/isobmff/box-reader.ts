import { ReelmillError } from "../../base/errors.ts";
import { serializeBox } from "./box-writer.ts";

/** A container with more children than this is hostile; the rest is left out. */
const MAX_CHILDREN = 65_536;

interface BoxBounds {
  readonly type: string;
  readonly path: string;
  readonly headerIndex: number;
  readonly payloadIndex: number;
  readonly endIndex: number;
  readonly isClipped: boolean;
}

/** Reads four bytes as Latin-1 text. The caller has checked that they are there. */
export function fourccAt(bytes: Uint8Array, index: number): string {
  return String.fromCharCode(
    bytes[index] as number,
    bytes[index + 1] as number,
    bytes[index + 2] as number,
    bytes[index + 3] as number,
  );
}

/** Whether text may be a box type: printable ASCII, or © as QuickTime's user data has it. */
export function isPlausibleType(type: string): boolean {
  return /^[\x20-\x7e\xa9]{4}$/.test(type);
}

/**
 * A cursor over one box in memory. Fields are big-endian and read in turn; a read past the end of the box throws
 * MEDIA_MALFORMED with the box path and the byte offset. Tables are checked against the bytes left before they
 * are allocated.
 */
export class BoxReader {
  readonly type: string;
  /** Types from the outermost box down, `moov/trak[2]/mdia`; the second and later of a kind carry their number. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Index in `bytes` of the box header. */
  readonly headerIndex: number;
  readonly payloadIndex: number;
  readonly endIndex: number;
  /** Whether the box claims to be longer than what holds it. */
  readonly isClipped: boolean;
  /** Offset in the file of `bytes[0]`. */
  readonly baseOffsetBytes: number;
  readonly #view: DataView;
  #index: number;

  constructor(bytes: Uint8Array, bounds: BoxBounds, baseOffsetBytes: number) {
    this.bytes = bytes;
    this.type = bounds.type;
    this.path = bounds.path;
    this.headerIndex = bounds.headerIndex;
    this.payloadIndex = bounds.payloadIndex;
    this.endIndex = bounds.endIndex;
    this.isClipped = bounds.isClipped;
    this.baseOffsetBytes = baseOffsetBytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#index = bounds.payloadIndex;
  }

  /** Absolute file offset of the box header. */
  get offsetBytes(): number {
    return this.baseOffsetBytes + this.headerIndex;
  }

  get sizeBytes(): number {
    return this.endIndex - this.headerIndex;
  }

  get bytesLeft(): number {
    return this.endIndex - this.#index;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u24(): number {
    const index = this.#advance(3);
    return this.#view.getUint16(index) * 256 + this.#view.getUint8(index + 2);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  /** Unsigned 64 bits. Throws MEDIA_MALFORMED above 2^53 − 1. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value)) throw this.fail(`the 64-bit number ${value} is above 2^53 - 1`);
    return value;
  }

  /** Signed 64 bits. Throws MEDIA_MALFORMED outside ±(2^53 − 1). */
  i64(): number {
    const value = this.i32() * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value)) throw this.fail(`the 64-bit number ${value} is outside +-(2^53 - 1)`);
    return value;
  }

  fourcc(): string {
    return fourccAt(this.bytes, this.#advance(4));
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** A view (no copy) of the next `count` bytes. */
  take(count: number): Uint8Array {
    const index = this.#advance(count);
    return this.bytes.subarray(index, index + count);
  }

  /** A view (no copy) of what is left. */
  rest(): Uint8Array {
    return this.take(this.bytesLeft);
  }

  /** Version and flags of a FullBox, ISO/IEC 14496-12 §4.2. */
  versionAndFlags(): { readonly version: number; readonly flags: number } {
    return { version: this.u8(), flags: this.u24() };
  }

  /** `count` unsigned 32-bit numbers. */
  u32Array(count: number): Uint32Array {
    const index = this.#advanceTable(count, 4);
    const values = new Uint32Array(count);
    for (let i = 0, at = index; i < count; i++, at += 4) values[i] = this.#view.getUint32(at);
    return values;
  }

  /** `count` signed 32-bit numbers. */
  i32Array(count: number): Int32Array {
    const index = this.#advanceTable(count, 4);
    const values = new Int32Array(count);
    for (let i = 0, at = index; i < count; i++, at += 4) values[i] = this.#view.getInt32(at);
    return values;
  }

  /** `count` unsigned 64-bit numbers. Throws MEDIA_MALFORMED where one is above 2^53 − 1. */
  u64Array(count: number): Float64Array {
    const index = this.#advanceTable(count, 8);
    const values = new Float64Array(count);
    for (let i = 0, at = index; i < count; i++, at += 8) {
      const value = this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
      if (!Number.isSafeInteger(value)) throw this.fail(`entry ${i + 1} is above 2^53 - 1`);
      values[i] = value;
    }
    return values;
  }

  /** Throws MEDIA_MALFORMED where fewer than `count` entries of at least `entryBytes` fit in what is left. */
  checkCount(count: number, entryBytes: number): void {
    if (count * entryBytes > this.bytesLeft) {
      throw this.fail(`${count} entries of ${entryBytes} bytes are announced, ${this.bytesLeft} bytes are left`);
    }
  }

  /**
   * The boxes from the cursor on. Stops without error at the first bytes that cannot be a box; a last child that
   * is longer than its parent is clipped and says so.
   */
  children(): readonly BoxReader[] {
    const found: BoxReader[] = [];
    const seen = new Map<string, number>();
    let index = this.#index;
    while (found.length < MAX_CHILDREN) {
      const bounds = boundsAt(this.bytes, index, this.endIndex);
      if (bounds === undefined) break;
      const nth = (seen.get(bounds.type) ?? 0) + 1;
      seen.set(bounds.type, nth);
      const path = `${this.path}/${bounds.type}${nth > 1 ? `[${nth}]` : ""}`;
      found.push(new BoxReader(this.bytes, { ...bounds, path }, this.baseOffsetBytes));
      index = bounds.endIndex;
    }
    return found;
  }

  /** A copy of the whole box under a plain header. */
  copy(): Uint8Array {
    const isPlain = this.payloadIndex - this.headerIndex === 8 && this.#view.getUint32(this.headerIndex) > 1;
    if (isPlain && !this.isClipped) return this.bytes.slice(this.headerIndex, this.endIndex);
    return serializeBox(this.type, this.bytes.subarray(this.payloadIndex, this.endIndex));
  }

  /** The error to throw for a fault at the cursor. */
  fail(message: string): ReelmillError {
    const offset = this.baseOffsetBytes + this.#index;
    return new ReelmillError("MEDIA_MALFORMED", `${this.path} at byte ${offset}: ${message}.`);
  }

  #advance(count: number): number {
    const index = this.#index;
    if (count < 0 || index + count > this.endIndex) {
      throw this.fail(`the box ends early, ${count} bytes wanted, ${this.bytesLeft} left`);
    }
    this.#index = index + count;
    return index;
  }

  #advanceTable(count: number, entryBytes: number): number {
    this.checkCount(count, entryBytes);
    return this.#advance(count * entryBytes);
  }
}

/**
 * Finds the box that starts at `index`, or undefined where none can. ISO/IEC 14496-12 §4.2. A size of 0 is none here:
 * inside a movie it does not mean "to the end" but is the terminator of a QuickTime list, or a hole.
 */
function boundsAt(bytes: Uint8Array, index: number, endIndex: number): Omit<BoxBounds, "path"> | undefined {
  if (index + 8 > endIndex) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = fourccAt(bytes, index + 4);
  let sizeBytes = view.getUint32(index);
  let headerBytes = 8;
  if (sizeBytes === 1) {
    if (index + 16 > endIndex) return undefined;
    headerBytes = 16;
    sizeBytes = view.getUint32(index + 8) * 2 ** 32 + view.getUint32(index + 12);
  }
  if (sizeBytes < headerBytes) return undefined;
  const isClipped = index + sizeBytes > endIndex;
  return {
    type,
    headerIndex: index,
    payloadIndex: index + headerBytes,
    endIndex: isClipped ? endIndex : index + sizeBytes,
    isClipped,
  };
}

/** The box at the start of `bytes` where its size is 0: it reaches to their end. */
function openEnded(bytes: Uint8Array): Omit<BoxBounds, "path"> | undefined {
  const isOpen = bytes.length >= 8 && bytes.subarray(0, 4).every((byte) => byte === 0);
  if (!isOpen || !isPlausibleType(fourccAt(bytes, 4))) return undefined;
  return { type: fourccAt(bytes, 4), headerIndex: 0, payloadIndex: 8, endIndex: bytes.length, isClipped: false };
}

/**
 * Opens the box at the start of `bytes`; `baseOffsetBytes` is where `bytes` lies in the file and serves messages
 * only. Throws MEDIA_MALFORMED where no box can start there.
 */
export function openBox(bytes: Uint8Array, baseOffsetBytes = 0): BoxReader {
  const bounds = boundsAt(bytes, 0, bytes.length) ?? openEnded(bytes);
  if (bounds === undefined) {
    throw new ReelmillError("MEDIA_MALFORMED", `No box starts at byte ${baseOffsetBytes}.`);
  }
  return new BoxReader(bytes, { ...bounds, path: bounds.type }, baseOffsetBytes);
}

/** Lists the boxes in `bytes`, as `BoxReader.children` does for a payload. */
export function openBoxes(bytes: Uint8Array, path: string): readonly BoxReader[] {
  const bounds = { type: "", path, headerIndex: 0, payloadIndex: 0, endIndex: bytes.length, isClipped: false };
  return new BoxReader(bytes, bounds, 0).children();
}
