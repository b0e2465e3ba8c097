import type { ByteSource } from "./byte-source.ts";

/** The bytes from `startBytes` up to `endBytes` as a source of their own, offsets from its beginning; they must lie in the source. */
export function partOfSource(source: ByteSource, startBytes: number, endBytes: number): ByteSource {
  const ended = endSourceAt(source, endBytes);
  return {
    sizeBytes: endBytes - startBytes,
    read: (offsetBytes, target) => ended.read(startBytes + offsetBytes, target),
  };
}

/**
 * The source up to `endBytes`, offsets as they are: for a range of a file in which other ranges follow. An end past the
 * source's is cut to it.
 */
export function endSourceAt(source: ByteSource, endBytes: number): ByteSource {
  const sizeBytes = Math.min(source.sizeBytes, Math.max(0, endBytes));
  return {
    sizeBytes,
    read(offsetBytes, target) {
      const leftBytes = Math.max(0, sizeBytes - offsetBytes);
      return source.read(offsetBytes, leftBytes < target.length ? target.subarray(0, leftBytes) : target);
    },
  };
}
