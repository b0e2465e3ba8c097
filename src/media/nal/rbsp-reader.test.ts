import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BitReader } from "../bytes/bit-reader.ts";
import { RbspReader } from "./rbsp-reader.ts";
import { escapeNal, unescapeNal } from "./unescape.ts";

/** Bytes in which runs of zeros are common. */
const rbspBytes = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 255 })), {
  minLength: 1,
  maxLength: 40,
});

type Step = readonly ["bits", number] | readonly ["ue" | "se" | "flag"];
const steps = fc.array(
  fc.oneof(
    fc.tuple(fc.constant("bits" as const), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.constantFrom("ue" as const, "se" as const, "flag" as const)),
  ),
  { maxLength: 30 },
);

function take(reader: BitReader | RbspReader, step: Step): number {
  if (step[0] === "bits") return reader.bits(step[1]);
  if (step[0] === "flag") return reader.flag() ? 1 : 0;
  return step[0] === "ue" ? reader.ue() : reader.se();
}

describe("RbspReader", () => {
  it("reads what the throwing reader reads from the unescaped bytes, and is broken where that one throws", () => {
    fc.assert(
      fc.property(rbspBytes, steps, (values, plan) => {
        const rbsp = Uint8Array.from(values);
        const sticky = new RbspReader(escapeNal(rbsp), 0, escapeNal(rbsp).length);
        const throwing = new BitReader(rbsp);
        for (const step of plan) {
          const got = take(sticky, step);
          let wanted: number;
          try {
            wanted = take(throwing, step);
          } catch {
            expect(sticky.isBroken).toBe(true);
            return;
          }
          expect(sticky.isBroken).toBe(false);
          expect(got === 0 ? 0 : got).toBe(wanted === 0 ? 0 : wanted);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("undoes escaping", () => {
    fc.assert(
      fc.property(rbspBytes, (values) => {
        const rbsp = Uint8Array.from(values);
        expect(unescapeNal(Uint8Array.from([0x67, ...escapeNal(rbsp)]), 1)).toEqual(rbsp);
      }),
    );
  });

  it("is broken by a start code, which no NAL unit may hold", () => {
    const reader = new RbspReader(Uint8Array.of(0x80, 0, 0, 1, 0x80), 0, 5);
    reader.bits(32);
    expect(reader.isBroken).toBe(true);
  });
});
