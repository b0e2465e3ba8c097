import { countValue, sharesOf } from "./shares.ts";

/** Unused bytes that a recorder leaves between what it writes. */
export interface Padding {
  /** Runs begin at multiples of these, in bytes from the start of the file or of the media data; each a power of two. */
  readonly alignments: readonly Alignment[];
  /** Lengths of padding that is no matter of alignment, in bytes, commonest first. */
  readonly usualBytes: readonly number[];
}

export interface Alignment {
  readonly bytes: number;
  readonly isRelative: boolean;
  /** The tracks whose runs all begin so. */
  readonly tracks: readonly number[];
}

export const NO_PADDING: Padding = { alignments: [], usualBytes: [] };

const MAX_ALIGNMENT = 65_536;
/** One more than log2 of the largest alignment. */
const LEVELS = Math.log2(MAX_ALIGNMENT) + 1;
/** So unlikely must it be that runs begin at multiples by chance: log2. */
const MIN_BITS = 20;
/** Runs that may begin elsewhere. */
const MAX_STRAY_SHARE = 0.02;
const MAX_USUAL = 4;
/** A length is usual that so many gaps have, and such a share of them. */
const MIN_USUAL = 3;
const MIN_USUAL_SHARE = 0.1;

/** Collects where runs begin, in file order, and what stands unused before them. */
export class PaddingLearner {
  readonly #counts: Uint32Array[];
  readonly #starts: Uint32Array;
  readonly #gaps = new Map<number, number>();
  #gapCount = 0;
  #base = -1;

  constructor(trackCount: number) {
    // How many runs begin at multiples of 2 ** k from the file's start, then from the first run.
    this.#counts = Array.from({ length: trackCount }, () => new Uint32Array(2 * LEVELS));
    this.#starts = new Uint32Array(trackCount);
  }

  add(track: number, offset: number, gapBytes: number): void {
    if (this.#base < 0) this.#base = offset;
    if (gapBytes > 0) {
      countValue(this.#gaps, gapBytes);
      this.#gapCount++;
    }
    const counts = this.#counts[track] as Uint32Array;
    this.#starts[track] = (this.#starts[track] ?? 0) + 1;
    for (const [place, from] of [offset, offset - this.#base].entries()) {
      for (let level = 1; level < LEVELS && from % 2 ** level === 0; level++)
        counts[place * LEVELS + level] = (counts[place * LEVELS + level] ?? 0) + 1;
    }
  }

  finish(): Padding {
    if (this.#gapCount === 0) return NO_PADDING;
    const used = [...this.#starts.keys()].filter((track) => (this.#starts[track] as number) > 0);
    // What a track has too few runs to show, all together may.
    const groups = [...used.map((track) => [track]), used];
    const alignments = groups.flatMap((tracks): Alignment[] => {
      const [absolute, relative] = [this.#alignmentOf(tracks, 0), this.#alignmentOf(tracks, LEVELS)];
      const bytes = Math.max(absolute, relative);
      return bytes > 1 ? [{ bytes, isRelative: relative > absolute, tracks }] : [];
    });
    const usual = sharesOf(this.#gaps).filter(
      ({ count }) => count >= MIN_USUAL && count >= this.#gapCount * MIN_USUAL_SHARE,
    );
    return { alignments, usualBytes: usual.slice(0, MAX_USUAL).map(({ value }) => value) };
  }

  /** The largest power of two that nearly all runs of these tracks begin at multiples of; 1 where none is. */
  #alignmentOf(tracks: readonly number[], place: number): number {
    const sum = (countOf: (track: number) => number): number => tracks.reduce((all, track) => all + countOf(track), 0);
    const starts = sum((track) => this.#starts[track] as number);
    for (let level = LEVELS - 1; level > 0; level--) {
      const count = sum((track) => this.#counts[track]?.[place + level] as number);
      if (count >= starts * (1 - MAX_STRAY_SHARE) && count * level >= MIN_BITS) return 2 ** level;
    }
    return 1;
  }
}
