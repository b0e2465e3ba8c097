import type { OutputPart } from "../../../repair/write/layout.ts";
import type { Recording } from "../recordings.ts";

/** The repaired file as it would be, read out of the damaged one. */
export function createComposedSource(damaged: Recording, parts: readonly OutputPart[], path: string): Recording {
  let sizeBytes = 0;
  const placed = parts.map((part) => {
    const startOffset = sizeBytes;
    sizeBytes += part.kind === "bytes" ? part.bytes.length : part.endOffset - part.startOffset;
    return { part, startOffset, endOffset: sizeBytes };
  });
  const read = (offset: number, target: Uint8Array): number => {
    const endOffset = Math.min(offset + target.length, sizeBytes);
    let done = 0;
    for (const { part, ...place } of placed) {
      const [first, last] = [Math.max(offset, place.startOffset), Math.min(endOffset, place.endOffset)];
      if (first >= last) continue;
      const [from, to] = [first - place.startOffset, last - place.startOffset];
      const into = target.subarray(first - offset, last - offset);
      if (part.kind === "bytes") into.set(part.bytes.subarray(from, to));
      else damaged.read(part.startOffset + from, into);
      done += last - first;
    }
    return done;
  };
  return { path, sizeBytes, read, close: () => undefined };
}
