/**
 * Where a JPEG scan takes its bytes from; `ByteWindow` is one. `load` makes `[offset, offset + lengthBytes)` visible
 * as far as there are bytes and returns how many are visible from `offset` on.
 */
export interface JpegView {
  readonly bytes: Uint8Array;
  /** Absolute offset of `bytes[0]`. */
  readonly baseOffset: number;
  /** Absolute offset after the last visible byte. */
  readonly endOffset: number;
  load(offset: number, lengthBytes: number): number;
}

/** A view on `[0, endIndex)` of bytes in memory; offsets are indexes. */
export function createJpegView(bytes: Uint8Array, endIndex: number): JpegView {
  return { bytes, baseOffset: 0, endOffset: endIndex, load: (offset) => Math.max(0, endIndex - offset) };
}

/** The byte at an absolute offset that `load` has made visible. */
export function viewByte(view: JpegView, offset: number): number {
  return view.bytes[offset - view.baseOffset] ?? 0;
}

/** Big-endian 16 bits at an absolute offset that `load` has made visible. */
export function viewU16(view: JpegView, offset: number): number {
  return (viewByte(view, offset) << 8) | viewByte(view, offset + 1);
}

/** Big-endian 32 bits at an absolute offset that `load` has made visible. */
export function viewU32(view: JpegView, offset: number): number {
  return viewU16(view, offset) * 0x10000 + viewU16(view, offset + 2);
}
