import fc from "fast-check";
import { expect, it } from "vitest";
import { BitReader } from "./bit-reader.ts";

it("reads fields of any length at any place as the bits say", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 32 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(4), lengths, (bytes, startIndex, counts) => {
      const digits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
      const reader = new BitReader(bytes, Math.min(startIndex, bytes.length));
      let at = 8 * Math.min(startIndex, bytes.length);
      for (const count of counts) {
        if (at + count > digits.length) {
          expect(() => reader.bits(count)).toThrow("ends early");
          return;
        }
        expect(reader.bits(count)).toBe(count === 0 ? 0 : Number.parseInt(digits.slice(at, at + count), 2));
        at += count;
        expect(reader.bitsLeft).toBe(digits.length - at);
      }
    }),
  );
});
