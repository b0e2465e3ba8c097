import type { BoxReader } from "./box-reader.ts";
import { type DeferredBox, deferFields } from "./box-writer.ts";

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
  const chunkSampleCounts = new Uint32Array(chunkCount);
  let indexes: Uint16Array | undefined;
  let nextFirst = entryCount > 0 ? box.u32() : 0;
  for (let entry = 1; entry <= entryCount; entry++) {
    const firstChunk = nextFirst;
    const sampleCount = box.u32();
    const descriptionIndex = box.u32();
    const isLast = entry === entryCount;
    nextFirst = isLast ? chunkCount + 1 : box.u32();
    if (firstChunk < 1 || (nextFirst <= firstChunk && !isLast)) {
      throw box.fail(`entry ${entry} begins at chunk ${firstChunk}, the next at ${nextFirst}`);
    }
    if (descriptionIndex > 0xffff) throw box.fail(`entry ${entry} names sample description ${descriptionIndex}`);
    const end = Math.min(nextFirst - 1, chunkCount);
    chunkSampleCounts.fill(sampleCount, firstChunk - 1, end);
    if (descriptionIndex > 1) indexes ??= new Uint16Array(chunkCount).fill(1);
    indexes?.fill(descriptionIndex || 1, firstChunk - 1, end);
  }
  return indexes ? { chunkSampleCounts, chunkDescriptionIndexes: indexes } : { chunkSampleCounts };
}

/** Writes `stsc`, one entry per run of chunks alike. */
export function serializeStsc(counts: ChunkSampleCounts): DeferredBox {
  let entryCount = 0;
  forEachEntry(counts, () => {
    entryCount++;
  });
  return deferFields("stsc", 0, 4 + entryCount * 12, (fields) => {
    fields.u32(entryCount);
    forEachEntry(counts, (chunk, sampleCount, descriptionIndex) => {
      fields.u32(chunk + 1);
      fields.u32(sampleCount);
      fields.u32(descriptionIndex);
    });
  });
}

function forEachEntry(
  { chunkSampleCounts, chunkDescriptionIndexes }: ChunkSampleCounts,
  visit: (chunk: number, sampleCount: number, descriptionIndex: number) => void,
): void {
  let [lastCount, lastIndex] = [-1, -1];
  for (let chunk = 0; chunk < chunkSampleCounts.length; chunk++) {
    const sampleCount = chunkSampleCounts[chunk] as number;
    const descriptionIndex = chunkDescriptionIndexes?.[chunk] ?? 1;
    if (sampleCount === lastCount && descriptionIndex === lastIndex) continue;
    visit(chunk, sampleCount, descriptionIndex);
    [lastCount, lastIndex] = [sampleCount, descriptionIndex];
  }
}
