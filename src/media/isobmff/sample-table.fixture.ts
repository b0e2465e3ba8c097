import type { SampleTable } from "./movie.ts";
import { sum } from "./sample-table.ts";
import { SampleTableBuilder } from "./sample-table-builder.ts";

/** Plain columns, one value per sample in decode order. All present columns have the length of `offsets`. */
export interface SampleColumns {
  /** Absolute file offsets in bytes. */
  readonly offsets: ArrayLike<number>;
  readonly sizes: ArrayLike<number>;
  /** Media ticks. */
  readonly durations: ArrayLike<number>;
  /** Signed media ticks; absent where presentation is decode order. */
  readonly compositionOffsets?: ArrayLike<number>;
  /** 0 or not 0; absent where every sample is a sync sample. */
  readonly isSync?: ArrayLike<number>;
  /** 1-based `stsd` indexes; absent where all are 1. */
  readonly descriptionIndexes?: ArrayLike<number>;
  /**
   * Not 0 where a chunk starts. A chunk starts in any case where a sample does not follow the one before byte by
   * byte, or has another description.
   */
  readonly startsChunk?: ArrayLike<number>;
}

/** Run-length encodes plain columns. */
export function createSampleTable(columns: SampleColumns): SampleTable {
  const sampleCount = columns.offsets.length;
  const { compositionOffsets, isSync, descriptionIndexes, startsChunk } = columns;
  const builder = new SampleTableBuilder(sampleCount);
  let expectedOffset = -1;
  let lastIndex = 1;
  for (let i = 0; i < sampleCount; i++) {
    const offsetBytes = columns.offsets[i] as number;
    const sizeBytes = columns.sizes[i] as number;
    const descriptionIndex = descriptionIndexes?.[i] ?? 1;
    const isStart = offsetBytes !== expectedOffset || descriptionIndex !== lastIndex || (startsChunk?.[i] ?? 0) !== 0;
    if (isStart) builder.startChunk(offsetBytes, descriptionIndex);
    builder.addSample(
      sizeBytes,
      columns.durations[i] as number,
      compositionOffsets?.[i] ?? 0,
      (isSync?.[i] ?? 1) !== 0,
    );
    expectedOffset = offsetBytes + sizeBytes;
    lastIndex = descriptionIndex;
  }
  return builder.build();
}

/** Chunks of samples that are all of one size and duration, as PCM and constant-rate sound have them. */
interface ConstantChunks {
  /** Absolute file offsets in bytes. */
  readonly chunkOffsets: Float64Array;
  /** Each ≥ 1. */
  readonly chunkSampleCounts: Uint32Array;
  /** PCM: bytes of one frame. ≥ 1. */
  readonly sampleSizeBytes: number;
  /** Media ticks of one sample. PCM: 1 where the timescale is the sample rate. */
  readonly sampleDurationTicks: number;
}

/** The table of a constant-size track; allocates nothing per sample. */
export function createConstantSizeTable(chunks: ConstantChunks): SampleTable {
  const sampleCount = sum(chunks.chunkSampleCounts);
  return {
    sampleCount,
    chunkOffsets: chunks.chunkOffsets,
    chunkSampleCounts: chunks.chunkSampleCounts,
    constantSizeBytes: chunks.sampleSizeBytes,
    sizes: new Uint32Array(0),
    durationRuns: Uint32Array.from(sampleCount === 0 ? [] : [sampleCount, chunks.sampleDurationTicks]),
  };
}
