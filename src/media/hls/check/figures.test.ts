import { describe, expect, it } from "vitest";
import { actualDuration, bitRatesOf, frameRateOf } from "./figures.ts";
import { type SegmentContent, SpanBuilder } from "./measure.ts";
import { playlistOf } from "./playlist-of.fixture.ts";

/** A segment of a transport stream, whose frames tell no durations. */
function pictures(startSeconds: number, frameSeconds: number, count: number): SegmentContent {
  const span = new SpanBuilder("video");
  for (let frame = 0; frame < count; frame++) {
    const seconds = startSeconds + frame * frameSeconds;
    span.add(seconds, seconds, undefined, frame === 0);
  }
  const spans = [span.finish()].filter((one) => one !== undefined);
  return { container: "mpegts", tracks: [], spans, continuityFaults: [] };
}

describe("bit rates of a playlist", () => {
  it("peak over contiguous segments of half to one and a half target durations", () => {
    // The last segment alone has 1600 bit/s, but lasts too short to count alone; with the one before it has 480.
    const rates = bitRatesOf(
      playlistOf(6, [
        [6, 300],
        [6, 150],
        [1, 200],
        [1, 10],
      ]),
    );
    expect(rates?.peak).toBeCloseTo(400, 6);
    expect(rates?.average).toBeCloseTo((8 * 660) / 14, 6);
    expect(
      bitRatesOf(
        playlistOf(6, [
          [2, 100],
          [2, 500],
          [2, 100],
        ]),
      )?.peak,
    ).toBeCloseTo((8 * 600) / 4, 6);
  });

  it("may peak below the average: what is too short, and with its neighbour too long, counts in no peak", () => {
    // As sound has it, in whole frames, beside pictures of 6 s and 3 s.
    const sound = playlistOf(6, [
      [6.013, 6013],
      [2.99, 29_900],
    ]);
    const rates = bitRatesOf(sound);
    expect(rates?.peak).toBeCloseTo(8000, 6);
    expect(rates?.average).toBeCloseTo((8 * 35_913) / 9.003, 6);
  });

  it("are the average where nothing lasts long enough, and unknown where a size is", () => {
    expect(bitRatesOf(playlistOf(6, [[1, 100]]))).toEqual({ peak: 800, average: 800 });
    expect(bitRatesOf(playlistOf(6, [[6, undefined]]))).toBeUndefined();
    expect(bitRatesOf(playlistOf(6, [[0, 100]]))).toBeUndefined();
  });

  it("are left unknown where hostile playlists would take for ever", () => {
    expect(
      bitRatesOf(
        playlistOf(
          6,
          Array.from({ length: 20_000 }, () => [1e-6, 1] as const),
        ),
      ),
    ).toBeUndefined();
  });
});

describe("a transport stream's figures", () => {
  const media = playlistOf(6, [
    [6, 1, pictures(10, 0.04, 150)],
    [2, 1, pictures(16, 0.04, 50)],
  ]);

  it("tell durations by where the next segment begins, and of the last by its frames", () => {
    const [first, second] = media.segments;
    expect(first && actualDuration(media, first)).toBeCloseTo(6, 9);
    expect(second && actualDuration(media, second)).toBeCloseTo(2, 9);
  });

  it("tell the frame rate", () => {
    const rate = frameRateOf(media);
    expect(rate?.average).toBeCloseTo(25, 9);
    expect(rate?.isConstant).toBe(true);
  });
});

describe("pictures of variable length", () => {
  it("have an average rate, and none larger in less than a second", () => {
    const span = new SpanBuilder("video");
    let seconds = 0;
    for (const frameSeconds of [0.02, 0.04, 0.06, 0.08]) {
      span.add(seconds, seconds, frameSeconds, seconds === 0);
      seconds += frameSeconds;
    }
    const spans = [span.finish()].filter((one) => one !== undefined);
    const content: SegmentContent = { container: "fmp4", tracks: [], spans, continuityFaults: [] };
    const rate = frameRateOf(playlistOf(6, [[0.2, 1, content]]));
    expect(rate?.isConstant).toBe(false);
    expect(rate?.average).toBeCloseTo(20, 9);
    expect(rate?.largest).toBeCloseTo(20, 9);
  });
});

describe("a last picture shorter than all others", () => {
  const pictures = (frames: readonly number[], start: number): SegmentContent => {
    const span = new SpanBuilder("video");
    let seconds = start;
    for (const frameSeconds of frames) {
      span.add(seconds, seconds, frameSeconds, seconds === start);
      seconds += frameSeconds;
    }
    const spans = [span.finish()].filter((one) => one !== undefined);
    return { container: "fmp4", tracks: [], spans, continuityFaults: [] };
  };

  it("is no rate", () => {
    const media = playlistOf(6, [
      [0.2, 1, pictures([0.04, 0.04, 0.04, 0.04, 0.04], 0)],
      [0.086, 1, pictures([0.04, 0.04, 0.006], 0.2)],
    ]);
    expect(frameRateOf(media)).toMatchObject({ isConstant: true });
    expect(frameRateOf(media)?.average).toBeCloseTo(25, 9);
  });

  it("is one where another segment follows, and where it is alone", () => {
    const media = playlistOf(6, [
      [0.086, 1, pictures([0.04, 0.04, 0.006], 0)],
      [0.04, 1, pictures([0.04], 0.086)],
    ]);
    expect(frameRateOf(media)?.isConstant).toBe(false);
    expect(frameRateOf(playlistOf(6, [[0.006, 1, pictures([0.006], 0)]]))?.average).toBeCloseTo(1 / 0.006, 9);
  });
});
