import type { ByteRange, ObjectPart, ObjectStore } from "./object-store.ts";

/** Bytes of one part, ≥ 0. */
export function bytesOfPart(part: ObjectPart): number {
  return part.kind === "bytes" ? part.bytes.length : part.range.end - part.range.start;
}

/** Bytes of an object that is put together of the parts. */
export function bytesOfParts(parts: readonly ObjectPart[]): number {
  return parts.reduce((sum, part) => sum + bytesOfPart(part), 0);
}

/** Throws RangeError for a range that does not lie in its object. */
export function requireInside(parts: readonly ObjectPart[]): void {
  for (const part of parts) {
    if (part.kind === "bytes") continue;
    const { range, from } = part;
    const isInside = range.start >= 0 && range.start <= range.end && range.end <= from.bytes;
    if (!isInside) {
      throw new RangeError(`Bytes ${range.start} to ${range.end} do not lie in ${from.key} of ${from.bytes} bytes.`);
    }
  }
}

/** What lies in a range of the whole, which is clipped to it, as parts of their own. */
export function sliceParts(parts: readonly ObjectPart[], { start, end }: ByteRange): readonly ObjectPart[] {
  const slices: ObjectPart[] = [];
  let at = 0;
  for (const part of parts) {
    const length = bytesOfPart(part);
    const [first, last] = [Math.max(0, start - at), Math.min(length, end - at)];
    at += length;
    if (first >= last) continue;
    if (part.kind === "bytes") slices.push({ kind: "bytes", bytes: part.bytes.subarray(first, last) });
    else {
      const offset = part.range.start;
      slices.push({ ...part, range: { start: offset + first, end: offset + last } });
    }
  }
  return slices;
}

/** The content of the parts, one behind the other, read as it is asked for. Throws as `ObjectStore.read`. */
export async function* readParts(
  read: ObjectStore["read"],
  parts: readonly ObjectPart[],
): AsyncGenerator<Uint8Array, undefined> {
  for (const part of parts) {
    if (part.kind === "bytes") yield part.bytes;
    else yield* await read(part.from.key, part.range, part.from.tag);
  }
  return undefined;
}
