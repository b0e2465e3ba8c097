import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eachTick, packTicks, unpackTicks } from "./packed-ticks.ts";

describe("packed ticks", () => {
  it("are what they were before", () => {
    const ticks = fc.array(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), { maxLength: 200 });
    fc.assert(
      fc.property(ticks, (list) => {
        const packed = packTicks(list);
        expect(Array.from(unpackTicks(packed))).toEqual(list);
        expect([...eachTick(packed)]).toEqual(list);
      }),
    );
  });

  it("of ten hours are small, at rates that clocks round as well", () => {
    const thousandths = Float64Array.from({ length: 60 * 36_000 }, (_, index) => Math.round((index * 1001) / 60));
    const packed = packTicks(thousandths);

    expect(packed.length).toBeLessThan(100_000);
    expect(unpackTicks(packed)).toEqual(thousandths);
  });

  it("refuse what is no whole number", () => {
    expect(() => packTicks([0, 0.5])).toThrow("0.5 ticks");
    expect(() => packTicks([Number.NaN])).toThrow("NaN");
  });
});
