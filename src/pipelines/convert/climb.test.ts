import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { climb } from "./climb.ts";

/** Climbs over values known beforehand; tells which steps were measured. */
async function climbOver(values: readonly number[], options: { target: number; enough: number; start: number }) {
  const measured: number[] = [];
  const { step } = await climb({
    ...options,
    length: values.length,
    rise: 0.5,
    measure: (at) => {
      measured.push(at);
      return Promise.resolve(values[at] as number);
    },
  });
  return { step, measured };
}

const RISING = fc
  .array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 200 })
  .map((rises) => rises.map((_, index) => rises.slice(0, index + 1).reduce((sum, rise) => sum + rise, 0)));

describe("climb", () => {
  it("ends at a step that reaches the target, and is the lowest one or near enough, after few measurements", async () => {
    const wishes = fc.record({
      values: RISING,
      share: fc.double({ min: -0.2, max: 1.2, noNaN: true }),
      slack: fc.double({ min: 0, max: 3, noNaN: true }),
      begin: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(wishes, async ({ values, share, slack, begin }) => {
        const target = (values.at(-1) as number) * share;
        const start = Math.floor(begin * (values.length - 1));
        const { step, measured } = await climbOver(values, { target, enough: target + slack, start });
        const lowest = values.findIndex((value) => value >= target);
        if (step === null) expect(lowest).toBe(-1);
        else {
          const value = values[step] as number;
          expect(value).toBeGreaterThanOrEqual(target);
          expect(step === lowest || value <= target + slack).toBe(true);
        }
        expect(new Set(measured).size).toBe(measured.length);
        expect(measured.length).toBeLessThanOrEqual(8 + Math.ceil(Math.log2(values.length)));
      }),
    );
  });

  it("needs four measurements where the values are nearly on a line", async () => {
    const values = Array.from({ length: 100 }, (_, step) => 10 + 0.3 * step - 0.0005 * step * step);
    const { step, measured } = await climbOver(values, { target: 25, enough: 25.3, start: 20 });
    expect(step).toBe(56);
    expect(measured.length).toBeLessThanOrEqual(4);
  });

  it("goes on with lines where the values bend", async () => {
    const values = Array.from({ length: 100 }, (_, step) => 10 + 30 * (step / 99) ** 2);
    const { step, measured } = await climbOver(values, { target: 25, enough: 25, start: 20 });
    expect(step).toBe(71);
    expect(measured.length).toBeLessThanOrEqual(6);
  });

  it("says where even the last step is not enough", async () => {
    const { step, measured } = await climbOver([1, 2, 3, 4, 5, 6, 7, 8, 9], { target: 20, enough: 21, start: 3 });
    expect(step).toBeNull();
    expect(measured.at(-1)).toBe(8);
  });
});
