import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** `stsc` spread over the chunks. */
export interface ChunkSampleCounts {
  /** Samples of each chunk; 0 is possible in hostile files. */
  readonly chunkSampleCounts: Uint32Array;
  /** 1-based `stsd` index of each chunk; undefined where all are 1. */
  readonly chunkDescriptionIndexes?: Uint16Array;
}

/**
 * Reads `stsc` and spreads it over `chunkCount` chunks, ISO/IEC 14496-12 §8.7.4. Chunks before the first entry get
 * no samples. Throws MEDIA_MALFORMED where the count does not fit the box, an entry's first chunk does not rise, or
 * a description index is above 65535.
 */
export function parseStsc(box: BoxReader, chunkCount: number): ChunkSampleCounts {
  box.versionAndFlags();
  const entryCount = box.u32();
  box.checkCount(entryCount, 12);
  const triples = box.u32Array(entryCount * 3);
  const chunkSampleCounts = new Uint32Array(chunkCount);
  const indexes = new Uint16Array(chunkCount).fill(1);
  let isPlain = true;
  for (let i = 0; i < triples.length; i += 3) {
    const firstChunk = triples[i] as number;
    const isLast = i + 3 === triples.length;
    const nextFirst = isLast ? chunkCount + 1 : (triples[i + 3] as number);
    const descriptionIndex = triples[i + 2] as number;
    if (firstChunk < 1 || (nextFirst <= firstChunk && !isLast)) {
      throw box.fail(`entry ${i / 3 + 1} begins at chunk ${firstChunk}, the next at ${nextFirst}`);
    }
    if (descriptionIndex > 0xffff) throw box.fail(`entry ${i / 3 + 1} names sample description ${descriptionIndex}`);
    if (descriptionIndex > 1) isPlain = false;
    const end = Math.min(nextFirst - 1, chunkCount);
    for (let chunk = firstChunk - 1; chunk < end; chunk++) {
      chunkSampleCounts[chunk] = triples[i + 1] as number;
      indexes[chunk] = descriptionIndex || 1;
    }
  }
  return isPlain ? { chunkSampleCounts } : { chunkSampleCounts, chunkDescriptionIndexes: indexes };
}

/** Writes `stsc`, one entry per run of chunks alike. */
export function serializeStsc(counts: ChunkSampleCounts): Uint8Array {
  const { chunkSampleCounts, chunkDescriptionIndexes } = counts;
  const chunkCount = chunkSampleCounts.length;
  const triples = new Uint32Array(chunkCount * 3);
  let length = 0;
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    const sampleCount = chunkSampleCounts[chunk] as number;
    const descriptionIndex = chunkDescriptionIndexes?.[chunk] ?? 1;
    if (length > 0 && sampleCount === triples[length - 2] && descriptionIndex === triples[length - 1]) continue;
    triples[length++] = chunk + 1;
    triples[length++] = sampleCount;
    triples[length++] = descriptionIndex;
  }
  const fields = new FieldWriter(4 + length * 4);
  fields.u32(length / 3);
  fields.u32Array(triples.subarray(0, length));
  return serializeFullBox("stsc", 0, 0, fields.finish());
}
