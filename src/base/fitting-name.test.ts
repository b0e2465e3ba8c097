import { expect, it } from "vitest";
import { fittingName } from "./fitting-name.ts";

it.each([
  ["a name that fits", "clip", "-2.mp4", 0, "clip-2.mp4"],
  ["one that just fits", "a".repeat(251), ".mp4", 0, `${"a".repeat(251)}.mp4`],
  ["one with something to come behind it", "a".repeat(251), ".mp4", 12, `${"a".repeat(239)}.mp4`],
  ["one of characters of several bytes", "é😀".repeat(42), "-2.mp4", 0, `${"é😀".repeat(41)}é-2.mp4`],
  ["one that cannot be cut so far", "abc", `.${"x".repeat(300)}`, 0, `.${"x".repeat(300)}`],
])("keeps as much as it may of %s", (_what, stem, rest, roomBytes, expected) => {
  expect(fittingName(stem, rest, roomBytes)).toBe(expected);
});
