import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { PcmLayout } from "../../media/pcm/pcm-layout.ts";
import type { PacketParser } from "./packet-parser.ts";
import { createPcmParser } from "./pcm-parser.ts";

const FRAMES = 6000;
const LAYOUT: PcmLayout = {
  bytesPerFrame: 2,
  bitsPerSample: 16,
  channelCount: 1,
  isFloat: false,
  isBigEndian: false,
  isSigned: true,
};

/** A tone of so many frames, 2 bytes each. */
function toneWindow(): ByteWindow {
  const samples = Int16Array.from({ length: FRAMES }, (_, index) => 8000 * Math.sin(index / 20));
  const bytes = new Uint8Array(samples.buffer);
  const source: ByteSource = {
    sizeBytes: bytes.length,
    read(offset, target) {
      const part = bytes.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    },
  };
  return new ByteWindow(source);
}

function parserOf(trackCount: number): PacketParser {
  return createPcmParser(LAYOUT, 2, [{ value: 1000, count: 50 }], trackCount);
}

function sizesOf(parser: PacketParser, frames: number): number[] {
  const [run] = parser.splitRun(toneWindow(), 0, frames * 2);
  return run?.packets.map(({ sizeBytes }) => sizeBytes / 2) ?? [];
}

describe("createPcmParser", () => {
  it("takes a run of one track whole", () => {
    expect(sizesOf(parserOf(1), 4000)).toEqual([4000]);
  });

  it("cuts a run of equal tracks into what each of them usually writes", () => {
    expect(sizesOf(parserOf(2), 4000)).toEqual([1000, 1000, 1000, 1000]);
    expect(sizesOf(parserOf(2), 1000)).toEqual([1000]);
  });

  it("shares an unusual rest between the tracks", () => {
    expect(sizesOf(parserOf(2), 2600)).toEqual([1000, 1000, 300, 300]);
    expect(sizesOf(parserOf(4), 4400)).toEqual([1000, 1000, 1000, 1000, 100, 100, 100, 100]);
  });

  it("gives what a cut left to the track whose turn it was", () => {
    const place = { from: 0, end: 5200, mayBeCut: true, startBits: () => 0 };
    const run = parserOf(2).findRun?.(toneWindow(), place);
    expect(run?.packets.map(({ sizeBytes }) => sizeBytes / 2)).toEqual([1000, 1000, 600]);
  });
});
