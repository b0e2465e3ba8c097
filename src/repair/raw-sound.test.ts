import { describe, expect, it } from "vitest";
import type { Track } from "../media/isobmff/movie.ts";
import { isRawSound } from "./raw-sound.ts";

/** A track of stereo sound whose samples are all of one size. */
function trackOf(format: string, sampleSizeBits: number, bytesPerFrame: number, constantSizeBytes: number): Track {
  const audio = { version: 0, channelCount: 2, sampleSizeBits, sampleRateHz: 48_000, bytesPerFrame, formatFlags: 0 };
  const samples = {
    sampleCount: 10,
    chunkOffsets: Float64Array.of(0),
    chunkSampleCounts: Uint32Array.of(10),
    constantSizeBytes,
    sizes: new Uint32Array(constantSizeBytes > 0 ? 0 : 10),
    durationRuns: Uint32Array.of(10, 1),
  };
  const entry = { format, raw: new Uint8Array(0), children: new Map<string, Uint8Array>(), audio };
  const shared = { sampleEntries: [entry], edits: [], boxes: new Map<string, Uint8Array>() };
  return { trackId: 1, handlerType: "soun", timescale: 48_000, samples, ...shared };
}

describe("isRawSound", () => {
  it("knows PCM by the size of its frames", () => {
    expect(isRawSound(trackOf("sowt", 16, 4, 4))).toBe(true);
    expect(isRawSound(trackOf("in24", 16, 0, 6))).toBe(true);
    expect(isRawSound(trackOf("lpcm", 20, 5, 5))).toBe(true);
  });

  it("takes no coded sound for it, of equal packets or not", () => {
    expect(isRawSound(trackOf("Opus", 16, 0, 160))).toBe(false);
    expect(isRawSound(trackOf("mp4a", 16, 0, 0))).toBe(false);
    expect(isRawSound(trackOf("sowt", 16, 4, 1024))).toBe(false);
  });
});
