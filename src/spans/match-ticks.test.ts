import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchTicks } from "./match-ticks.ts";

describe("matchTicks", () => {
  it("finds the pictures that came out by their times, rounded as they are", () => {
    const expected = fc.array(fc.integer({ min: 3, max: 90 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(
        expected,
        fc.infiniteStream(fc.boolean()),
        fc.infiniteStream(fc.double({ min: -0.4, max: 0.4, noNaN: true })),
        (steps, kept, error) => {
          let at = 0;
          const ticks = steps.map((step) => (at += step));
          const left = ticks.filter(() => kept.next().value);
          const own = Float64Array.from(left, (tick) => (tick + error.next().value) / 1000);
          expect(matchTicks(own, ticks, 1000)).toEqual({ ticks: left, guessed: 0 });
        },
      ),
    );
  });

  it("gives a picture with a time that another has, or that is none of the source's, the nearest that is free", () => {
    const expected = [0, 40, 80, 120, 160, 200];
    const match = (...own: readonly number[]) =>
      matchTicks(
        Float64Array.from(own, (at) => at / 1000),
        expected,
        1000,
      );
    // As a decoder tells behind a hole: 120 is of two pictures.
    expect(match(0, 40, 120, 120, 200)).toEqual({ ticks: [0, 40, 80, 120, 200], guessed: 1 });
    expect(match(0, 80, 120, 120, 200)).toMatchObject({ ticks: [0, 80, 120, 160, 200], guessed: 1 });
    expect(match(0, 45, 46)).toMatchObject({ ticks: [0, 40, 80], guessed: 1 });
    expect(match(0, 60, 61, 62, 200)).toMatchObject({ ticks: [0, 40, 80, 120, 200] });
    expect(match(0, 190, 195, 198, 199, 200)).toMatchObject({ ticks: expected });
  });

  it("gives none the time of another, and as few as can be one of its neighbours", () => {
    const times = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(times, fc.nat(10), (own, more) => {
        const sorted = own.toSorted((a, b) => a - b);
        const expected = Array.from({ length: own.length + more }, (_, index) => index * 25);
        const found = matchTicks(
          Float64Array.from(sorted, (at) => at / 1000),
          expected,
          1000,
        );
        if (found === undefined) return;
        expect(found.ticks).toHaveLength(own.length);
        for (const [index, tick] of found.ticks.entries()) {
          expect(expected).toContain(tick);
          expect(tick).toBeGreaterThan(found.ticks[index - 1] ?? -1);
          expect(Math.abs(tick - (sorted[index] as number))).toBeLessThanOrEqual(500);
        }
      }),
    );
  });

  it("gives up where a time is far from all of the source's, or there are too many pictures", () => {
    expect(matchTicks(Float64Array.of(0, 9), [0, 40], 1000)).toBeUndefined();
    expect(matchTicks(Float64Array.of(0, 0.04, 0.08), [0, 40], 1000)).toBeUndefined();
  });
});
