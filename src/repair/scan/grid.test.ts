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
        if (away === 0) return told.every((by) => by === 0) && !grid.excludes(origin);
        const first = told.findIndex((by) => by > 0);
        grid.move(told[first] as number, bytes);
        return told[first] === away && grid.next(origin + away) === origin + away;
      }),
    );
  });

  it("is not moved by a few runs that begin anywhere", () => {
    const grid = new Grid(8, 0);
    expect([8, 17, 27, 40, 49, 56].map((start) => grid.note(start))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("moves with a larger one alone", () => {
    const grid = new Grid(16, 0);
    grid.move(4, 8);
    expect(grid.next(1)).toBe(16);
    grid.move(20, 32);
    expect(grid.next(1)).toBe(4);
  });
});
