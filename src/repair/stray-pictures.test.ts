import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import type { FindingKind } from "./findings.ts";
import { avcEntry, IDR, nalOf, SEI, SLICE, sampleOf } from "./nal-track.fixture.ts";
import { countStraySlices } from "./stray-pictures.ts";

const count = (bytes: Uint8Array, lengthSizeBytes: number, kind: FindingKind = "lost", startOffset = 0): number => {
  const finding = { kind, startOffset, endOffset: bytes.length, action: "" };
  return countStraySlices(createMemorySource(bytes), [finding], avcEntry(lengthSizeBytes));
};

describe("countStraySlices", () => {
  it("counts the slices that stand whole, whatever the lengths take, up to the first that is damaged", () => {
    const header = fc.constantFrom(IDR, SLICE, SEI);
    const nal = fc.tuple(header, fc.integer({ min: 1, max: 200 }));
    fc.assert(
      fc.property(
        fc.array(nal, { maxLength: 8 }),
        fc.array(nal, { maxLength: 3 }),
        fc.constantFrom(1, 2, 4),
        (...given) => {
          const [whole, behind, lengthSizeBytes] = given;
          const toNals = (list: typeof whole): Uint8Array[] => list.map(([type, length]) => nalOf(type, length));
          const broken = Uint8Array.of(SLICE, 9, 0, 0, 0, 9);
          const bytes = sampleOf([...toNals(whole), broken, ...toNals(behind)], lengthSizeBytes);
          expect(count(bytes, lengthSizeBytes)).toBe(whole.filter(([type]) => type !== SEI).length);
        },
      ),
    );
  });

  it("leaves out a slice that the range cuts, and ranges that are not lost", () => {
    const bytes = sampleOf([nalOf(IDR, 50), nalOf(SLICE, 50)], 4);
    expect(count(bytes, 4)).toBe(2);
    expect(count(bytes.subarray(0, bytes.length - 1), 4)).toBe(1);
    expect(count(bytes, 4, "padding")).toBe(0);
    expect(count(bytes, 4, "lost", 1)).toBe(0);
  });

  it("says nothing of other codecs, or where the configuration cannot be read", () => {
    const bytes = sampleOf([nalOf(IDR, 50)], 4);
    const findings = [{ kind: "lost", startOffset: 0, endOffset: bytes.length, action: "" }] as const;
    for (const children of [new Map(), new Map([["avcC", Uint8Array.of(2)]])]) {
      const entry = { ...avcEntry(4), children };
      expect(countStraySlices(createMemorySource(bytes), findings, entry)).toBe(0);
    }
  });
});
