/** The index at the end of a superframe (VP9 Annex B). */
export interface SuperframeIndex {
  /** Sizes of its frames in bytes, in order, 1 to 8 of them. */
  readonly frameBytes: readonly number[];
  /** Bytes of the index itself. */
  readonly indexBytes: number;
}

/**
 * Reads the superframe index that ends at `packetEnd`, undefined where there is none or it starts before
 * `packetStart`. The sizes are not checked against the packet.
 */
export function parseSuperframeIndex(
  bytes: Uint8Array,
  packetStart: number,
  packetEnd: number,
): SuperframeIndex | undefined {
  const marker = bytes[packetEnd - 1];
  if (marker === undefined || packetEnd <= packetStart || (marker & 0xe0) !== 0xc0) return undefined;
  const count = (marker & 7) + 1;
  const sizeBytes = ((marker >>> 3) & 3) + 1;
  const indexBytes = 2 + count * sizeBytes;
  const start = packetEnd - indexBytes;
  if (start < packetStart || bytes[start] !== marker) return undefined;
  const frameBytes: number[] = [];
  for (let i = 0; i < count; i++) {
    let size = 0;
    for (let k = 0; k < sizeBytes; k++) size += (bytes[start + 1 + i * sizeBytes + k] ?? 0) * 256 ** k;
    frameBytes.push(size);
  }
  return { frameBytes, indexBytes };
}
