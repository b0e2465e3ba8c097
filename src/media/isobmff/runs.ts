import { exactly, grown } from "./growing.ts";

/** Largest count a pair of `Uint32Array` holds. */
const U32_MAX_COUNT = 0xffff_ffff;
/** Largest count a pair of `Int32Array` holds. */
const I32_MAX_COUNT = 0x7fff_ffff;

/** The arrays that runs are kept in: unsigned for durations, signed for composition offsets. */
type RunArray = Uint32Array | Int32Array;

/** A growing list of (count, value) pairs in which neighbours of one value are joined. */
export class RunList<T extends RunArray> {
  #pairs: T;
  #length = 0;
  readonly #maxCount: number;

  /** `empty` tells the kind of array. Counts above what it holds are split over several pairs. */
  constructor(empty: T) {
    this.#pairs = empty;
    this.#maxCount = empty instanceof Int32Array ? I32_MAX_COUNT : U32_MAX_COUNT;
  }

  /** Appends `count` (≥ 0, integer) times `value`. */
  push(count: number, value: number): void {
    let left = count;
    const last = this.#length - 2;
    if (last >= 0 && this.#pairs[last + 1] === value) {
      const before = this.#pairs[last] as number;
      const taken = Math.min(left, this.#maxCount - before);
      this.#pairs[last] = before + taken;
      left -= taken;
    }
    while (left > 0) {
      const taken = Math.min(left, this.#maxCount);
      this.#append(taken, value);
      left -= taken;
    }
  }

  /** The value that was pushed last, or undefined where the list is empty. */
  lastValue(): number | undefined {
    return this.#length === 0 ? undefined : this.#pairs[this.#length - 1];
  }

  /** Gives the last single element another value. Does nothing to an empty list. */
  replaceLast(value: number): void {
    const last = this.#length - 2;
    if (last < 0) return;
    const count = this.#pairs[last] as number;
    if (count > 1) this.#pairs[last] = count - 1;
    else this.#length -= 2;
    this.push(1, value);
  }

  /** Whether no value but `value` was pushed. */
  holdsOnly(value: number): boolean {
    for (let i = 1; i < this.#length; i += 2) if (this.#pairs[i] !== value) return false;
    return true;
  }

  /** The pairs. The list is done with. */
  finish(): T {
    return exactly(this.#pairs, this.#length);
  }

  #append(count: number, value: number): void {
    this.#pairs = grown(this.#pairs, this.#length + 2);
    this.#pairs[this.#length++] = count;
    this.#pairs[this.#length++] = value;
  }
}

/** Pairs made to cover a number of elements. */
interface FittedRuns<T> {
  readonly runs: T;
  /** How many elements the pairs covered before. */
  readonly covered: number;
}

/**
 * Makes (count, duration) pairs cover exactly `total` elements: what goes beyond is dropped, what is missing gets the
 * last duration. Neighbours of one value are joined, empty pairs dropped.
 */
export function fitDurations(pairs: Uint32Array, total: number): FittedRuns<Uint32Array> {
  const covered = sumOfCounts(pairs);
  if (covered === total && isCompact(pairs)) return { runs: pairs, covered };
  const runs = new RunList(new Uint32Array(0));
  fillRuns(runs, pairs, total, undefined);
  return { runs: runs.finish(), covered };
}

/**
 * Makes (count, composition offset) pairs cover exactly `total` elements, as `fitDurations` does, with 0 for what is
 * missing. No runs where every offset is 0.
 */
export function fitOffsets(pairs: Int32Array, total: number): FittedRuns<Int32Array | undefined> {
  const covered = sumOfCounts(pairs);
  if (covered === total && pairs.length > 2 && isCompact(pairs)) return { runs: pairs, covered };
  const runs = new RunList(new Int32Array(0));
  fillRuns(runs, pairs, total, 0);
  return { runs: runs.holdsOnly(0) ? undefined : runs.finish(), covered };
}

/** Sum of the counts of (count, value) pairs. */
export function sumOfCounts(pairs: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i + 1 < pairs.length; i += 2) total += pairs[i] as number;
  return total;
}

/** Whether no pair is empty and no neighbours have one value. */
function isCompact(pairs: ArrayLike<number>): boolean {
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    if (pairs[i] === 0 || (i > 0 && pairs[i + 1] === pairs[i - 1])) return false;
  }
  return true;
}

function fillRuns(runs: RunList<RunArray>, pairs: ArrayLike<number>, total: number, filler: number | undefined): void {
  let left = total;
  for (let i = 0; i + 1 < pairs.length && left > 0; i += 2) {
    const taken = Math.min(pairs[i] as number, left);
    runs.push(taken, pairs[i + 1] as number);
    left -= taken;
  }
  runs.push(left, filler ?? runs.lastValue() ?? 0);
}
