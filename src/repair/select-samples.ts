import type { Edit, SampleTable, Track } from "../media/isobmff/movie.ts";
import { forEachChunk, forEachSample, totalDurationTicks } from "../media/isobmff/sample-table.ts";
import { SampleTableBuilder } from "../media/isobmff/sample-table-builder.ts";
import { type Extent, firstEndingAfter, nextEndingAfter } from "./extents.ts";

/** Samples left out that lie side by side. */
export interface DroppedSamples extends Extent {
  readonly count: number;
}

/** What is left of a table after samples were taken out of it. */
interface SelectedSamples {
  readonly samples: SampleTable;
  /** The dropped samples, those that touch together, in the table's order. */
  readonly dropped: readonly DroppedSamples[];
  /** Media ticks of the samples dropped before the first one kept: playback starts later by these. */
  readonly leadTicks: number;
}

/**
 * Takes out the samples that reach into `lost` (rising, apart); those that stay keep their times, because the one before a
 * gap lasts until the one behind it. O(chunks) for tables of equal samples, whatever their number.
 */
function selectSamples(table: SampleTable, lost: readonly Extent[]): SelectedSamples {
  if (isWalkedByChunk(table)) return selectEqual(table, lost);
  const keeper = new Keeper(new SampleTableBuilder(table.sampleCount));
  let [lastKept, next] = [-1, 0];
  forEachSample(table, (_sample, offset, sizeBytes, ticks, compositionTicks, isSync, chunk) => {
    next = nextEndingAfter(lost, offset, next);
    if ((lost[next]?.startOffset ?? Number.POSITIVE_INFINITY) < offset + sizeBytes) {
      keeper.drop(1, ticks, offset, sizeBytes);
      lastKept = -1;
      return;
    }
    const description = table.chunkDescriptionIndexes?.[chunk] ?? 1;
    keeper.keep({ offset, sizeBytes, ticks, compositionTicks, isSync }, chunk === lastKept ? 0 : description);
    lastKept = chunk;
  });
  return keeper.finish();
}

/** A track without the samples that reach into `lost`, as `selectSamples` takes them out, and those. */
export function withoutSamplesIn(
  track: Track,
  lost: readonly Extent[],
  movieTimescale: number,
): { readonly track: Track; readonly dropped: readonly DroppedSamples[] } {
  const { samples, dropped, leadTicks } = selectSamples(track.samples, lost);
  if (dropped.length === 0) return { track, dropped };
  return { track: { ...track, samples, edits: fitEdits({ ...track, samples, leadTicks }, movieTimescale) }, dropped };
}

/** Whether `selectSamples` takes the table chunk by chunk, not sample by sample: all samples are of one size and sync. */
export function isWalkedByChunk({ constantSizeBytes, compositionRuns, syncSamples }: SampleTable): boolean {
  return constantSizeBytes > 0 && compositionRuns === undefined && syncSamples === undefined;
}

function selectEqual(table: SampleTable, lost: readonly Extent[]): SelectedSamples {
  const size = table.constantSizeBytes;
  const keeper = new Keeper(new SampleTableBuilder(0, size));
  const durations = createRunReader(table.durationRuns);
  forEachChunk(table, (_chunk, _first, count, offset, _size, _ticks, description) => {
    let sample = 0;
    while (sample < count) {
      const gap = lost[firstEndingAfter(lost, offset + sample * size)];
      const soundEnd = gap ? clamp(Math.floor((gap.startOffset - offset) / size), sample, count) : count;
      if (soundEnd > sample) keeper.startChunk(offset + sample * size, description);
      durations(soundEnd - sample, (equal, ticks) => keeper.keepEqual(equal, ticks));
      const lostEnd = gap ? clamp(Math.ceil((gap.endOffset - offset) / size), soundEnd, count) : count;
      const start = offset + soundEnd * size;
      let ticksLost = 0;
      durations(lostEnd - soundEnd, (equal, ticks) => {
        ticksLost += equal * ticks;
      });
      keeper.drop(lostEnd - soundEnd, ticksLost, start, (lostEnd - soundEnd) * size);
      sample = lostEnd;
    }
  });
  return keeper.finish();
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** Reads (count, value) pairs on by a number of elements, calling back once for each pair met. */
function createRunReader(runs: Uint32Array): (count: number, visit: (count: number, value: number) => void) => void {
  let [run, left] = [0, runs[0] ?? 0];
  return (count, visit) => {
    for (let wanted = count; wanted > 0; ) {
      while (left === 0 && run + 2 < runs.length) {
        run += 2;
        left = runs[run] as number;
      }
      const taken = left === 0 ? wanted : Math.min(wanted, left);
      visit(taken, runs[run + 1] ?? 0);
      wanted -= taken;
      left = Math.max(0, left - taken);
    }
  };
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
  readonly #dropped: { startOffset: number; endOffset: number; count: number }[] = [];
  #pendingTicks = 0;
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

  startChunk(offset: number, description: number): void {
    this.#closeGap();
    this.#builder.startChunk(offset, description);
  }

  keepEqual(count: number, ticks: number): void {
    this.#builder.addConstant(count, ticks);
  }

  drop(count: number, ticks: number, offset: number, sizeBytes: number): void {
    if (count === 0) return;
    this.#pendingTicks += ticks;
    const last = this.#dropped.at(-1);
    if (last?.endOffset === offset) {
      last.endOffset += sizeBytes;
      last.count += count;
    } else this.#dropped.push({ startOffset: offset, endOffset: offset + sizeBytes, count });
  }

  finish(): SelectedSamples {
    return { samples: this.#builder.build(), dropped: this.#dropped, leadTicks: this.#leadTicks };
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
