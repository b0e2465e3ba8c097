/** Big-endian unsigned 32 bits at `index`; bytes past the end count as 0, so callers check the range first. */
export function readU32(bytes: Uint8Array, index: number): number {
  return (
    (((bytes[index] ?? 0) << 24) |
      ((bytes[index + 1] ?? 0) << 16) |
      ((bytes[index + 2] ?? 0) << 8) |
      (bytes[index + 3] ?? 0)) >>>
    0
  );
}
