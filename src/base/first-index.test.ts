import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstIndexWhere } from "./first-index.ts";

describe("firstIndexWhere", () => {
  it("finds what a walk finds", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.nat(21), (values, wanted) => {
        const sorted = values.toSorted((a, b) => a - b);
        const walked = sorted.findIndex((value) => value >= wanted);
        const found = firstIndexWhere(sorted.length, (index) => (sorted[index] ?? 0) >= wanted);
        expect(found).toBe(walked < 0 ? sorted.length : walked);
      }),
    );
  });

  it("asks few times", () => {
    let asked = 0;
    expect(firstIndexWhere(1_000_000, (index) => ++asked > 0 && index >= 765_432)).toBe(765_432);
    expect(asked).toBeLessThanOrEqual(20);
  });
});
