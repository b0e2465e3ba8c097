import { expect, it } from "vitest";
import { createForcedKeys } from "./picture-arguments.ts";

const from = (start: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => start + index / 25);

const keys = (keyPictures: number | null, seconds: readonly number[]): readonly number[] => {
  const isForced = createForcedKeys({ keyPictures });
  return seconds.flatMap((at, index) => (isForced(at) ? [index] : []));
};

it("expects a key picture every two seconds, and one behind a gap", () => {
  expect(keys(null, from(0, 125))).toEqual([0, 50, 100]);
  expect(keys(null, [...from(0, 50), ...from(13, 75)])).toEqual([0, 50, 75]);
  expect(keys(60, from(0, 125))).toEqual([0, 60, 120]);
});
