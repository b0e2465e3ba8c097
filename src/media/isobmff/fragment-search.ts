import { type ByteSource, readExactly } from "../bytes/byte-source.ts";
import { fourccAt } from "./box-reader.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "./top-level.ts";

/** Largest `moof` that is read, in bytes. */
export const MAX_FRAGMENT_BYTES = 64 * 1024 * 1024;
const FIRST_SEARCH_BYTES = 4096;
const SEARCH_BLOCK_BYTES = 1024 * 1024;
/** Bytes between boxes that may have been a `moof`: fewer are padding. */
const MIN_HOLE_BYTES = 64;
/** Header of `moof`, then the whole `mfhd` that stands first in it. */
const HEAD_BYTES = 24;

/** What the walk over a fragmented file meets. */
export type FragmentStep =
  | { readonly kind: "fragment"; readonly offsetBytes: number; readonly sizeBytes: number }
  /** Bytes that are no box, end exclusive. */
  | { readonly kind: "hole"; readonly byteStart: number; readonly byteEnd: number };

/**
 * Walks the `moof` boxes of a file. Where the boxes stop before the file does, or a box claims more than the file
 * holds and may so cover fragments behind it, the next plausible `moof` is searched for. `dataEndBytes` is asked where
 * the samples read so far end, which bounds the hole reported.
 */
export function* eachMovieFragment(
  source: ByteSource,
  boxes: readonly TopLevelBox[],
  dataEndBytes: () => number,
): Generator<FragmentStep> {
  let chain = boxes;
  let offsetBytes = 0;
  while (true) {
    let hole: number | undefined;
    for (const box of chain) {
      if (box.offsetBytes - offsetBytes >= MIN_HOLE_BYTES && isZeroAt(source, offsetBytes)) hole ??= offsetBytes;
      // Without the `moof` before it nobody knows what an `mdat` holds.
      if (hole !== undefined && box.type !== "mdat") {
        yield { kind: "hole", byteStart: hole, byteEnd: box.offsetBytes };
        hole = undefined;
      }
      if (box.type === "moof") yield { kind: "fragment", offsetBytes: box.offsetBytes, sizeBytes: box.sizeBytes };
      offsetBytes = box.offsetBytes + box.sizeBytes;
      // What claims more than there is may be a stale size: its payload may hold fragments.
      const isCut = box.offsetBytes + box.declaredSizeBytes > source.sizeBytes;
      if (isCut || box.sizeKind === "to-end") offsetBytes = box.offsetBytes + box.headerBytes;
    }
    const last = chain.at(-1);
    const isInsideBox = last !== undefined && offsetBytes < last.offsetBytes + last.sizeBytes;
    const found = findFragment(source, offsetBytes);
    const end = found ?? source.sizeBytes;
    // Samples may have been placed beyond the last whole header: their bytes are no hole.
    const dataEnd = dataEndBytes();
    const start = hole ?? (dataEnd > offsetBytes && dataEnd <= end ? dataEnd : offsetBytes);
    const isHole = end > start && (found !== undefined || !isInsideBox || hole !== undefined);
    if (isHole) yield { kind: "hole", byteStart: start, byteEnd: end };
    if (found === undefined) return;
    chain = scanTopLevelBoxes(source, found);
    offsetBytes = found;
    if (chain.length === 0) return;
  }
}

/** Whether zeros stand where a box's header should. */
function isZeroAt(source: ByteSource, offsetBytes: number): boolean {
  return readExactly(source, offsetBytes, 8)?.every((byte) => byte === 0) ?? false;
}

/** The offset of the next plausible `moof` at or after `fromBytes`, or undefined. O(bytes searched). */
function findFragment(source: ByteSource, fromBytes: number): number | undefined {
  const wanted = Math.max(HEAD_BYTES, source.sizeBytes - fromBytes);
  // Hostile files have a fragment every few bytes: only where none is near, much is read at once.
  let block = new Uint8Array(Math.min(FIRST_SEARCH_BYTES, wanted));
  let blockStart = fromBytes;
  while (blockStart + HEAD_BYTES <= source.sizeBytes) {
    const got = source.read(blockStart, block);
    if (got < HEAD_BYTES) return undefined;
    for (let at = block.indexOf(0x6d, 4); at >= 0 && at - 4 + HEAD_BYTES <= got; at = block.indexOf(0x6d, at + 1)) {
      if (isFragmentAt(block, at - 4, source.sizeBytes - blockStart)) return blockStart + at - 4;
    }
    blockStart += got - HEAD_BYTES + 1;
    if (block.length < SEARCH_BLOCK_BYTES) block = new Uint8Array(Math.min(SEARCH_BLOCK_BYTES, wanted));
  }
  return undefined;
}

/** Whether a `moof` whose first child is `mfhd` starts at `index` and ends within `leftBytes` of the block's start. */
function isFragmentAt(block: Uint8Array, index: number, leftBytes: number): boolean {
  if (block[index + 5] !== 0x6f || fourccAt(block, index + 4) !== "moof") return false;
  const view = new DataView(block.buffer, index, HEAD_BYTES);
  const sizeBytes = view.getUint32(0);
  if (sizeBytes < HEAD_BYTES || sizeBytes > MAX_FRAGMENT_BYTES || index + sizeBytes > leftBytes) return false;
  return view.getUint32(8) === 16 && fourccAt(block, index + 12) === "mfhd";
}
