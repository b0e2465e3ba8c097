/** A value that rises, or stays, from step to step, and is dear to measure. */
export interface Climb {
  /** Steps are counted from 0 to one less, ≥ 1. */
  readonly length: number;
  /** Where to begin. */
  readonly start: number;
  /** What the value is to reach. */
  readonly target: number;
  /** Of this much, or less, nobody need look for a lower step; ≥ target. */
  readonly enough: number;
  /** About how much the value rises from one step to the next, > 0: a guess, until there are two values. */
  readonly rise: number;
  readonly measure: (step: number) => Promise<number>;
}

/** Where a climb ended: the lowest step found that reaches the target, null where even the last does not. */
export interface Summit {
  readonly step: number | null;
}

interface Point {
  readonly step: number;
  readonly value: number;
}

/**
 * How far to go, by the line's length, after so many measurements on one side of the target: beyond it, so that it lies between two, and
 * then to the end.
 */
const STRIDES = [1, 1.25, 2.5] as const;
/** So many measurements more than halving takes may go into lines between two points; a curve that bends needs some of them. */
const SPARE_MEASUREMENTS = 3;

/**
 * Finds the lowest step whose value reaches the target, or one whose value is not above `enough`, by drawing lines through what was measured.
 * No step is measured twice. Of `n` steps at most 8 + log2(n) are measured, whatever the values; where they are nearly on a line, three or four.
 */
export async function climb({ length, start, target, enough, rise, measure }: Climb): Promise<Summit> {
  let below: Point | undefined;
  let above: Point | undefined;
  let oneSided = 0;
  let left: number | undefined;
  let slope = rise;
  let step = clamp(Math.round(start), 0, length - 1);
  for (;;) {
    const value = await measure(step);
    const last: Point = { step, value };
    if (value >= target && value <= enough) return { step };
    const other = below ?? above;
    if (other !== undefined && value !== other.value) slope = (value - other.value) / (step - other.step);
    if (value >= target) above = last;
    else below = last;
    if (below !== undefined && below.step === length - 1) return { step: null };
    if (above !== undefined && above.step === (below?.step ?? -1) + 1) return { step: above.step };
    if (below !== undefined && above !== undefined) {
      left = (left ?? Math.ceil(Math.log2(above.step - below.step)) + SPARE_MEASUREMENTS + 1) - 1;
      step = between(below, above, target, 2 ** (left - 1));
      continue;
    }
    const stride = STRIDES[oneSided++] ?? Number.POSITIVE_INFINITY;
    const guess = Math.ceil(step + (stride * (target - value)) / Math.max(slope, Number.MIN_VALUE));
    step = above === undefined ? clamp(guess, step + 1, length - 1) : clamp(guess, 0, step - 1);
  }
}

/**
 * The step at which a line from one to the other reaches the target; neither of the two, and no further from either than `most`, so that halving what is
 * then left ends in time.
 */
function between(below: Point, above: Point, target: number, most: number): number {
  const share = (target - below.value) / (above.value - below.value);
  const low = Math.max(below.step + 1, above.step - most);
  const high = Math.min(above.step - 1, below.step + most);
  return clamp(Math.ceil(below.step + share * (above.step - below.step)), low, high);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
