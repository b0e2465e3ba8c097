import { describe, expect, it } from "vitest";
import { isAvcSlice } from "./nal-unit.ts";

describe("isAvcSlice", () => {
  it("takes IDR and other slices of any reference idc, and nothing else", () => {
    const slices = Array.from({ length: 256 }, (_, header) => header).filter((header) =>
      isAvcSlice(Uint8Array.of(header)),
    );
    expect(slices).toEqual([0x01, 0x05, 0x21, 0x25, 0x41, 0x45, 0x61, 0x65]);
    expect(isAvcSlice(Uint8Array.of())).toBe(false);
  });
});
