import fc from "fast-check";
import { expect, it } from "vitest";
import type { ByteSource } from "./byte-source.ts";
import { ByteWindow } from "./byte-window.ts";

/** Counts what is read of bytes that tell their own offset. */
function createCounting(sizeBytes: number): ByteSource & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    reads,
    sizeBytes,
    read: (offsetBytes, target) => {
      const got = Math.max(0, Math.min(target.length, sizeBytes - offsetBytes));
      reads.push(got);
      for (let index = 0; index < got; index++) target[index] = valueAt(offsetBytes + index);
      return got;
    },
  };
}

function valueAt(offset: number): number {
  return (offset * 31 + (offset >> 8)) & 0xff;
}

it("shows the source's bytes wherever it is moved to", () => {
  const sizeBytes = 100_000;
  const moves = fc.array(fc.tuple(fc.nat(sizeBytes + 100), fc.nat(9000)), { maxLength: 60 });
  fc.assert(
    fc.property(moves, (places) => {
      const window = new ByteWindow(createCounting(sizeBytes), 8192);
      for (const [offset, length] of places) {
        const visible = window.load(offset, length);
        expect(visible).toBeGreaterThanOrEqual(Math.max(0, Math.min(length, sizeBytes - offset)));
        for (let at = offset; at < offset + visible; at += 97) {
          expect(window.bytes[at - window.baseOffset]).toBe(valueAt(at));
        }
      }
    }),
  );
});

it("reads nothing again when it comes back from one look ahead", () => {
  const source = createCounting(1_000_000);
  const window = new ByteWindow(source);
  window.load(10_000, 100);
  window.load(500_000, 100);
  const before = source.reads.length;
  for (const offset of [10_050, 500_050, 10_000, 500_000]) {
    expect(window.u8(offset)).toBe(valueAt(offset));
  }
  expect(source.reads.length).toBe(before);
});

it("reads ahead in growing steps while it walks on, and little after a jump", () => {
  const source = createCounting(1_000_000);
  const window = new ByteWindow(source);
  for (let offset = 100_000; offset < 400_000; offset += 100) window.load(offset, 100);
  window.load(700_000, 100);
  expect(source.reads).toEqual([4096, 16_384, 65_536, 262_144, 4096]);
});
