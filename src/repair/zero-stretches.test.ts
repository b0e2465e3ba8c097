import { describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { findZeroStretches } from "./zero-stretches.ts";

const SIZE_BYTES = 300_000;
const ALL = { startOffset: 0, endOffset: SIZE_BYTES };

/** Stretches found among other bytes where zeros stand at the places given, as pairs of start and end. */
async function find(
  zeros: readonly (readonly [number, number])[],
  stepBytes: number,
  within = ALL,
): Promise<number[][]> {
  const bytes = new Uint8Array(SIZE_BYTES).fill(7);
  for (const [start, end] of zeros) bytes.fill(0, start, end);
  const found = await findZeroStretches(createMemorySource(bytes), within, stepBytes);
  return found.map(({ startOffset, endOffset }) => [startOffset, endOffset]);
}

describe("findZeroStretches", () => {
  it.each([512, 60 * 1024])(
    "finds all that are longer than a step of %i bytes, with their exact ends",
    async (step) => {
      for (const start of [0, 1, step - 1, step, step + 1, 100_001]) {
        const end = start + step + 16;
        expect(await find([[start, end]], step)).toEqual([[start, end]]);
      }
    },
  );

  it("keeps stretches apart that one other byte parts", async () => {
    const zeros = [
      [1000, 3000],
      [3001, 9000],
    ] as const;
    expect(await find(zeros, 512)).toEqual(zeros);
  });

  it("passes over zeros in a row of fewer than 512", async () => {
    expect(await find([[1024, 1535]], 512)).toEqual([]);
    expect(await find([[1024, 1536]], 512)).toEqual([[1024, 1536]]);
  });

  it("stays within the range", async () => {
    const within = { startOffset: 10_000, endOffset: 20_000 };
    expect(await find([[0, SIZE_BYTES]], 512, within)).toEqual([[10_000, 20_000]]);
    expect(await find([[SIZE_BYTES - 2000, SIZE_BYTES]], 512)).toEqual([[SIZE_BYTES - 2000, SIZE_BYTES]]);
  });
});
