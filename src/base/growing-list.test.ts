import { expect, it } from "vitest";
import { createGrowingList } from "./growing-list.ts";

it("keeps what is pushed, beyond what it first made room for", () => {
  const list = createGrowingList(Uint32Array, 200_000);
  for (let value = 0; value < 150_000; value++) list.push(value);
  expect(list.length).toBe(150_000);
  const all = list.finish();
  expect(all).toHaveLength(150_000);
  expect([all[0], all[65_536], all[149_999]]).toEqual([0, 65_536, 149_999]);
});

it("holds fractions and no more than it may", () => {
  const list = createGrowingList(Float64Array, 2);
  list.push(0.5);
  list.push(-1.25);
  expect(() => list.push(3)).toThrow(RangeError);
  expect(Array.from(list.finish())).toEqual([0.5, -1.25]);
});
