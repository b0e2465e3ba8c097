import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addToBusiestSecond, createRecentFrames, framesInBusiestSecond } from "./busiest-second.ts";

/** By the letter: of all pairs of pictures no more than a second apart. */
function byTheLetter(seconds: readonly number[]): number {
  const pairs = seconds.flatMap((from, first) => seconds.map((to, last) => (to - from <= 1 ? last - first : 0)));
  return Math.max(0, ...pairs);
}

/** Rising times in seconds, with steps in quarters, so that sums are exact. */
const times = fc
  .array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 })
  .map((steps) => steps.map((_, index) => steps.slice(0, index + 1).reduce((sum, step) => sum + step / 4, 0)));

describe("the second with the most pictures", () => {
  it("is counted by the steps between pictures: 60 of exactly 60 Hz, 25 where one interval of 40 ms is a tick", () => {
    const even = (rate: number): number[] => Array.from({ length: 3 * rate }, (_, index) => index / rate);
    expect([60, 50, 30, 25, 24].map((rate) => framesInBusiestSecond(even(rate)))).toEqual([60, 50, 30, 25, 24]);
    expect(framesInBusiestSecond(even(30).map((at, index) => (index > 40 ? at - 1 / 30 + 1 / 90_000 : at)))).toBe(30);
    expect([framesInBusiestSecond([]), framesInBusiestSecond([0, 2, 4])]).toEqual([0, 0]);
  });

  it("is the same however the pictures are parted into segments", () => {
    fc.assert(
      fc.property(times, fc.nat({ max: 40 }), fc.nat({ max: 40 }), (seconds, one, other) => {
        const recent = createRecentFrames();
        const cuts = [0, ...[one, other].toSorted((a, b) => a - b), seconds.length];
        const parts = cuts.slice(1).map((end, index) => Float64Array.from(seconds.slice(cuts[index], end)));
        const most = parts.filter(({ length }) => length > 0).map((part) => addToBusiestSecond(recent, part));
        expect(Math.max(0, ...most)).toBe(byTheLetter(seconds));
      }),
    );
  });

  it("begins anew where times fall back", () => {
    const recent = createRecentFrames();
    expect(addToBusiestSecond(recent, Float64Array.of(8, 8.5, 9))).toBe(2);
    expect(addToBusiestSecond(recent, Float64Array.of(8.6, 9.1))).toBe(1);
  });
});
