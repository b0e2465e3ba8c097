import { placesAgainstOrder } from "../base/rising-times.ts";
import { formatCount } from "../base/units.ts";

/** A time that a packet tells wrongly, as where a bit of a capture flipped, and the one that its neighbours leave for it, in ticks of the stream. */
export interface MendedTime {
  readonly fromTicks: number;
  readonly toTicks: number;
}

/** More than one of so many are no flipped bits: the key pictures are not what they say. */
const PACKETS_PER_WRONG = 50;
const MAX_WRONG = 1000;
/** So many pictures on either side tell how far they stand from each other there. */
const NEIGHBOURS = 8;
/** From so many steps on, a picture is missing between two. */
const GAP_STEPS = 1.5;
/** Past fewer of its neighbours, nobody knows whether it is wrong or they are. */
const PASSED = 3;

/**
 * Finds single packets whose times lie in other groups of pictures than they do: none is shown after the next key picture, nor before pictures of the
 * group before. They are the fewest without which times rise; each is mended that has a gap among its neighbours to fill. `ticks`: times in the
 * order of the file, no two the same, rising within each group; `starts`: the places that groups begin at, rising.
 */
export function mendTimes(ticks: Float64Array, starts: readonly number[]): readonly MendedTime[] {
  const wrong = placesAgainstOrder(Array.from(ticks));
  if (wrong.length > Math.min(MAX_WRONG, Math.ceil(ticks.length / PACKETS_PER_WRONG))) return [];
  const isWrong = new Set(wrong);
  const take = (from: number, step: 1 | -1): readonly number[] => {
    const taken: number[] = [];
    for (let place = from; taken.length < NEIGHBOURS && place >= 0 && place < ticks.length; place += step) {
      if (!isWrong.has(place)) taken.push(ticks[place] as number);
    }
    return taken;
  };
  const mended: MendedTime[] = [];
  for (const place of wrong) {
    const first = starts.findLast((start) => start <= place) ?? 0;
    const end = starts.find((start) => start > place) ?? ticks.length;
    const group = Array.from(ticks.subarray(first, end)).filter((_, index) => !isWrong.has(first + index));
    const [before, after] = [take(first - 1, -1).toReversed(), take(end, 1)];
    const filled = mended.map(({ toTicks }) => toTicks);
    const own = [
      ...group,
      ...filled.filter(
        (at) => at > (before.at(-1) ?? Number.NEGATIVE_INFINITY) && at < (after[0] ?? Number.POSITIVE_INFINITY),
      ),
    ];
    const around = [...before, ...own.sort((a, b) => a - b), ...after];
    const toTicks = fillGap(
      around,
      Math.max(0, before.length - 1),
      before.length + own.length,
      end - first - own.length,
    );
    const fromTicks = ticks[place] as number;
    if (toTicks !== undefined && passes(around, fromTicks, toTicks) >= PASSED) mended.push({ fromTicks, toTicks });
  }
  return mended;
}

/** The time of a picture that is missing in the widest gap of rising times between those places; undefined where not just as many are missing there. */
function fillGap(times: readonly number[], from: number, to: number, missing: number): number | undefined {
  const steps = times.slice(1).map((at, index) => at - (times[index] as number));
  const step = steps.toSorted((a, b) => a - b)[steps.length >> 1];
  const inside = steps.slice(from, to);
  const gap = inside.reduce((widest, one) => Math.max(widest, one), 0);
  if (step === undefined || gap < GAP_STEPS * step) return undefined;
  // Where more were lost, or pictures are shown for longer, nobody knows which gap is its own.
  if (inside.reduce((sum, one) => sum + Math.round(one / step) - 1, 0) !== missing) return undefined;
  const begin = times[from + inside.indexOf(gap)] as number;
  return begin + Math.round(gap / Math.max(2, Math.round(gap / step)));
}

/** How many of the times lie between two. */
function passes(times: readonly number[], a: number, b: number): number {
  return times.filter((at) => at > Math.min(a, b) && at < Math.max(a, b)).length;
}

/** What is to be told of them. */
export function describeMended({ length }: readonly MendedTime[]): readonly string[] {
  if (length === 0) return [];
  return [
    `${formatCount(length, "picture tells a wrong time", "pictures tell a wrong time")}, as where bits flipped: shown where the neighbours leave a gap.`,
  ];
}

/** The filter that gives pictures such times, before any other. */
export function mendingFilters(mended: readonly MendedTime[]): readonly string[] {
  return mended.length === 0 ? [] : [`setpts='PTS+${sumOf(mended)}'`];
}

/** An expression of ffmpeg's: its parser takes less than a hundred terms beside each other, but any number of pairs. */
function sumOf(mended: readonly MendedTime[]): string {
  const [first] = mended;
  if (first !== undefined && mended.length === 1)
    return `eq(PTS,${first.fromTicks})*(${first.toTicks - first.fromTicks})`;
  const middle = mended.length >> 1;
  return `(${sumOf(mended.slice(0, middle))}+${sumOf(mended.slice(middle))})`;
}
