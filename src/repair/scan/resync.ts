import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { type Edge, isRawRun, partsOf } from "./edge.ts";
import type { Lattice, LatticeModel } from "./lattice.ts";
import { type Path, searchPath } from "./search.ts";
import { skipZeros } from "./zeros.ts";

/** Where the recording goes on after damage; the end of the data, without a path, where it does not. */
export interface Resync {
  readonly offset: number;
  readonly path: Path | undefined;
}

/** A start this likely is worth following. */
const START_BITS = 10;
/** Three packets in a row with this much evidence between them are the recording again. */
const CHAIN = { packets: 3, bits: 56 } as const;
const BOUNDS = { depth: 5, plainBits: Number.POSITIVE_INFINITY, expansions: 24 } as const;
/** Damaged stretches cost at most this many attempts to follow a start per MiB, whatever they hold. */
const ATTEMPTS_PER_MIB = 4096;
const MIB = 1024 * 1024;
/** Where no packet stands out, pieces of 16 KiB are searched, which overlap by more than three packets. */
const SEEK_STEP_BYTES = 12 * 1024;

/** Passing over so many bytes is told to `onProgress`, so that a long search can be seen and stopped. */
const PROGRESS_BYTES = MIB;

/**
 * The first place from `from` on where at least three packets chain. Linear in the bytes passed over. Throws what
 * `onProgress` throws.
 */
export async function findResync(
  window: ByteWindow,
  model: LatticeModel,
  lattice: Lattice,
  from: number,
  limit: number,
  onProgress?: (offset: number) => void | Promise<void>,
): Promise<Resync> {
  let offset = from;
  let attempts = 0;
  let nextProgress = from + PROGRESS_BYTES;
  while (offset < limit) {
    if (offset >= nextProgress) {
      nextProgress = offset + PROGRESS_BYTES;
      await onProgress?.(offset);
    }
    window.load(offset, 64 * 1024);
    if (window.bytes[offset - window.baseOffset] === 0) {
      const nonZero = skipZeros(window, offset, limit);
      // A packet may start with up to three zero bytes (a length field), not more.
      offset = Math.max(offset, nonZero - 3);
      if (offset >= limit) break;
    }
    if (!lattice.hasAnchors) {
      const { run, end, isPiece } = lattice.seek(offset);
      const path = run && { edges: [run.edge], scoreBits: run.edge.scoreBits, isOpenEnded: true };
      if (path && isChain(path, limit)) return { offset: run.offset, path };
      offset = isPiece ? offset + SEEK_STEP_BYTES : end;
      continue;
    }
    if (attempts < (1 + (offset - from) / MIB) * ATTEMPTS_PER_MIB && mayStart(window, model, offset)) {
      attempts++;
      const path = searchPath(lattice, offset, -1, limit, BOUNDS);
      if (path && isChain(path, limit)) return fromTold(model, offset, path);
    }
    offset++;
  }
  return { offset: limit, path: undefined };
}

/** Where a path goes on with packets that tell themselves: raw sound before them may have begun anywhere, and is found from behind. */
function fromTold(model: LatticeModel, offset: number, path: Path): Resync {
  const first = path.edges.findIndex((edge) => !isRawRun(model, edge));
  // Behind raw sound may stand padding, which a run from behind would take for its own.
  if (first <= 0 || model.padding.alignments.length > 0) return { offset, path };
  const { endOffset } = path.edges[first - 1] as Edge;
  return { offset: endOffset, path: { ...path, edges: path.edges.slice(first) } };
}

function mayStart(window: ByteWindow, model: LatticeModel, offset: number): boolean {
  for (const parser of model.parsers) {
    if (!parser.isSelfDelimiting && parser.usualRunBytes.length > 0) continue;
    if (parser.startEvidenceBits(window, offset) >= START_BITS) return true;
  }
  return false;
}

function isChain(path: Path, limit: number): boolean {
  if (path.scoreBits < CHAIN.bits) return false;
  const packets = path.edges.flatMap(partsOf).reduce((count, edge) => count + edge.packets.length, 0);
  return packets >= CHAIN.packets || path.edges.at(-1)?.endOffset === limit;
}
