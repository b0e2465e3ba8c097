/**
 * Random access to bytes, the only way `media/` and `repair/` see a file. Reads are synchronous: the scan makes
 * tens of thousands of small decisions per second, and a caller whose bytes arrive asynchronously (object storage)
 * bridges them from another thread.
 */
export interface ByteSource {
  /** Total length in bytes; does not change while the source is in use. */
  readonly sizeBytes: number;
  /**
   * Fills `target` from `offsetBytes` on and returns how many bytes were read: `target.length`, or fewer only
   * where the source ends. An offset at or past the end reads 0.
   */
  read(offsetBytes: number, target: Uint8Array): number;
}

/** A source over bytes in memory. */
export function createMemorySource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read(offsetBytes, target) {
      const part = bytes.subarray(offsetBytes, offsetBytes + target.length);
      target.set(part);
      return part.length;
    },
  };
}

/**
 * Reads exactly `lengthBytes` from `offsetBytes`, or returns undefined where the source holds fewer. The caller
 * bounds `lengthBytes`: this allocates it.
 */
export function readExactly(source: ByteSource, offsetBytes: number, lengthBytes: number): Uint8Array | undefined {
  if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > source.sizeBytes) return undefined;
  const target = new Uint8Array(lengthBytes);
  return source.read(offsetBytes, target) === lengthBytes ? target : undefined;
}
