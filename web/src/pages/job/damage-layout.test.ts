import { describe, expect, it } from "vitest";
import type { Finding } from "../../api/repair-types.ts";
import { layoutDamage, sumByKind } from "./damage-layout.ts";

const finding = (kind: Finding["kind"], startOffset: number, endOffset: number): Finding => ({
  kind,
  startOffset,
  endOffset,
  action: "",
});

describe("the layout of the damage strip", () => {
  it("places what was found in proportion to its bytes", () => {
    expect(layoutDamage([finding("lost", 250, 500)], 1000)).toEqual([
      { kind: "lost", startOffset: 250, endOffset: 500, left: 0.25, width: 0.25 },
    ]);
  });

  it("draws the gravest last, so that nothing hides it", () => {
    const found = [finding("lost", 0, 10), finding("padding", 0, 500), finding("zeros", 5, 20)];
    expect(layoutDamage(found, 1000).map(({ kind }) => kind)).toEqual(["padding", "zeros", "lost"]);
  });

  it("keeps the smallest visible and within the strip", () => {
    const [last] = layoutDamage([finding("cut-packet", 999_999, 1_000_000)], 1_000_000);
    expect(last?.width).toBe(0.002);
    expect((last?.left ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(1);
  });

  it("takes no harm from ranges that are reversed, empty, beyond the file or of no known kind", () => {
    const unknown = { ...finding("lost", 0, 10), kind: "novel" } as unknown as Finding;
    const found = [finding("lost", 20, 10), finding("lost", 5, 5), finding("lost", 2000, 3000), unknown];
    expect(layoutDamage(found, 1000)).toEqual([]);
    expect(layoutDamage([finding("lost", 0, 10)], 0)).toEqual([]);
    expect(layoutDamage([finding("lost", 900, 5000)], 1000)[0]?.endOffset).toBe(1000);
  });

  it("joins what nobody could tell apart, and loses none of it", () => {
    const found = Array.from({ length: 50_000 }, (_, index) => finding("lost", index * 20, index * 20 + 10));
    const stretches = layoutDamage(found, 1_000_000);
    expect(stretches.length).toBeLessThanOrEqual(1000);
    expect(stretches[0]?.startOffset).toBe(0);
    expect(Math.max(...stretches.map(({ endOffset }) => endOffset))).toBe(999_990);
  });

  it("sums bytes by kind, the gravest first", () => {
    const found = [finding("zeros", 0, 10), finding("lost", 20, 30), finding("zeros", 40, 45)];
    expect([...sumByKind(found)]).toEqual([
      ["lost", 10],
      ["zeros", 15],
    ]);
  });
});
