import { describe, expect, it } from "vitest";
import { interleavedLayout } from "./pcm-layout.ts";
import { silentFrame } from "./silence.ts";

describe("silence", () => {
  it("is the middle of each layout's range", () => {
    expect([...silentFrame(interleavedLayout(16, 2, {}))]).toEqual([0, 0, 0, 0]);
    expect([...silentFrame(interleavedLayout(8, 2, { isSigned: false }))]).toEqual([0x80, 0x80]);
    expect([...silentFrame(interleavedLayout(16, 1, { isSigned: false }))]).toEqual([0, 0x80]);
    expect([...silentFrame(interleavedLayout(16, 1, { isSigned: false, isBigEndian: true }))]).toEqual([0x80, 0]);
    expect([...silentFrame(interleavedLayout(8, 1, {}, "ulaw"))]).toEqual([0xff]);
    expect([...silentFrame(interleavedLayout(8, 1, {}, "alaw"))]).toEqual([0xd5]);
  });
});
