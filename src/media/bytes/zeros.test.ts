import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { skipZeroBytes, trimZeroBytes } from "./zeros.ts";

/** Mostly zeros, at any alignment, with a few other bytes. */
const holed = fc
  .record({
    length: fc.integer({ min: 0, max: 9000 }),
    shift: fc.integer({ min: 0, max: 9 }),
    marks: fc.array(fc.nat(9000), { maxLength: 3 }),
    range: fc.tuple(fc.nat(9000), fc.nat(9000)),
  })
  .map(({ length, shift, marks, range }) => {
    const bytes = new Uint8Array(length + shift).subarray(shift);
    for (const mark of marks) if (mark < length) bytes[mark] = 1;
    const [a, b] = range.map((end) => Math.min(end, length)) as [number, number];
    return { bytes, from: Math.min(a, b), to: Math.max(a, b) };
  });

describe("zeros", () => {
  it("end where the first other byte stands", () => {
    fc.assert(
      fc.property(holed, ({ bytes, from, to }) => {
        const plain = bytes.subarray(from, to).findIndex((byte) => byte !== 0);
        expect(skipZeroBytes(bytes, from, to)).toBe(plain < 0 ? to : from + plain);
      }),
    );
  });

  it("begin behind the last other byte", () => {
    fc.assert(
      fc.property(holed, ({ bytes, from, to }) => {
        expect(trimZeroBytes(bytes, from, to)).toBe(from + bytes.subarray(from, to).findLastIndex((b) => b !== 0) + 1);
      }),
    );
  });
});
