import { exactly, grown } from "./growing.ts";
import type { SampleTable } from "./movie.ts";
import { RunList } from "./runs.ts";

const U32_MAX = 0xffff_ffff;

/** Collects a track's samples in decode order, chunk by chunk, at about 8 bytes each. */
export class SampleTableBuilder {
  #chunkOffsets = new Float64Array(0);
  #chunkSampleCounts = new Uint32Array(0);
  /** Written down from the first chunk on whose index is not 1. */
  #chunkDescriptionIndexes: Uint16Array | undefined;
  #chunkCount = 0;
  #sizes: Uint32Array;
  #sampleCount = 0;
  #syncSamples = new Uint32Array(0);
  #syncCount = 0;
  /** Sync samples are written down from the first sample on that is none. */
  #areAllSync = true;
  #endTicks = 0;
  readonly #constantSizeBytes: number;
  readonly #durations = new RunList(new Uint32Array(0));
  readonly #compositionOffsets = new RunList(new Int32Array(0));

  /**
   * `expectedSampleCount` is a hint. With `constantSizeBytes` all samples have that size and come through
   * `addConstant`, which keeps nothing per sample.
   */
  constructor(expectedSampleCount = 1024, constantSizeBytes = 0) {
    this.#sizes = new Uint32Array(constantSizeBytes === 0 ? expectedSampleCount : 0);
    this.#constantSizeBytes = constantSizeBytes;
  }

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Sum of the durations added so far, in media ticks. */
  get endTicks(): number {
    return this.#endTicks;
  }

  /** The next samples lie from this absolute offset on; `descriptionIndex` counts from 1. */
  startChunk(offsetBytes: number, descriptionIndex: number): void {
    // A chunk that got no samples is overwritten: the writer knows none such.
    if (this.#chunkCount > 0 && this.#chunkSampleCounts[this.#chunkCount - 1] === 0) this.#chunkCount--;
    const chunk = this.#chunkCount++;
    this.#chunkOffsets = grown(this.#chunkOffsets, this.#chunkCount);
    this.#chunkSampleCounts = grown(this.#chunkSampleCounts, this.#chunkCount);
    this.#chunkOffsets[chunk] = offsetBytes;
    this.#chunkSampleCounts[chunk] = 0;
    if (descriptionIndex === 1 && this.#chunkDescriptionIndexes === undefined) return;
    this.#chunkDescriptionIndexes ??= new Uint16Array(this.#chunkCount).fill(1);
    this.#chunkDescriptionIndexes = grown(this.#chunkDescriptionIndexes, this.#chunkCount);
    this.#chunkDescriptionIndexes[chunk] = descriptionIndex;
  }

  /** Adds a sample right after the one before, in the chunk started last. */
  addSample(sizeBytes: number, durationTicks: number, compositionOffsetTicks: number, isSync: boolean): void {
    const sample = this.#sampleCount;
    this.#sizes = grown(this.#sizes, sample + 1);
    this.#sizes[sample] = sizeBytes;
    this.#compositionOffsets.push(1, compositionOffsetTicks);
    this.#addTimes(1, durationTicks);
    if (!isSync && this.#areAllSync) this.#listSyncSamples(sample);
    if (!isSync || this.#areAllSync) return;
    this.#syncSamples = grown(this.#syncSamples, this.#syncCount + 1);
    this.#syncSamples[this.#syncCount++] = sample;
  }

  /** Adds `count` samples of the constant size (sync, presented in decode order) of `durationTicks` each. */
  addConstant(count: number, durationTicks: number): void {
    this.#addTimes(count, durationTicks);
  }

  /**
   * Makes the last sample longer (or, with a negative number, shorter) by `deltaTicks`, as far as a duration of 0
   * to 2^32 − 1 allows.
   */
  stretchLastSample(deltaTicks: number): void {
    const before = this.#durations.lastValue();
    if (before === undefined || deltaTicks === 0) return;
    const after = Math.min(Math.max(before + deltaTicks, 0), U32_MAX);
    this.#durations.replaceLast(after);
    this.#endTicks += after - before;
  }

  /** The table. The builder is done with. */
  build(): SampleTable {
    const hasEmptyLast = this.#chunkCount > 0 && this.#chunkSampleCounts[this.#chunkCount - 1] === 0;
    const chunkCount = hasEmptyLast ? this.#chunkCount - 1 : this.#chunkCount;
    const indexes = this.#chunkDescriptionIndexes?.slice(0, chunkCount);
    return {
      sampleCount: this.#sampleCount,
      chunkOffsets: exactly(this.#chunkOffsets, chunkCount),
      chunkSampleCounts: exactly(this.#chunkSampleCounts, chunkCount),
      constantSizeBytes: this.#constantSizeBytes,
      sizes: exactly(this.#sizes, this.#constantSizeBytes === 0 ? this.#sampleCount : 0),
      durationRuns: this.#durations.finish(),
      ...(!indexes || indexes.every((index) => index === 1) ? {} : { chunkDescriptionIndexes: indexes }),
      ...(this.#compositionOffsets.holdsOnly(0) ? {} : { compositionRuns: this.#compositionOffsets.finish() }),
      ...(this.#areAllSync ? {} : { syncSamples: exactly(this.#syncSamples, this.#syncCount) }),
    };
  }

  #addTimes(count: number, durationTicks: number): void {
    this.#sampleCount += count;
    (this.#chunkSampleCounts[this.#chunkCount - 1] as number) += count;
    this.#durations.push(count, durationTicks);
    this.#endTicks += count * durationTicks;
  }

  /** Writes down that the first `count` samples were all sync samples. */
  #listSyncSamples(count: number): void {
    this.#areAllSync = false;
    this.#syncSamples = grown(this.#syncSamples, count);
    for (let sample = 0; sample < count; sample++) this.#syncSamples[sample] = sample;
    this.#syncCount = count;
  }
}
