/** Bytes of an ID3 header. */
export const ID3_HEADER_BYTES = 10;

/** Bytes of the ID3v2 tag that `bytes` begin with, its header included (ID3v2.4 §3.1); 0 where there is none. */
export function id3TagBytes(bytes: Uint8Array): number {
  const isTag = bytes.length >= ID3_HEADER_BYTES && bytes[0] === 0x49 && bytes[1] === 0x44 && bytes[2] === 0x33;
  if (!isTag) return 0;
  return ID3_HEADER_BYTES + [6, 7, 8, 9].reduce((size, index) => size * 128 + ((bytes[index] ?? 0) & 0x7f), 0);
}
