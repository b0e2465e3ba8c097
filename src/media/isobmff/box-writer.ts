import { ReelmillError } from "../../base/errors.ts";

const U32_MAX = 0xffff_ffff;
const FULL_HEADER_BYTES = 12;

/** A box that is written when all is joined. */
export interface DeferredBox {
  /** Bytes that `write` writes. */
  readonly length: number;
  readonly write: (fields: FieldWriter) => void;
}

/** What boxes are joined from. */
export type BoxPart = Uint8Array | DeferredBox;

/** Joins parts into a new array. Throws INTERNAL where a deferred box writes more or less than it said. */
export function concatBytes(parts: readonly BoxPart[]): Uint8Array {
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new FieldWriter(sizeBytes);
  for (const part of parts) {
    if (part instanceof Uint8Array) joined.bytes(part);
    else part.write(joined);
  }
  const bytes = joined.finish();
  if (bytes.length === sizeBytes) return bytes;
  throw new ReelmillError("INTERNAL", `Boxes of ${sizeBytes} bytes were written as ${bytes.length}.`);
}

/**
 * A box of the parts given, header included (64-bit size where the payload needs it). Throws INTERNAL where
 * `type` is not four Latin-1 characters. ISO/IEC 14496-12 §4.2.
 */
export function serializeBox(type: string, ...parts: readonly BoxPart[]): Uint8Array {
  return concatBytes(nestParts(type, parts));
}

/**
 * A box as a list of parts, its header first: for containers of large tables, which `concatBytes` then copies once
 * and not once per level.
 */
export function nestParts(type: string, parts: readonly BoxPart[]): readonly BoxPart[] {
  let payloadBytes = 0;
  for (const part of parts) payloadBytes += part.length;
  return [serializeBoxHeader(type, payloadBytes), ...parts];
}

/**
 * The header of a box with `payloadBytes` after it: 8 bytes, or 16 where the size does not fit 32 bits. Also the
 * header of an `mdat` whose payload is copied by someone else.
 */
export function serializeBoxHeader(type: string, payloadBytes: number): Uint8Array {
  const isLarge = payloadBytes + 8 > U32_MAX;
  const writer = new FieldWriter(isLarge ? 16 : 8);
  writer.u32(isLarge ? 1 : payloadBytes + 8);
  writer.fourcc(type);
  if (isLarge) writer.u64(payloadBytes + 16);
  return writer.finish();
}

/** A FullBox: version (0–255) and flags (24 bits), then the parts. ISO/IEC 14496-12 §4.2. */
export function serializeFullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  const head = new FieldWriter(4);
  head.u8(version);
  head.u24(flags);
  return serializeBox(type, head.finish(), ...parts);
}

/**
 * A FullBox of `fieldBytes` (below 4 GiB) of fields that `write` writes where the whole is joined: large tables then never
 * stand in memory twice.
 */
export function deferFields(
  type: string,
  version: number,
  fieldBytes: number,
  write: (fields: FieldWriter) => void,
): DeferredBox {
  const length = FULL_HEADER_BYTES + fieldBytes;
  return {
    length,
    write: (fields) => {
      fields.u32(length);
      fields.fourcc(type);
      fields.u32(version * 0x100_0000);
      write(fields);
    },
  };
}

/**
 * Writes big-endian fields into a buffer that grows as needed. A value that its field cannot hold throws INTERNAL:
 * nothing is ever cut off silently.
 */
export class FieldWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** `expectedBytes` is a hint: the right one saves a copy. */
  constructor(expectedBytes = 64) {
    this.#bytes = new Uint8Array(expectedBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): void {
    checkRange(value, 0, 0xff);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    checkRange(value, 0, 0xffff);
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }

  u24(value: number): void {
    checkRange(value, 0, 0xff_ffff);
    this.u8(value >>> 16);
    this.u16(value & 0xffff);
  }

  u32(value: number): void {
    checkRange(value, 0, U32_MAX);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  i32(value: number): void {
    checkRange(value, -0x8000_0000, 0x7fff_ffff);
    const at = this.#grow(4);
    this.#view.setInt32(at, value);
  }

  u64(value: number): void {
    checkRange(value, 0, Number.MAX_SAFE_INTEGER);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value));
  }

  i64(value: number): void {
    checkRange(value, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const at = this.#grow(8);
    this.#view.setBigInt64(at, BigInt(value));
  }

  f64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value);
  }

  /** Four Latin-1 characters. */
  fourcc(type: string): void {
    if (type.length !== 4) throw new ReelmillError("INTERNAL", `A box type has four characters, got "${type}".`);
    for (let i = 0; i < 4; i++) this.u8(type.charCodeAt(i));
  }

  bytes(part: Uint8Array): void {
    const at = this.#grow(part.length);
    this.#bytes.set(part, at);
  }

  zeros(count: number): void {
    this.#grow(count);
  }

  u32Array(values: Uint32Array): void {
    let at = this.#grow(values.length * 4);
    for (const value of values) {
      this.#view.setUint32(at, value);
      at += 4;
    }
  }

  i32Array(values: Int32Array): void {
    let at = this.#grow(values.length * 4);
    for (const value of values) {
      this.#view.setInt32(at, value);
      at += 4;
    }
  }

  /** The bytes written so far; the writer is done with. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `count` bytes and returns where they start. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

function checkRange(value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new ReelmillError("INTERNAL", `A box field holds integers from ${min} to ${max}, got ${value}.`);
  }
}
