import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Grid } from "./grid.ts";

describe("a grid of places where runs begin", () => {
  it("excludes what lies off it, until bytes were lost", () => {
    const grid = new Grid(8, 4);
    expect([12, 13].map((offset) => grid.excludes(offset))).toEqual([false, true]);
    grid.doubt();
    expect([12, 13].map((offset) => grid.excludes(offset))).toEqual([false, false]);
  });

  it("knows runs that all begin elsewhere to have moved, by how much", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.nat(0xffff), fc.nat(0xffff), (level, origin, moved) => {
        const bytes = 2 ** level;
        const grid = new Grid(bytes, origin);
        const away = moved % bytes;
        const starts = Array.from({ length: 20 }, (_, index) => origin + away + index * 3 * bytes);
        const told = starts.map((start) => grid.note(start));
        const first = told.indexOf(true);
        if (away === 0) return first < 0 && !grid.excludes(origin);
        grid.moveTo(starts[first] as number);
        return grid.next(origin + away) === origin + away && !grid.excludes(origin + 1);
      }),
    );
  });

  it.each([
    ["that begin anywhere", [8, 17, 27, 40, 49, 56]],
    ["too few that begin equally far beside it", [9, 17, 25, 33]],
    ["of those one that begins on it", [9, 17, 25, 32, 41, 49, 57]],
  ])("is not moved by runs: %s", (_which, starts) => {
    const grid = new Grid(8, 0);
    expect(starts.map((start) => grid.note(start))).not.toContain(true);
  });

  it("is moved by runs on both sides of a gap, and not kept by the rests of others", () => {
    const grid = new Grid(4096, 0);
    grid.note(4096 + 50);
    grid.doubt();
    expect([grid.note(9000, true), grid.note(3 * 4096 + 50)]).toEqual([false, true]);
  });
});
