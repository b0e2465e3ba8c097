import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BATCH_DISKS_GB } from "../../base/fargate-sizes.ts";
import { sizeBatch } from "./batch-resources.ts";

const GIB = 1024 ** 3;
const load = (totalGb: number, largestGb = totalGb / 10, usesUntrunc = false) => ({
  totalBytes: totalGb * GIB,
  largestBytes: largestGb * GIB,
  usesUntrunc,
});

/** Written out from the table in the documentation of Amazon ECS, in GB, not worked out as the code does. */
const ACCEPTED: Readonly<Record<number, readonly number[]>> = {
  1: [2, 3, 4, 5, 6, 7, 8],
  2: [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  4: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
  8: [16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60],
  16: [32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120],
};

describe("sizeBatch", () => {
  it.each([
    [5, 1, 2, 30],
    [5.001, 2, 4, 60],
    [20, 2, 4, 60],
    [50, 4, 8, 120],
    [100, 4, 16, 175],
    // The contract's 30 GB are none that Fargate has with 8 vCPUs.
    [200, 8, 32, 200],
    [1000, 8, 32, 200],
  ])("gives %d GB in all %d vCPUs, %d GB of memory and %d GB of storage", (totalGb, vcpu, memoryGb, storageGb) => {
    const expected = { vcpu, memoryMb: memoryGb * 1024, storageGb, isAutoScaled: true };
    expect(sizeBatch(load(totalGb, 1))).toEqual(expected);
    // The stacks have a job definition for each.
    expect(BATCH_DISKS_GB).toContain(storageGb);
  });

  it("has room for three times the largest file and 10 GB, up to 200", () => {
    expect(sizeBatch(load(5, 5))).toMatchObject({ storageGb: 30 });
    expect(sizeBatch(load(20, 20))).toMatchObject({ storageGb: 70 });
    expect(sizeBatch(load(100, 80))).toMatchObject({ storageGb: 200 });
  });

  it("has memory for two of the largest file where untrunc holds it there, up to 120 GB", () => {
    expect(sizeBatch(load(5, 5, true))).toMatchObject({ vcpu: 2, memoryMb: 10 * 1024 });
    expect(sizeBatch(load(5, 5))).toMatchObject({ vcpu: 1, memoryMb: 2 * 1024 });
    expect(sizeBatch(load(90, 90, true))).toMatchObject({ vcpu: 16, memoryMb: 120 * 1024 });
  });

  it("rounds what is wished up to what there is", () => {
    expect(sizeBatch(load(1), { vcpu: 8, memoryMb: 30_720, storageGb: 200 })).toEqual({
      vcpu: 8,
      memoryMb: 32 * 1024,
      storageGb: 200,
      isAutoScaled: false,
    });
    expect(sizeBatch(load(1), { vcpu: 3 })).toMatchObject({ vcpu: 4, memoryMb: 8 * 1024, storageGb: 30 });
    expect(sizeBatch(load(1), { memoryMb: 122_880 })).toMatchObject({ vcpu: 16, memoryMb: 122_880 });
  });

  it("always comes to what Fargate accepts, with the room that the largest file needs", () => {
    const wish = fc.record(
      {
        vcpu: fc.integer({ min: 1, max: 16 }),
        memoryMb: fc.integer({ min: 512, max: 122_880 }),
        storageGb: fc.integer({ min: 21, max: 200 }),
      },
      { requiredKeys: [] },
    );
    const bytes = fc.integer({ min: 1, max: 2 ** 42 });
    fc.assert(
      fc.property(bytes, bytes, fc.boolean(), wish, (one, rest, usesUntrunc, wished) => {
        const totalBytes = one + rest;
        const sized = sizeBatch({ totalBytes, largestBytes: one, usesUntrunc }, wished);
        expect(ACCEPTED[sized.vcpu]?.map((gb) => gb * 1024)).toContain(sized.memoryMb);
        expect(Number.isInteger(sized.storageGb)).toBe(true);
        expect(sized.storageGb).toBeGreaterThanOrEqual(Math.min(200, (3 * one) / GIB + 10));
        expect(sized.storageGb).toBeLessThanOrEqual(200);
        expect(sized.vcpu).toBeGreaterThanOrEqual(wished.vcpu ?? 1);
        expect(sized.memoryMb).toBeGreaterThanOrEqual(wished.memoryMb ?? 2048);
        expect(sized.storageGb).toBeGreaterThanOrEqual(wished.storageGb ?? 21);
        if (usesUntrunc) expect(sized.memoryMb).toBeGreaterThanOrEqual(Math.min(122_880, (2 * one) / 1024 ** 2));
        expect(sized.isAutoScaled).toBe(Object.keys(wished).length === 0);
      }),
    );
  });
});
