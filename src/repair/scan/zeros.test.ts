import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { lastZeroRunEnd } from "./zeros.ts";

describe("the last run of zeros", () => {
  it("is found from behind, however far back it lies", () => {
    const gap = fc.record({ length: fc.integer({ min: 1, max: 900 }), isZero: fc.boolean() });
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 300 }), fc.nat(50), fc.nat(50), (gaps, skipFront, skipBack) => {
        const bytes = Uint8Array.from(
          gaps.flatMap(({ length, isZero }) => new Array<number>(length).fill(isZero ? 0 : 7)),
        );
        const [from, to] = [Math.min(skipFront, bytes.length), Math.max(skipFront, bytes.length - skipBack)];
        let wanted = from;
        for (let at = from, run = 0; at < to; at++) {
          run = bytes[at] === 0 ? run + 1 : 0;
          if (run >= 512) wanted = at + 1;
        }
        const window = new ByteWindow(createMemorySource(bytes));
        expect(lastZeroRunEnd(window, from, Math.min(to, bytes.length), 512)).toBe(wanted);
      }),
    );
  });
});
