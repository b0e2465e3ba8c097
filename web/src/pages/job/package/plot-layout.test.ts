import { describe, expect, it } from "vitest";
import { layoutPlot } from "./plot-layout.ts";
import type { RungRates } from "./read-ladder.ts";

/** A rung with these bit rates in kbit/s, each for six seconds. */
const rung = (name: string, ...kilobits: readonly number[]): RungRates => ({
  name,
  stretches: kilobits.map((rate, index) => ({
    startSeconds: 6 * index,
    endSeconds: 6 * index + 6,
    bitsPerSecond: 1000 * rate,
  })),
});

describe("the plot of a ladder", () => {
  it("has a step for each segment, higher where more bits are", () => {
    const { lines, left, right } = layoutPlot([rung("a", 400, 200)], 600);
    const [, startX, first, middleX, second, endX] =
      /^M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)H([\d.]+)$/.exec(lines[0]?.path ?? "") ?? [];
    expect([startX, middleX, endX].map(Number)).toEqual([left, (left + right) / 2, right]);
    expect(Number(first)).toBeLessThan(Number(second));
  });

  it("lies between round bit rates, and times that fit its width", () => {
    const { rates, times } = layoutPlot([rung("a", 400, 380), rung("b", 110)], 400);
    expect(rates.map(({ bitsPerSecond }) => bitsPerSecond)).toEqual([500_000, 200_000, 100_000]);
    expect(times.map(({ seconds }) => seconds)).toEqual([0, 5, 10]);
    expect(layoutPlot([rung("a", 400, 380)], 2000).times.length).toBe(13);
  });

  it("has room for every name", () => {
    const names = layoutPlot(
      Array.from({ length: 9 }, (_, index) => rung(String(index), 1000 - index)),
      600,
    ).lines;
    const places = names.map(({ labelY }) => labelY);
    for (const [index, place] of places.entries()) {
      if (index > 0) expect(place - (places[index - 1] ?? 0)).toBeGreaterThanOrEqual(14.9);
      expect(place).toBeLessThanOrEqual(234);
    }
  });

  it("keeps its width whatever a rung is called", () => {
    const { lines, right } = layoutPlot([rung("n".repeat(300), 100)], 600);
    expect(lines[0]?.label).toBe(`${"n".repeat(15)}…`);
    expect(right).toBeGreaterThan(400);
  });

  it.each([[[]], [[rung("a")]], [[rung("a", 0)]], [[rung("a", 100)]], [[rung("a", 1e12)]]])(
    "has finite places: %j",
    (rungs) => {
      const layout = layoutPlot(rungs, 10);
      expect(JSON.stringify(layout)).not.toMatch(/null|NaN/);
      expect(layout.lines.length).toBe(rungs.filter(({ stretches }) => stretches.length > 0).length);
    },
  );
});
