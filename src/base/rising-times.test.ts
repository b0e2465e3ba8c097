import fc from "fast-check";
import { expect, it } from "vitest";
import { placesAgainstOrder } from "./rising-times.ts";

it.each([
  ["none of times that rise", [0, 1, 5, 9], []],
  ["one that jumps ahead", [0, 1, 9, 2, 3, 4], [2]],
  ["one that falls back", [0, 4, 5, 1, 6], [3]],
  ["twins but for one", [0, 1, 1, 1, 2], [1, 2]],
  ["none of which nothing is known", [0, Number.NaN, 1, Number.NaN], []],
  ["nothing of nothing", [], []],
])("leaves out %s", (_what, times, expected) => {
  expect(placesAgainstOrder(times)).toEqual(expected);
});

/** The most that can stay, tried one after the other. */
function longestRising(times: readonly number[]): number {
  const best: number[] = [];
  for (const [place, time] of times.entries()) {
    best.push(1 + Math.max(0, ...best.filter((_, earlier) => earlier < place && (times[earlier] as number) < time)));
  }
  return Math.max(0, ...best);
}

it("leaves out as few as can be, so that the others rise", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 30 }), (times) => {
      const out = new Set(placesAgainstOrder(times));
      const kept = times.filter((_, place) => !out.has(place));
      expect(kept.every((time, index) => index === 0 || time > (kept[index - 1] as number))).toBe(true);
      expect(kept).toHaveLength(longestRising(times));
    }),
  );
});
