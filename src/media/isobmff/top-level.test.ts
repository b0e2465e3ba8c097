import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { concatBytes, serializeBox } from "./box-writer.ts";
import { scanTopLevelBoxes, topLevelEndBytes } from "./top-level.ts";

const scan = (...parts: readonly Uint8Array[]) => scanTopLevelBoxes(createMemorySource(concatBytes(parts)));
const header = (sizeBytes: number, type: string) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, sizeBytes);
  bytes.set(new TextEncoder().encode(type), 4);
  return bytes;
};
const free = serializeBox("free", new Uint8Array(4));

describe("scanTopLevelBoxes", () => {
  it("clips a declared size to what is there", () => {
    expect(scan(free, header(1000, "mdat"), new Uint8Array(20))).toEqual([
      { type: "free", offsetBytes: 0, headerBytes: 8, sizeBytes: 12, declaredSizeBytes: 12, sizeKind: "normal" },
      { type: "mdat", offsetBytes: 12, headerBytes: 8, sizeBytes: 28, declaredSizeBytes: 1000, sizeKind: "normal" },
    ]);
  });

  it("takes size 0 and a 64-bit size of 0 for the rest of the file", () => {
    const [zero] = scan(header(0, "mdat"), new Uint8Array(20));
    expect(zero).toMatchObject({ headerBytes: 8, sizeBytes: 28, sizeKind: "to-end" });
    const [largeZero] = scan(header(1, "mdat"), new Uint8Array(20));
    expect(largeZero).toMatchObject({ headerBytes: 16, sizeBytes: 28, sizeKind: "to-end" });
  });

  it("reads 64-bit sizes beyond any file", () => {
    const [box] = scan(header(1, "mdat"), new Uint8Array(8).fill(0x7f), new Uint8Array(4));
    expect(box).toMatchObject({ sizeKind: "large", sizeBytes: 20, declaredSizeBytes: Number.MAX_SAFE_INTEGER });
  });

  it("stops at zeros, at sizes below the header, and tells where", () => {
    for (const garbage of [new Uint8Array(64), header(7, "mdat"), header(20, "\x01abc")]) {
      const boxes = scan(free, garbage);
      expect(boxes).toHaveLength(1);
      expect(topLevelEndBytes(boxes)).toBe(12);
    }
    expect(topLevelEndBytes(scan(new Uint8Array(3)))).toBe(0);
  });

  it("never throws, and its boxes lie one after the other within the source", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(40), fc.constantFrom("moov", "mdat", "free")).map(([size, type]) => header(size, type)),
    );
    fc.assert(
      fc.property(fc.array(piece), (parts) => {
        let end = 0;
        for (const box of scan(...parts)) {
          expect(box.offsetBytes).toBe(end);
          expect(box.sizeBytes).toBeGreaterThanOrEqual(box.headerBytes);
          end += box.sizeBytes;
        }
        expect(end).toBeLessThanOrEqual(concatBytes(parts).length);
      }),
    );
  });
});
