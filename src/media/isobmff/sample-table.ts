import { ReelmillError } from "../../base/errors.ts";
import type { SampleTable } from "./movie.ts";
import { sumOfCounts } from "./runs.ts";

/** Sum of a column, exact up to 2^53. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
}

/** Sum of all samples' durations in media ticks. */
export function totalDurationTicks(table: SampleTable): number {
  let total = 0;
  const runs = table.durationRuns;
  for (let i = 0; i + 1 < runs.length; i += 2) total += (runs[i] as number) * (runs[i + 1] as number);
  return total;
}

/** Called once per sample, in decode order. `sampleIndex` and `chunkIndex` count from 0. */
export type SampleVisitor = (
  sampleIndex: number,
  offsetBytes: number,
  sizeBytes: number,
  durationTicks: number,
  compositionOffsetTicks: number,
  isSync: boolean,
  chunkIndex: number,
) => void;

/** A cursor over (count, value) pairs. */
interface RunCursor {
  readonly runs: ArrayLike<number>;
  at: number;
  left: number;
  value: number;
}

function nextOf(cursor: RunCursor): number {
  while (cursor.left === 0) {
    if (cursor.at >= cursor.runs.length) return cursor.value;
    cursor.left = cursor.runs[cursor.at] as number;
    cursor.value = cursor.runs[cursor.at + 1] as number;
    cursor.at += 2;
  }
  cursor.left--;
  return cursor.value;
}

/** Visits every sample in decode order. For PCM, whose samples are single frames, use `forEachChunk`. */
export function forEachSample(table: SampleTable, visit: SampleVisitor): void {
  const durations: RunCursor = { runs: table.durationRuns, at: 0, left: 0, value: 0 };
  const offsets: RunCursor = { runs: table.compositionRuns ?? [], at: 0, left: 0, value: 0 };
  const sync = table.syncSamples;
  let nextSync = 0;
  let sample = 0;
  for (let chunk = 0; chunk < table.chunkOffsets.length; chunk++) {
    let offsetBytes = table.chunkOffsets[chunk] as number;
    const end = Math.min(sample + (table.chunkSampleCounts[chunk] as number), table.sampleCount);
    for (; sample < end; sample++) {
      const sizeBytes = table.constantSizeBytes || (table.sizes[sample] as number);
      const isSync = sync === undefined || sync[nextSync] === sample;
      if (isSync) nextSync++;
      visit(sample, offsetBytes, sizeBytes, nextOf(durations), nextOf(offsets), isSync, chunk);
      offsetBytes += sizeBytes;
    }
  }
}

/** Called once per chunk. Indexes count from 0, `descriptionIndex` from 1. */
export type ChunkVisitor = (
  chunkIndex: number,
  firstSampleIndex: number,
  sampleCount: number,
  offsetBytes: number,
  sizeBytes: number,
  /** Decode time of the first sample in media ticks. */
  startTicks: number,
  descriptionIndex: number,
) => void;

/** Visits every chunk in order; O(chunks) for constant-size tracks. */
export function forEachChunk(table: SampleTable, visit: ChunkVisitor): void {
  const walk = new ChunkWalk(table);
  while (walk.next()) {
    const descriptionIndex = table.chunkDescriptionIndexes?.[walk.chunkIndex] ?? 1;
    const { chunkIndex, firstSampleIndex, sampleCount, sizeBytes, startTicks } = walk;
    visit(chunkIndex, firstSampleIndex, sampleCount, walk.offsetBytes, sizeBytes, startTicks, descriptionIndex);
  }
}

/** Walks a table's chunks in order; the fields tell of the one that `next` moved on to. */
export class ChunkWalk {
  chunkIndex = -1;
  firstSampleIndex = 0;
  sampleCount = 0;
  /** Absolute file offset. */
  offsetBytes = 0;
  sizeBytes = 0;
  /** Decode times of the first sample and of the end of the last one, in media ticks. */
  startTicks = 0;
  endTicks = 0;
  /** How long the last sample lasts, in media ticks. */
  lastSampleTicks = 0;
  readonly #table: SampleTable;
  #run = 0;
  #runLeft: number;

  constructor(table: SampleTable) {
    this.#table = table;
    this.#runLeft = table.durationRuns[0] ?? 0;
  }

  /** Moves on to the next chunk; false where there is none. */
  next(): boolean {
    const table = this.#table;
    if (this.chunkIndex + 1 >= table.chunkOffsets.length) return false;
    this.chunkIndex++;
    this.firstSampleIndex += this.sampleCount;
    this.sampleCount = table.chunkSampleCounts[this.chunkIndex] as number;
    this.offsetBytes = table.chunkOffsets[this.chunkIndex] as number;
    this.sizeBytes = table.constantSizeBytes * this.sampleCount;
    if (table.constantSizeBytes === 0) {
      const end = Math.min(this.firstSampleIndex + this.sampleCount, table.sizes.length);
      for (let sample = this.firstSampleIndex; sample < end; sample++) this.sizeBytes += table.sizes[sample] as number;
    }
    this.startTicks = this.endTicks;
    this.#passTime(this.sampleCount);
    return true;
  }

  #passTime(sampleCount: number): void {
    const runs = this.#table.durationRuns;
    for (let left = sampleCount; left > 0 && this.#run + 1 < runs.length; ) {
      const taken = Math.min(left, this.#runLeft);
      this.lastSampleTicks = runs[this.#run + 1] as number;
      this.endTicks += taken * this.lastSampleTicks;
      left -= taken;
      this.#runLeft -= taken;
      if (this.#runLeft > 0) continue;
      this.#run += 2;
      this.#runLeft = runs[this.#run] ?? 0;
    }
  }
}

/** Throws INTERNAL where the table's sums disagree: what the writer must never write. */
export function checkSampleTable(table: SampleTable, name: string): void {
  const faults: string[] = [];
  const expect = (what: string, found: number, wanted: number) => {
    if (found !== wanted) faults.push(`${what} is ${found}, not ${wanted}`);
  };
  expect("the number of chunk counts", table.chunkSampleCounts.length, table.chunkOffsets.length);
  expect("the sum of chunk counts", sum(table.chunkSampleCounts), table.sampleCount);
  expect("the number of sizes", table.sizes.length, table.constantSizeBytes === 0 ? table.sampleCount : 0);
  expect("the sum of stts counts", sumOfCounts(table.durationRuns), table.sampleCount);
  if (table.compositionRuns) expect("the sum of ctts counts", sumOfCounts(table.compositionRuns), table.sampleCount);
  if (table.chunkDescriptionIndexes) {
    expect("the number of description indexes", table.chunkDescriptionIndexes.length, table.chunkOffsets.length);
  }
  if (table.chunkSampleCounts.includes(0)) faults.push("a chunk holds no samples");
  let last = -1;
  for (const index of table.syncSamples ?? []) {
    if (index <= last || index >= table.sampleCount) faults.push(`sync sample ${index} stands after ${last}`);
    last = index;
    if (faults.length > 8) break;
  }
  if (faults.length > 0)
    throw new ReelmillError("INTERNAL", `The sample table of ${name} is wrong: ${faults.join("; ")}.`);
}
