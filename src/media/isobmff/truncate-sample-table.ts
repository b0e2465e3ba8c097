import type { SampleTable } from "./movie.ts";
import { fitDurations, fitOffsets } from "./runs.ts";

/**
 * The table's first `sampleCount` samples (all of them where it has fewer). Columns are shared with the original
 * where they can be.
 */
export function truncateSampleTable(table: SampleTable, sampleCount: number): SampleTable {
  if (sampleCount >= table.sampleCount) return table;
  let chunkCount = 0;
  let before = 0;
  while (chunkCount < table.chunkSampleCounts.length && before < sampleCount) {
    before += table.chunkSampleCounts[chunkCount++] as number;
  }
  const chunkSampleCounts = table.chunkSampleCounts.slice(0, chunkCount);
  if (chunkCount > 0)
    chunkSampleCounts[chunkCount - 1] = (chunkSampleCounts[chunkCount - 1] as number) - before + sampleCount;
  const indexes = table.chunkDescriptionIndexes?.subarray(0, chunkCount);
  const offsets = fitOffsets(table.compositionRuns ?? new Int32Array(0), sampleCount).runs;
  const sync = table.syncSamples?.filter((index) => index < sampleCount);
  return {
    sampleCount,
    chunkOffsets: table.chunkOffsets.subarray(0, chunkCount),
    chunkSampleCounts,
    constantSizeBytes: table.constantSizeBytes,
    sizes: table.sizes.subarray(0, table.constantSizeBytes === 0 ? sampleCount : 0),
    durationRuns: fitDurations(table.durationRuns, sampleCount).runs,
    ...(indexes && !indexes.every((index) => index === 1) ? { chunkDescriptionIndexes: indexes } : {}),
    ...(offsets ? { compositionRuns: offsets } : {}),
    ...(sync && sync.length !== sampleCount ? { syncSamples: sync } : {}),
  };
}

/**
 * The table's leading samples that lie whole in a source of `sourceBytes`: what a file cut short still holds. O(chunks)
 * for constant-size tracks, O(samples) else. The cut is at the first chunk that reaches past the end, wherever later
 * chunks lie.
 */
export function samplesWithin(table: SampleTable, sourceBytes: number): number {
  let sample = 0;
  for (let chunk = 0; chunk < table.chunkOffsets.length; chunk++) {
    const count = table.chunkSampleCounts[chunk] as number;
    let offsetBytes = table.chunkOffsets[chunk] as number;
    if (table.constantSizeBytes > 0) {
      const whole = Math.max(0, Math.floor((sourceBytes - offsetBytes) / table.constantSizeBytes));
      if (whole < count) return sample + whole;
      sample += count;
      continue;
    }
    for (const end = sample + count; sample < end; sample++) {
      offsetBytes += table.sizes[sample] as number;
      if (offsetBytes > sourceBytes) return sample;
    }
  }
  return sample;
}
