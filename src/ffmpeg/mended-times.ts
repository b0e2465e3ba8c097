import { placesAgainstOrder } from "../base/rising-times.ts";
import { formatCount } from "../base/units.ts";
import { sumInPairs } from "./expressions.ts";

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
 * group before. They are the fewest without which times rise; those of a group are mended where it lacks just as many pictures. `ticks`: times in the
 * order of the file, no two the same, rising within each group; `starts`: the places that groups begin at, rising.
 */
export function mendTimes(ticks: Float64Array, starts: readonly number[]): readonly MendedTime[] {
  const wrong = placesAgainstOrder(Array.from(ticks));
  if (wrong.length > Math.min(MAX_WRONG, Math.ceil(ticks.length / PACKETS_PER_WRONG))) return [];
  const isWrong = new Set(wrong);
  const keptFrom = (from: number, end: number): readonly number[] => {
    const step = from < end ? 1 : -1;
    const kept: number[] = [];
    for (let place = from; place !== end && kept.length < NEIGHBOURS; place += step) {
      if (!isWrong.has(place)) kept.push(ticks[place] as number);
    }
    return kept;
  };
  return groupsOf(wrong, starts, ticks.length).flatMap(({ first, end, places }) => {
    const before = keptFrom(first - 1, -1).toReversed();
    const own = Array.from(ticks.subarray(first, end)).filter((_, index) => !isWrong.has(first + index));
    const around = [...before, ...own, ...keptFrom(end, ticks.length)];
    const missing = listMissing(around, Math.max(0, before.length - 1), before.length + own.length, places.length);
    return missing
      .map((toTicks, index) => ({ fromTicks: ticks[places[index] as number] as number, toTicks }))
      .filter(({ fromTicks, toTicks }) => passes(around, fromTicks, toTicks) >= PASSED);
  });
}

interface Group {
  /** Where its packets begin and end. */
  readonly first: number;
  readonly end: number;
  /** Those of the places that lie in it. */
  readonly places: readonly number[];
}

/** The groups, among `count` packets, that some of the places lie in; all rise. What stands before the first start is one, too. */
function groupsOf(places: readonly number[], starts: readonly number[], count: number): readonly Group[] {
  const groups: (Group & { readonly places: number[] })[] = [];
  let next = 0;
  for (const place of places) {
    while ((starts[next] ?? count) <= place) next++;
    const first = starts[next - 1] ?? 0;
    const last = groups.at(-1);
    if (last?.first === first) last.places.push(place);
    else groups.push({ first, end: starts[next] ?? count, places: [place] });
  }
  return groups;
}

/** The times of so many pictures that are missing in gaps of rising times, the widest first, of those gaps that begin in `[from, to)`; none where not just as many are missing. */
function listMissing(times: readonly number[], from: number, to: number, count: number): readonly number[] {
  const steps = times.slice(1).map((at, index) => at - (times[index] as number));
  const step = steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? 0;
  const inside = steps.slice(from, to).map((gap, index) => ({ gap, begin: times[from + index] as number }));
  // Where more were lost, or pictures are shown for longer, nobody knows which gap is whose.
  if (inside.reduce((sum, { gap }) => sum + Math.round(gap / step) - 1, 0) !== count) return [];
  const filled: number[] = [];
  for (const { gap, begin } of inside.filter((one) => one.gap >= GAP_STEPS * step).sort((a, b) => b.gap - a.gap)) {
    const parts = Math.round(gap / step);
    for (let part = 1; part < parts && filled.length < count; part++) {
      filled.push(begin + Math.round((gap * part) / parts));
    }
  }
  return filled.sort((a, b) => a - b);
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
  if (mended.length === 0) return [];
  return [
    `setpts='PTS+${sumInPairs(mended.map(({ fromTicks, toTicks }) => `eq(PTS,${fromTicks})*(${toTicks - fromTicks})`))}'`,
  ];
}
