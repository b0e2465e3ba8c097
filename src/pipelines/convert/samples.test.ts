import { expect, it } from "vitest";
import { chooseSamples, GLANCES } from "./samples.ts";

it.each([undefined, 0, 20, 70])("takes the whole of %s seconds", (seconds) => {
  expect(chooseSamples(seconds)).toBeUndefined();
});

it.each([
  [72, 3],
  [600, 3],
  [2200, 4],
  [7200, 10],
  [36_000, 50],
])("takes of %d seconds %d samples of 20 s, spread evenly and inside it", (seconds, count) => {
  const samples = chooseSamples(seconds) ?? [];
  expect(samples).toHaveLength(count);
  for (const [index, { startSeconds, endSeconds }] of samples.entries()) {
    expect(endSeconds - startSeconds).toBeCloseTo(20);
    expect((startSeconds + endSeconds) / 2).toBeCloseTo(((index + 0.5) * seconds) / count);
    expect(startSeconds).toBeGreaterThanOrEqual(samples[index - 1]?.endSeconds ?? 0);
  }
  expect(samples.at(-1)?.endSeconds).toBeLessThanOrEqual(seconds);
});

it.each([
  [10, 4],
  [60, 4],
  [130, 5],
  [240, 8],
  [3600, 8],
  [7200, 10],
])("glances at %d seconds %d times, a second each", (seconds, count) => {
  const samples = chooseSamples(seconds, GLANCES) ?? [];
  expect(samples).toHaveLength(count);
  for (const { startSeconds, endSeconds } of samples) expect(endSeconds - startSeconds).toBeCloseTo(1);
});
