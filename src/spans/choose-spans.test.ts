import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseSpans } from "./choose-spans.ts";

const steady = (count: number, rate = 25): number[] => Array.from({ length: count }, (_, index) => index / rate);

describe("chooseSpans", () => {
  it("covers every picture once, whatever the times and keys", () => {
    const times = fc.array(fc.double({ min: 0.001, max: 5, noNaN: true }), { maxLength: 300 });
    fc.assert(
      fc.property(times, fc.array(fc.nat(299)), fc.integer({ min: 1, max: 40 }), (steps, places, count) => {
        let at = 0;
        const rising = steps.map((step) => (at += step));
        const keys = [...new Set(places)].filter((key) => key < rising.length).sort((a, b) => a - b);
        const spans = chooseSpans(rising, keys, { count, minLength: 1 });
        const covered = spans.flatMap(({ start, end }) => rising.slice(start, end));
        expect(covered).toEqual(rising);
        for (const { start, end } of spans) expect(end).toBeGreaterThan(start);
        expect(spans.length).toBeLessThanOrEqual(Math.max(count, 1));
      }),
    );
  });

  it("cuts at key pictures that are near, else in the middle", () => {
    const wishes = { count: 2, minLength: 1 };
    expect(chooseSpans(steady(1000), [0, 430, 700], wishes)).toEqual([
      { start: 0, end: 430 },
      { start: 430, end: 1000 },
    ]);
    expect(chooseSpans(steady(1000), [0, 20, 980], wishes)).toEqual([
      { start: 0, end: 500 },
      { start: 500, end: 1000 },
    ]);
  });

  it("makes no span shorter than allowed on average, and one of a single picture", () => {
    expect(chooseSpans(steady(250), [], { count: 8, minLength: 4 })).toHaveLength(2);
    expect(chooseSpans([3], [0], { count: 8, minLength: 4 })).toEqual([{ start: 0, end: 1 }]);
    expect(chooseSpans([], [], { count: 8, minLength: 4 })).toEqual([]);
  });
});
