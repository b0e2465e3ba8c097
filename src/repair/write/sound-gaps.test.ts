import { describe, expect, it } from "vitest";
import type { Movie, Track } from "../../media/isobmff/movie.ts";
import { fillSoundGaps, silentFramesOf } from "./sound-gaps.ts";

const RATE_HZ = 48_000;
const FRAME_BYTES = 4;
const GAP_FRAMES = 480;
/** More than silence is written for. */
const TOO_MANY_GAPS = 262_145;

/** 16-bit stereo in pieces of ten frames, with a gap, of 10 ms, behind each but the last. */
function soundWith(gapCount: number, gapFrames = GAP_FRAMES): Track {
  const audio = { version: 0, channelCount: 2, sampleSizeBits: 16, sampleRateHz: RATE_HZ };
  const entry = {
    format: "sowt",
    raw: new Uint8Array(0),
    children: new Map<string, Uint8Array>(),
    audio: { ...audio, bytesPerFrame: FRAME_BYTES, formatFlags: 0 },
  };
  const durationRuns = new Uint32Array(4 * gapCount + 2);
  for (let at = 0; at < 4 * gapCount; at += 4) durationRuns.set([9, 1, 1, 1 + gapFrames], at);
  durationRuns.set([10, 1], 4 * gapCount);
  const sampleCount = 10 * (gapCount + 1);
  const samples = {
    sampleCount,
    chunkOffsets: Float64Array.of(100),
    chunkSampleCounts: Uint32Array.of(sampleCount),
    constantSizeBytes: FRAME_BYTES,
    sizes: new Uint32Array(0),
    durationRuns,
  };
  const shared = { sampleEntries: [entry], edits: [], boxes: new Map<string, Uint8Array>() };
  return { trackId: 1, handlerType: "soun", timescale: RATE_HZ, samples, ...shared };
}

function movieOf(track: Track): Movie {
  return { timescale: 1000, tracks: [track], movieHeader: new Uint8Array(0), isFragmented: false };
}

describe("silence in gaps of raw sound", () => {
  it("is written as it is counted", () => {
    const track = soundWith(3);
    const { movie, silence } = fillSoundGaps(movieOf(track), 10_000);
    expect(silentFramesOf(track)).toBe(3 * GAP_FRAMES);
    expect(movie.tracks[0]?.samples.sampleCount).toBe(track.samples.sampleCount + 3 * GAP_FRAMES);
    expect(silence).toEqual(new Uint8Array(GAP_FRAMES * FRAME_BYTES));
  });

  it("does not stand in slips: they are closed, so that all frames are alike", () => {
    const track = soundWith(3, 5);
    const { movie, silence } = fillSoundGaps(movieOf(track), 10_000);
    expect([...(movie.tracks[0]?.samples.durationRuns ?? [])]).toEqual([track.samples.sampleCount, 1]);
    expect(silence).toHaveLength(0);
    expect(silentFramesOf(track)).toBe(0);
  });

  it("is not counted where there are too many gaps to be filled", () => {
    const track = soundWith(TOO_MANY_GAPS);
    const { movie, silence } = fillSoundGaps(movieOf(track), 10_000_000);
    expect(movie.tracks[0]?.samples.sampleCount).toBe(track.samples.sampleCount);
    expect(silence).toHaveLength(0);
    expect(silentFramesOf(track)).toBe(0);
  });
});
