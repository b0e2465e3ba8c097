import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mendingFilters, mendTimes } from "./mended-times.ts";

const GROUP = 12;
const STEP = 3600;

/** Times of so many pictures in the order of the file, in groups of twelve, two pictures stored behind the one shown after them; rising within each group, as `mendTimes` takes them. */
function group(times: readonly number[]): { readonly ticks: Float64Array; readonly starts: readonly number[] } {
  const starts = times.flatMap((_, place) => (place % GROUP === 0 ? [place] : []));
  const ticks = Float64Array.from(times);
  for (const start of starts) ticks.subarray(start, start + GROUP).sort();
  return { ticks, starts };
}

function mend(times: readonly number[]) {
  const { ticks, starts } = group(times);
  return mendTimes(ticks, starts);
}

const even = (count: number): number[] => Array.from({ length: count }, (_, place) => 1000 + STEP * place);

describe("times that lie among other groups of pictures", () => {
  it("are those that one flipped bit makes, wherever that moves a picture; each is mended exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: GROUP, max: 10 * GROUP - 1 }), fc.integer({ min: 16, max: 32 }), (place, bit) => {
        const times = even(11 * GROUP);
        const right = times[place] as number;
        const wrong = Number(BigInt(right) ^ (1n << BigInt(bit)));
        times[place] = wrong;
        const begin = place - (place % GROUP);
        const isElsewhere = wrong < (times[begin] as number) - 4 * STEP || wrong > 1000 + STEP * (begin + GROUP + 3);
        const mended = mend(times);
        if (isElsewhere) expect(mended).toEqual([{ fromTicks: wrong, toTicks: right }]);
        else expect(mended.every(({ fromTicks, toTicks }) => fromTicks === wrong && toTicks === right)).toBe(true);
      }),
    );
  });

  it("are mended where two pictures of a group tell some", () => {
    const times = even(10 * GROUP);
    times[40] = 900_000_000;
    times[41] = 7;
    const [right40, right41] = [1000 + STEP * 40, 1000 + STEP * 41];
    const mended = mend(times);
    expect(mended.map(({ fromTicks }) => fromTicks).sort()).toEqual([7, 900_000_000]);
    // Which of the two is which, nothing tells.
    expect(mended.map(({ toTicks }) => toTicks).sort()).toEqual([right40, right41]);
  });

  it("are none of recordings whose times rise, however far they stand from each other", () => {
    const steps = fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 2, maxLength: 100 });
    fc.assert(
      fc.property(steps, (lengths) => {
        let at = 0;
        expect(mend(lengths.map((length) => (at += length)))).toEqual([]);
      }),
    );
  });

  it.each([
    ["where they leave no gap, as of a picture shown beside another", [...even(60), 5, ...even(200).slice(60)]],
    ["of which there are too many", even(100).map((at, place) => (place % 10 === 5 ? at + 10_000_000 + place : at))],
    [
      "with a gap beside them that millions of pictures would fill",
      even(200).map((at, place) => (place === 72 ? 41 : at + (place > 75 ? 4e11 : 0))),
    ],
    [
      "so near that a neighbour may be the wrong one",
      even(60).map((at, place) => (place === 24 ? at - 1.5 * STEP : at)),
    ],
    [
      "behind which all go on later, as where a clip was joined",
      [...even(60), ...even(60).map((at) => at + 900_000_000)],
    ],
  ])("stay %s", (_what, times) => {
    expect(mend(times)).toEqual([]);
  });
});

describe("the filter that mends", () => {
  it("is none where nothing is to be mended", () => {
    expect(mendingFilters([])).toEqual([]);
  });

  it("moves each such time, and no other", () => {
    const mended = [3, 4, 5].map((at) => ({ fromTicks: at, toTicks: 10 * at }));
    expect(mendingFilters(mended)).toEqual(["setpts='PTS+(eq(PTS,3)*(27)+(eq(PTS,4)*(36)+eq(PTS,5)*(45)))'"]);
  });
});
