import { type ByteSource, readExactly } from "../media/bytes/byte-source.ts";
import type { Movie } from "../media/isobmff/movie.ts";
import { readMovie } from "../media/isobmff/read-movie.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "../media/isobmff/top-level.ts";
import { dataEndOf, skipZeros } from "./data-end.ts";
import type { Extent } from "./extents.ts";

/** What a look at the boxes tells, before any sample is parsed. */
export interface Triage {
  readonly container: "isobmff" | "matroska" | "avi" | "mpegts" | "unknown";
  readonly boxes: readonly TopLevelBox[];
  /** The `ftyp` box, header included, where there is one. */
  readonly ftyp?: Uint8Array | undefined;
  /** Every `moov` that could be read, in file order. */
  readonly movies: readonly FoundMovie[];
  readonly hasFragments: boolean;
  /** Where sample data may lie, in file order: `mdat` payloads, or from the first to the end of the file where sizes lie. */
  readonly extents: readonly Extent[];
  /** Where the data end: before a preallocated tail of zeros, else the end of the file. */
  readonly dataEndOffset: number;
}

/** One `moov`. */
interface FoundMovie {
  readonly box: TopLevelBox;
  readonly movie: Movie;
  /** Whether players miss it: damage stands before it, or another box's size covers it. */
  readonly isHidden: boolean;
}

const MAX_FTYP_BYTES = 4096;
/** A `moov` with one track and its empty tables takes more. */
const MIN_MOVIE_BYTES = 128;
/** More indexes than these are not read: a hostile file holds nothing else. */
const MAX_MOVIES = 64;
/** Boxes that may follow sample data at the top level; anything else behind an `mdat` means that its size lies. */
const KNOWN_TYPES = new Set([
  "ftyp",
  "styp",
  "moov",
  "moof",
  "mdat",
  "free",
  "skip",
  "wide",
  "uuid",
  "meta",
  "udta",
  "sidx",
  "ssix",
  "mfra",
  "prft",
  "emsg",
  "pnot",
  "PICT",
  "pdin",
  "bloc",
]);

/**
 * Looks at the boxes of a damaged file. Never throws on content. `dataEndOffset` is where its data end, for a caller that
 * found it with pauses.
 */
export function triage(source: ByteSource, dataEndOffset = dataEndOf(source)): Triage {
  const head = readExactly(source, 0, Math.min(source.sizeBytes, 1024)) ?? new Uint8Array(0);
  const chained = scanTopLevelBoxes(source).filter((box) => KNOWN_TYPES.has(box.type));
  const container = chained.some((box) => box.type !== "uuid") ? "isobmff" : containerOf(head);
  const boxes =
    container === "isobmff" || container === "unknown" ? findAllBoxes(source, chained, dataEndOffset) : chained;
  const visible = new Set(chained);
  const ftypBox = boxes.find((box) => box.type === "ftyp" && box.sizeBytes <= MAX_FTYP_BYTES);
  return {
    container: boxes.length > 0 && container === "unknown" ? "isobmff" : container,
    boxes,
    ftyp: ftypBox && readExactly(source, ftypBox.offsetBytes, ftypBox.sizeBytes),
    movies: boxes
      .filter((box) => box.type === "moov" && box.sizeBytes >= MIN_MOVIE_BYTES)
      .slice(0, MAX_MOVIES)
      .flatMap((box) => tryRead(source, box, !visible.has(box))),
    hasFragments: boxes.some((box) => box.type === "moof"),
    extents: findExtents(source, boxes, dataEndOffset),
    dataEndOffset,
  };
}

function containerOf(head: Uint8Array): Triage["container"] {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x1a, 0x45, 0xdf, 0xa3)) return "matroska";
  if (starts(0x52, 0x49, 0x46, 0x46) && head[8] === 0x41 && head[9] === 0x56 && head[10] === 0x49) return "avi";
  for (const [stride, first] of [
    [188, 0],
    [192, 4],
    [204, 0],
  ] as const) {
    if ([0, 1, 2, 3].every((packet) => head[first + packet * stride] === 0x47)) return "mpegts";
  }
  return "unknown";
}

function tryRead(source: ByteSource, box: TopLevelBox, isHidden: boolean): FoundMovie[] {
  try {
    return [{ box, movie: readMovie(source, box), isHidden }];
  } catch {
    // A broken index is what this tool is for: the scan goes on without it.
    return [];
  }
}

/** The boxes that chain from the start, those behind zeros, and a `moov` at the end that a lying size covers. */
function findAllBoxes(
  source: ByteSource,
  chained: readonly TopLevelBox[],
  dataEndOffset: number,
): readonly TopLevelBox[] {
  const boxes = [...chained];
  for (let round = 0; round < MAX_ZERO_RUNS; round++) {
    const last = boxes.at(-1);
    const found = behindZeros(source, last ? last.offsetBytes + last.sizeBytes : 0, dataEndOffset);
    if (found.length === 0) break;
    // A million of them would be too many arguments for one call.
    for (const box of found) boxes.push(box);
  }
  if (boxes.some((box) => box.type === "moov" || box.type === "moof")) return boxes;
  const hidden = findMovieAtEnd(source, dataEndOffset);
  return hidden ? [...boxes, hidden] : boxes;
}

/** More zeroed stretches between boxes than these are not looked behind. */
const MAX_ZERO_RUNS = 64;
const MIN_ZERO_RUN_BYTES = 8;

/** The boxes that go on where zeros that start at `from` end. */
function behindZeros(source: ByteSource, from: number, dataEndOffset: number): readonly TopLevelBox[] {
  const firstByte = skipZeros(source, from, dataEndOffset);
  if (firstByte - from < MIN_ZERO_RUN_BYTES || firstByte >= dataEndOffset) return [];
  // A size starts with up to four zero bytes of its own.
  for (let start = Math.max(from, firstByte - 4); start <= firstByte; start++) {
    const found = scanTopLevelBoxes(source, start);
    const first = found[0];
    if (first !== undefined && KNOWN_TYPES.has(first.type)) return found.filter((box) => KNOWN_TYPES.has(box.type));
  }
  return [];
}

/** A recorder that never closed its `mdat` may have written the index all the same: it lies in the last bytes. */
const MOVIE_SEARCH_BYTES = 16 * 1024 * 1024;
const SEARCH_BLOCK_BYTES = 1024 * 1024;

/** The last `moov` that starts with an `mvhd` and ends within the file; O(1): at most 16 MiB are searched. */
function findMovieAtEnd(source: ByteSource, dataEndOffset: number): TopLevelBox | undefined {
  const least = Math.max(0, dataEndOffset - MOVIE_SEARCH_BYTES);
  const block = new Uint8Array(SEARCH_BLOCK_BYTES + 16);
  for (let end = dataEndOffset; end > least; end -= SEARCH_BLOCK_BYTES) {
    const start = Math.max(least, end - SEARCH_BLOCK_BYTES);
    const got = source.read(start, block);
    // "moov" at 4, "mvhd" at 12.
    for (let at = block.lastIndexOf(0x76, got - 4); at >= 7; at = block.lastIndexOf(0x76, at - 1)) {
      const isName = block[at - 1] === 0x6f && block[at - 2] === 0x6f && block[at - 3] === 0x6d;
      if (!isName || String.fromCharCode(...block.subarray(at + 5, at + 9)) !== "mvhd") continue;
      const box = scanTopLevelBoxes(source, start + at - 7)[0];
      if (box?.type === "moov" && box.declaredSizeBytes === box.sizeBytes) return box;
    }
  }
  return undefined;
}

/** Payloads of `mdat` boxes, as far as their sizes can be believed; what no box covers where there is no `mdat`. */
function findExtents(source: ByteSource, boxes: readonly TopLevelBox[], dataEndOffset: number): Extent[] {
  const extents: Extent[] = [];
  boxes.forEach((box, index) => {
    if (box.type !== "mdat") return;
    const startOffset = box.offsetBytes + box.headerBytes;
    const endOffset = endOfPayload(source, box, boxes[index + 1], dataEndOffset);
    if (endOffset > startOffset) extents.push({ startOffset, endOffset });
  });
  if (boxes.some((box) => box.type === "mdat" && box.sizeBytes > box.headerBytes)) return extents;
  return extents.length > 0 ? extents : outsideBoxes(boxes, dataEndOffset).map((extent) => afterZeros(source, extent));
}

/** Where an `mdat` ends: where its size says if a box or zeros follow there, else at the next box or the data's end. */
function endOfPayload(
  source: ByteSource,
  box: TopLevelBox,
  next: TopLevelBox | undefined,
  dataEndOffset: number,
): number {
  const statedEnd = box.offsetBytes + box.declaredSizeBytes;
  const nextOffset = next?.offsetBytes ?? Math.max(dataEndOffset, box.offsetBytes + box.headerBytes);
  if (box.sizeKind === "to-end" || statedEnd > nextOffset || box.declaredSizeBytes <= box.headerBytes)
    return nextOffset;
  return skipZeros(source, statedEnd, nextOffset) >= nextOffset ? statedEnd : nextOffset;
}

/** Without the zeros in front, but for the few that a packet's length may start with. */
function afterZeros(source: ByteSource, { startOffset, endOffset }: Extent): Extent {
  const firstByte = skipZeros(source, startOffset, endOffset);
  return { startOffset: Math.max(startOffset, firstByte - MAX_LENGTH_ZEROS), endOffset };
}

const MAX_LENGTH_ZEROS = 3;

/** The stretches between boxes: where data lie whose `mdat` header is gone. */
function outsideBoxes(boxes: readonly TopLevelBox[], dataEndOffset: number): Extent[] {
  const extents: Extent[] = [];
  let startOffset = 0;
  for (const box of [...boxes].sort((a, b) => a.offsetBytes - b.offsetBytes)) {
    if (box.offsetBytes > startOffset)
      extents.push({ startOffset, endOffset: Math.min(box.offsetBytes, dataEndOffset) });
    startOffset = Math.max(startOffset, box.offsetBytes + (box.type === "mdat" ? box.headerBytes : box.sizeBytes));
  }
  if (dataEndOffset > startOffset) extents.push({ startOffset, endOffset: dataEndOffset });
  return extents.filter((extent) => extent.endOffset > extent.startOffset);
}
