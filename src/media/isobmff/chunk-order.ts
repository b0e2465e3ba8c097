import type { SampleTable } from "./movie.ts";
import { ChunkWalk } from "./sample-table.ts";

/** A chunk in its place in the file. */
export interface PlacedChunk {
  /** Index of its table among those walked. */
  readonly table: number;
  /** 0-based index of its first sample in decode order. */
  readonly firstSampleIndex: number;
  readonly sampleCount: number;
  /** Absolute file offset. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Decode times of its first sample and of the end of its last one, in media ticks. */
  readonly startTicks: number;
  readonly endTicks: number;
  /** How long its last sample lasts. */
  readonly lastSampleTicks: number;
}

/** One table's chunks by rising offset, and the one that the walk has come to. */
interface Cursor {
  readonly table: number;
  current: PlacedChunk;
  /** The chunk after `current`, or undefined. */
  next(): PlacedChunk | undefined;
}

/**
 * Visits the chunks of all tables by rising offset, those at one offset in the tables' order. O(chunks · log tables), and
 * keeps nothing per chunk but for a table whose chunks do not rise.
 */
export function forEachChunkInFile(tables: readonly SampleTable[], visit: (chunk: PlacedChunk) => void): void {
  const heap = tables.flatMap((samples, table) => openCursor(samples, table) ?? []);
  for (let node = heap.length >> 1; node >= 0; node--) sink(heap, node);
  while (heap.length > 0) {
    const cursor = heap[0] as Cursor;
    visit(cursor.current);
    const next = cursor.next();
    if (next) cursor.current = next;
    else {
      const last = heap.pop() as Cursor;
      if (heap.length > 0) heap[0] = last;
    }
    sink(heap, 0);
  }
}

function openCursor(samples: SampleTable, table: number): Cursor | undefined {
  const isRising = samples.chunkOffsets.every(
    (offset, index, all) => index === 0 || offset >= (all[index - 1] as number),
  );
  const next = isRising ? inTableOrder(samples, table) : sorted(samples, table);
  const current = next();
  return current && { table, current, next };
}

function inTableOrder(samples: SampleTable, table: number): () => PlacedChunk | undefined {
  const walk = new ChunkWalk(samples);
  return () => {
    if (!walk.next()) return undefined;
    const { firstSampleIndex, sampleCount, offsetBytes, sizeBytes, startTicks, endTicks, lastSampleTicks } = walk;
    return { table, firstSampleIndex, sampleCount, offsetBytes, sizeBytes, startTicks, endTicks, lastSampleTicks };
  };
}

function sorted(samples: SampleTable, table: number): () => PlacedChunk | undefined {
  const chunks: PlacedChunk[] = [];
  const next = inTableOrder(samples, table);
  for (let chunk = next(); chunk; chunk = next()) chunks.push(chunk);
  chunks.sort((a, b) => a.offsetBytes - b.offsetBytes || a.firstSampleIndex - b.firstSampleIndex);
  let position = 0;
  return () => chunks[position++];
}

/** Restores the order of a heap whose node `index` may lie behind its children. */
function sink(heap: Cursor[], index: number): void {
  let node = index;
  while (true) {
    let least = node;
    for (const child of [2 * node + 1, 2 * node + 2]) {
      if (child < heap.length && isBefore(heap[child] as Cursor, heap[least] as Cursor)) least = child;
    }
    if (least === node) return;
    [heap[node], heap[least]] = [heap[least] as Cursor, heap[node] as Cursor];
    node = least;
  }
}

function isBefore(a: Cursor, b: Cursor): boolean {
  const [left, right] = [a.current.offsetBytes, b.current.offsetBytes];
  return left < right || (left === right && a.table < b.table);
}
