import { describe, expect, it } from "vitest";
import { annexBPieces, endOfSliceData, isIntactNal, splitSample } from "./annex-b.ts";

describe("splitSample and annexBPieces", () => {
  it("turn lengths of any size into start codes", () => {
    const sample = Uint8Array.of(0, 2, 0x65, 1, 0, 1, 0x41);
    const pieces = [...annexBPieces(splitSample(sample, 2) ?? [])];
    expect(Uint8Array.from(pieces.flatMap((piece) => [...piece]))).toEqual(
      Uint8Array.of(0, 0, 0, 1, 0x65, 1, 0, 0, 0, 1, 0x41),
    );
    expect(splitSample(Uint8Array.of(0, 0, 0, 1, 9), 4)).toEqual([Uint8Array.of(9)]);
  });

  it.each([[[]], [[0, 3, 1, 2]], [[0, 0]], [[0]]])("see that %j is no sample", (bytes) => {
    expect(splitSample(Uint8Array.from(bytes), 2)).toBeUndefined();
  });
});

describe("isIntactNal", () => {
  it.each([
    ["emulation prevention", [0x65, 0, 0, 3, 1, 0x80], true],
    ["zeros as padding at the end", [0x65, 0x80, 0, 0, 0, 0], true],
    ["zeros inside", [0x65, 1, 0, 0, 0, 0, 7], false],
    ["a start code inside", [0x65, 1, 0, 0, 1, 7], false],
    ["nothing but zeros", [0, 0, 0], false],
  ])("judges %s", (_what, bytes, isIntact) => {
    expect(isIntactNal(Uint8Array.from(bytes))).toBe(isIntact);
  });
});

describe("endOfSliceData", () => {
  it.each([
    ["the byte with the stop bit", [0x65, 7, 8, 0x80], 3],
    ["zero words behind it", [0x65, 7, 8, 0x80, 0, 0, 3, 0, 0, 3], 3],
    ["padding", [0x65, 7, 8, 0x80, 0, 0], 3],
    ["nothing but zeros", [0, 0, 0], 0],
    ["nothing", [], 0],
  ])("leaves out %s", (_what, bytes, end) => {
    expect(endOfSliceData(Uint8Array.from(bytes))).toBe(end);
  });
});
