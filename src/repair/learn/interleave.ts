import { forEachChunkInFile, type PlacedChunk } from "../../media/isobmff/chunk-order.ts";
import type { Movie } from "../../media/isobmff/movie.ts";
import { type Padding, PaddingLearner } from "./padding.ts";
import { countValue, type Share, sharesOf } from "./shares.ts";

/** How the reference's tracks lie in the file: runs of one track's samples, in file order. */
export interface Interleave {
  /** `transitions[from + 1][to]`: how often a run of track `to` follows one of `from`; row 0 is the start. */
  readonly transitions: readonly (readonly number[])[];
  /** What it leaves unused between runs. */
  readonly padding: Padding;
  /**
   * Per track: range of (its clock − the first video track's clock) in seconds at the starts of its runs, both clocks
   * being the decode time of the samples written so far. Undefined for a track without samples or without video.
   */
  readonly leads: readonly (Range | undefined)[];
  /** As `leads`, at the last sample of each run: a line of text is written when its time has come, with the pause before it. */
  readonly lastLeads: readonly (Range | undefined)[];
  /** The same at the starts of the first video track's runs: (a track's clock − the video's), as the last packets before it left it. */
  readonly lags: readonly (Range | undefined)[];
}

/** A closed interval. */
export interface Range {
  readonly min: number;
  readonly max: number;
  /** All but the twentieth part of the values at either end lie between. */
  readonly low: number;
  readonly high: number;
  readonly median: number;
}

/** Chunks of one track that follow each other directly in the file. */
interface Run {
  readonly track: number;
  readonly offset: number;
  readonly firstSample: number;
  readonly startSeconds: number;
  endOffset: number;
  samples: number;
  /** Where its last sample begins. */
  lastSeconds: number;
  endSeconds: number;
}

/** Learns how the tracks' chunks take turns. `runSamples` are, per track, the samples in its runs, commonest first. */
export function learnInterleave(movie: Movie): { interleave: Interleave; runSamples: readonly (readonly Share[])[] } {
  const learner = new InterleaveLearner(movie);
  let run: Run | undefined;
  forEachChunkInFile(
    movie.tracks.map((track) => track.samples),
    (chunk) => {
      if (chunk.sampleCount === 0) return;
      const timescale = movie.tracks[chunk.table]?.timescale ?? 1;
      if (run && follows(run, chunk)) {
        run.endOffset += chunk.sizeBytes;
        run.samples += chunk.sampleCount;
        run.lastSeconds = (chunk.endTicks - chunk.lastSampleTicks) / timescale;
        run.endSeconds = chunk.endTicks / timescale;
        return;
      }
      if (run) learner.add(run);
      run = {
        track: chunk.table,
        offset: chunk.offsetBytes,
        firstSample: chunk.firstSampleIndex,
        startSeconds: chunk.startTicks / timescale,
        endOffset: chunk.offsetBytes + chunk.sizeBytes,
        samples: chunk.sampleCount,
        lastSeconds: (chunk.endTicks - chunk.lastSampleTicks) / timescale,
        endSeconds: chunk.endTicks / timescale,
      };
    },
  );
  if (run) learner.add(run);
  return learner.finish();
}

function follows(run: Run, chunk: PlacedChunk): boolean {
  const isNext = run.firstSample + run.samples === chunk.firstSampleIndex;
  return run.track === chunk.table && run.endOffset === chunk.offsetBytes && isNext;
}

/** Counts runs in file order. */
class InterleaveLearner {
  readonly #transitions: number[][];
  readonly #padding: PaddingLearner;
  readonly #runSamples: Map<number, number>[];
  /** Where each track's clock stands. */
  readonly #clocks: Float64Array;
  readonly #leads: RangeTally[];
  readonly #firstLeads: RangeTally[];
  readonly #lastLeads: RangeTally[];
  readonly #lags: RangeTally[];
  readonly #video: number;
  #last = -1;
  #lastEnd = -1;

  constructor({ tracks }: Movie) {
    this.#transitions = Array.from({ length: tracks.length + 1 }, () => new Array<number>(tracks.length).fill(0));
    this.#runSamples = tracks.map(() => new Map());
    this.#padding = new PaddingLearner(tracks.length);
    this.#clocks = new Float64Array(tracks.length);
    this.#leads = tracks.map(() => new RangeTally());
    this.#firstLeads = tracks.map(() => new RangeTally());
    this.#lastLeads = tracks.map(() => new RangeTally());
    this.#lags = tracks.map(() => new RangeTally());
    this.#video = tracks.findIndex((track) => track.handlerType === "vide");
  }

  add(run: Run): void {
    const row = this.#transitions[this.#last + 1] as number[];
    row[run.track] = (row[run.track] ?? 0) + 1;
    countValue(this.#runSamples[run.track] as Map<number, number>, run.samples);
    this.#padding.add(run.track, run.offset, this.#lastEnd < 0 ? 0 : run.offset - this.#lastEnd);
    const videoSeconds = this.#clocks[this.#video] ?? 0;
    // A track's first run starts at 0 whatever the buffers then settle to.
    const leads = this.#clocks[run.track] === 0 ? this.#firstLeads : this.#leads;
    if (this.#video >= 0) {
      leads[run.track]?.add(run.startSeconds - videoSeconds);
      this.#lastLeads[run.track]?.add(run.lastSeconds - videoSeconds);
    }
    if (run.track === this.#video && this.#last >= 0 && this.#last !== this.#video && videoSeconds > 0) {
      this.#lags[this.#last]?.add((this.#clocks[this.#last] as number) - run.startSeconds);
    }
    this.#clocks[run.track] = run.endSeconds;
    this.#last = run.track;
    this.#lastEnd = run.endOffset;
  }

  finish(): { interleave: Interleave; runSamples: readonly (readonly Share[])[] } {
    const interleave = {
      transitions: this.#transitions,
      padding: this.#padding.finish(),
      leads: this.#leads.map((tally, track) => tally.range() ?? this.#firstLeads[track]?.range()),
      lastLeads: this.#lastLeads.map((tally) => tally.range()),
      lags: this.#lags.map((tally) => tally.range()),
    };
    return { interleave, runSamples: this.#runSamples.map(sharesOf) };
  }
}

/** Values whose median is learnt; of a recording of hours the beginning tells. */
const MEDIAN_VALUES = 65_536;

/** Collects a range in bounded memory. */
export class RangeTally {
  readonly #values: number[] = [];
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  add(value: number): void {
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    if (this.#values.length < MEDIAN_VALUES) this.#values.push(value);
  }

  /** Undefined where nothing was added. */
  range(): Range | undefined {
    if (this.#values.length === 0) return undefined;
    const sorted = Float64Array.from(this.#values).sort();
    const tail = Math.floor(sorted.length / 20);
    const [low, high] = [sorted[tail] as number, sorted[sorted.length - 1 - tail] as number];
    return { min: this.#min, max: this.#max, low, high, median: sorted[sorted.length >> 1] as number };
  }
}
