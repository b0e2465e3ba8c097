import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchInOrder } from "./match.ts";

/** The textbook dynamic programme, to compare with. */
function longestCommonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const item of a) {
    const next = [0];
    b.forEach((other, index) => {
      next.push(item === other ? (row[index] ?? 0) + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0));
    });
    row = next;
  }
  return row.at(-1) ?? 0;
}

const hashes = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f"), { maxLength: 24 });

describe("matchInOrder", () => {
  it("finds a longest common subsequence, and only equal elements in order", () => {
    fc.assert(
      fc.property(hashes, hashes, (wanted, found) => {
        const matches = matchInOrder(wanted, found);
        expect(matches).toHaveLength(longestCommonLength(wanted, found));
        matches.forEach((match, index) => {
          expect(found[match.foundIndex]).toBe(wanted[match.wantedIndex]);
          const before = matches[index - 1];
          if (before === undefined) return;
          expect(match.wantedIndex).toBeGreaterThan(before.wantedIndex);
          expect(match.foundIndex).toBeGreaterThan(before.foundIndex);
        });
      }),
    );
  });

  it("finds all of a loop, though every element recurs a hundred times", () => {
    const round = Array.from({ length: 30 }, (_, index) => `packet ${index}`);
    const loop = Array.from({ length: 100 }, () => round).flat();
    expect(matchInOrder(loop, loop)).toHaveLength(3000);
    expect(matchInOrder(loop.slice(1500), loop.slice(1500))).toHaveLength(1500);
  });
});
