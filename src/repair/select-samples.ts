import type { Edit, SampleTable } from "../media/isobmff/movie.ts";
import { forEachChunk, forEachSample, totalDurationTicks } from "../media/isobmff/sample-table.ts";
import { SampleTableBuilder } from "../media/isobmff/sample-table-builder.ts";

/** How many leading bytes of `[offset, offset + sizeBytes)` are sound: `sizeBytes` keeps a sample, less drops it. */
export type SoundBytes = (offset: number, sizeBytes: number) => number;

/** What is left of a table after samples were taken out of it. */
export interface SelectedSamples {
  readonly samples: SampleTable;
  readonly droppedCount: number;
  /** Media ticks of the samples dropped before the first one kept: playback starts later by these. */
  readonly leadTicks: number;
}

/**
 * Takes out the samples whose bytes are not sound; those that stay keep their times, because the one before a gap lasts
 * until the one behind it. Of a chunk of equal samples (PCM) the leading sound ones stay.
 */
export function selectSamples(table: SampleTable, soundBytes: SoundBytes): SelectedSamples {
  const isPlain = table.compositionRuns === undefined && table.syncSamples === undefined;
  const keeper = new Keeper(new SampleTableBuilder(table.sampleCount, isPlain ? table.constantSizeBytes : 0));
  if (isWalkedByChunk(table)) {
    const ticks = table.durationRuns[1] ?? 0;
    forEachChunk(table, (_chunk, _first, count, offset, sizeBytes, _ticks, description) => {
      const kept = Math.floor(soundBytes(offset, sizeBytes) / table.constantSizeBytes);
      if (kept > 0) keeper.keepEqual(offset, description, kept, ticks);
      keeper.drop(count - kept, (count - kept) * ticks);
    });
    return keeper.finish();
  }
  let lastChunk = -1;
  forEachSample(table, (_sample, offset, sizeBytes, ticks, compositionTicks, isSync, chunk) => {
    if (soundBytes(offset, sizeBytes) < sizeBytes) {
      keeper.drop(1, ticks);
      lastChunk = -1;
      return;
    }
    const description = table.chunkDescriptionIndexes?.[chunk] ?? 1;
    if (isPlain && table.constantSizeBytes > 0) keeper.keepEqual(offset, description, 1, ticks);
    else keeper.keep({ offset, sizeBytes, ticks, compositionTicks, isSync }, chunk === lastChunk ? 0 : description);
    lastChunk = chunk;
  });
  return keeper.finish();
}

/** Whether `selectSamples` takes the table chunk by chunk, not sample by sample: all samples are alike (PCM). */
export function isWalkedByChunk(table: SampleTable): boolean {
  const { durationRuns, sampleCount, constantSizeBytes, compositionRuns, syncSamples } = table;
  const isOneDuration = durationRuns.length === 2 && durationRuns[0] === sampleCount;
  return constantSizeBytes > 0 && compositionRuns === undefined && syncSamples === undefined && isOneDuration;
}

interface KeptSample {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly ticks: number;
  readonly compositionTicks: number;
  readonly isSync: boolean;
}

/** Builds the table of what is kept; what was dropped lengthens the sample before only once another follows. */
class Keeper {
  readonly #builder: SampleTableBuilder;
  #pendingTicks = 0;
  #droppedCount = 0;
  #leadTicks = 0;

  constructor(builder: SampleTableBuilder) {
    this.#builder = builder;
  }

  /** `newChunk` is the description of the chunk that starts here, or 0. */
  keep(sample: KeptSample, newChunk: number): void {
    this.#closeGap();
    if (newChunk > 0) this.#builder.startChunk(sample.offset, newChunk);
    this.#builder.addSample(sample.sizeBytes, sample.ticks, sample.compositionTicks, sample.isSync);
  }

  keepEqual(offset: number, description: number, count: number, ticks: number): void {
    this.#closeGap();
    this.#builder.startChunk(offset, description);
    this.#builder.addConstant(count, ticks);
  }

  drop(count: number, ticks: number): void {
    this.#droppedCount += count;
    this.#pendingTicks += ticks;
  }

  finish(): SelectedSamples {
    return { samples: this.#builder.build(), droppedCount: this.#droppedCount, leadTicks: this.#leadTicks };
  }

  #closeGap(): void {
    if (this.#pendingTicks === 0) return;
    if (this.#builder.sampleCount === 0) this.#leadTicks += this.#pendingTicks;
    else this.#builder.stretchLastSample(this.#pendingTicks);
    this.#pendingTicks = 0;
  }
}

/** What `fitEdits` fits. */
export interface EditedMedia {
  readonly edits: readonly Edit[];
  readonly samples: SampleTable;
  /** Ticks per second of the media. */
  readonly timescale: number;
  /** Media ticks that playback starts later than the edits say. */
  readonly leadTicks: number;
}

/**
 * The edit list for media that lost samples: no edit outlasts the media, and lost time at the start is an empty edit
 * (ISO/IEC 14496-12 §8.6.6). An edit of duration 0 runs to the end.
 */
export function fitEdits(media: EditedMedia, movieTimescale: number): readonly Edit[] {
  const endTicks = presentationEndTicks(media.samples);
  const toMovie = (ticks: number): number => Math.round((ticks * movieTimescale) / media.timescale);
  const fitted = media.edits.flatMap((edit): Edit[] => {
    if (edit.mediaTimeTicks < 0 || edit.rate <= 0) return [edit];
    const most = toMovie((endTicks - edit.mediaTimeTicks) / edit.rate);
    const durationTicks = edit.durationTicks === 0 ? most : Math.min(edit.durationTicks, most);
    return durationTicks > 0 ? [{ ...edit, durationTicks }] : [];
  });
  const leadTicks = toMovie(media.leadTicks);
  if (leadTicks <= 0) return fitted;
  const shown = fitted.some((edit) => edit.mediaTimeTicks >= 0)
    ? fitted
    : [...fitted, { durationTicks: toMovie(endTicks), mediaTimeTicks: 0, rate: 1 }];
  return [{ durationTicks: leadTicks, mediaTimeTicks: -1, rate: 1 }, ...shown];
}

/** When the sample shown last ends, in media ticks from the first one's decode time. */
function presentationEndTicks(samples: SampleTable): number {
  if (samples.compositionRuns === undefined) return totalDurationTicks(samples);
  let [decodeTicks, endTicks] = [0, 0];
  forEachSample(samples, (_sample, _offset, _size, ticks, compositionTicks) => {
    endTicks = Math.max(endTicks, decodeTicks + compositionTicks + ticks);
    decodeTicks += ticks;
  });
  return endTicks;
}
