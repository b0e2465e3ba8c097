import { describe, expect, it } from "vitest";
import { planThinning } from "./thin-pictures.ts";

const MILLISECONDS = { numerator: 1, denominator: 1000 };

/** Times in whole milliseconds: so many pictures at each rate. */
function timesOf(...stretches: readonly (readonly [count: number, rate: number])[]): Float64Array {
  const ticks: number[] = [];
  let startMs = 0;
  for (const [count, rate] of stretches) {
    for (let index = 0; index < count; index++) ticks.push(Math.round(startMs + (index * 1000) / rate));
    startMs += (count * 1000) / rate;
  }
  return Float64Array.from(ticks);
}

function thin(ticks: Float64Array) {
  const seconds = ((ticks.at(-1) ?? 0) - (ticks[0] ?? 0)) / 1000;
  return planThinning(ticks, MILLISECONDS, (ticks.length - 1) / seconds);
}

describe("planThinning", () => {
  it("takes all where there are no more than 60 per second, however their times are rounded", () => {
    for (const rate of [23.976, 25, 59.94, 60]) expect(thin(timesOf([600, rate])).filter).toBeNull();
    const trembling = Float64Array.from({ length: 600 }, (_, index) =>
      Math.round((index * 1000) / 60 + 5 * (index % 2)),
    );
    expect(thin(trembling).filter).toBeNull();
  });

  it("divides constant rates evenly, also where no times are known", () => {
    const divisors = [90, 100, 119.88, 120, 125, 240].map((rate) => thin(timesOf([rate * 5, rate])).filter);
    expect(divisors.map((filter) => filter?.at(-3))).toEqual([..."222234"]);
    expect(planThinning(new Float64Array(0), MILLISECONDS, 120)).toMatchObject({
      framesPerSecond: 60,
      isDivided: true,
    });
  });

  it("leaves single pictures out where the rate is a little above 60 per second", () => {
    const { ticks, isDivided, framesPerSecond } = thin(timesOf([6020, 60.2]));
    expect(isDivided).toBe(false);
    expect(framesPerSecond).toBeLessThanOrEqual(60);
    expect(ticks.length).toBeGreaterThan(0.95 * 6020);
  });

  it.each([
    [
      "most of it is slow",
      [
        [300, 30],
        [240, 240],
      ] as const,
      300,
    ],
    [
      "most of it is fast",
      [
        [60, 30],
        [960, 240],
      ] as const,
      60,
    ],
    [
      "rates are many",
      [
        [60, 60],
        [100, 125],
        [120, 120],
        [24, 24],
      ] as const,
      60,
    ],
  ])("leaves slow stretches as they are and no more than 60 per second elsewhere: %s", (_name, stretches, slow) => {
    const ticks = timesOf(...stretches);
    const { ticks: taken, isDivided, finding } = thin(ticks);
    expect([isDivided, finding]).toEqual([false, expect.stringContaining("60")]);
    expect(taken.subarray(0, slow)).toEqual(ticks.subarray(0, slow));
    for (const [index, at] of taken.entries()) {
      expect((taken[index + 60] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(998);
    }
    // No more are left out than must be.
    expect(taken.length).toBeGreaterThan(
      0.95 * stretches.reduce((sum, [n, rate]) => sum + (n / rate) * Math.min(60, rate), 0),
    );
  });
});
