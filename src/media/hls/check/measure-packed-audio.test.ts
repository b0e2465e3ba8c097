import { describe, expect, it } from "vitest";
import { createMemorySource } from "../../bytes/byte-source.ts";
import { createRecentFrames } from "./busiest-second.ts";
import { measureSegment } from "./measure-segment.ts";
import { createTransportStreamState } from "./measure-transport-stream.ts";

const OWNER = "com.apple.streaming.transportStreamTimestamp\0";

/** An ID3 tag with a time stamp of 90 kHz ticks below 2^32. */
function tag(ticks: number): number[] {
  const owner = [...OWNER].map((character) => character.charCodeAt(0));
  const data = [...owner, 0, 0, 0, 0, ticks >>> 24, (ticks >>> 16) & 255, (ticks >>> 8) & 255, ticks & 255];
  const frame = [0x50, 0x52, 0x49, 0x56, 0, 0, 0, data.length, 0, 0, ...data];
  return [0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, frame.length, ...frame];
}

/** An ADTS frame of AAC-LC, 48 kHz, stereo, with two bytes of nothing. */
const FRAME = [0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 0, 0];

function measure(bytes: readonly number[]) {
  const source = createMemorySource(Uint8Array.from(bytes));
  const transportStream = createTransportStreamState();
  const carried = { transportStream, recentFrames: createRecentFrames() };
  const place = { source, startBytes: 0, endBytes: bytes.length, tracks: undefined, ...carried, isIFrame: false };
  return measureSegment(place);
}

describe("packed audio", () => {
  it("is timed by its tag and counted in frames", () => {
    const { container, tracks, spans } = measure([...tag(900_000), ...FRAME, ...FRAME, ...FRAME]);
    expect(container).toBe("packed-audio");
    expect(tracks).toEqual([{ kind: "audio", codec: "mp4a.40.2", channelCount: 2 }]);
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ startSeconds: 10, sampleCount: 3, startFault: undefined });
    expect(spans[0]?.endSeconds).toBeCloseTo(10 + (3 * 1024) / 48_000, 9);
  });

  it("is refused without a time, and where frames do not follow each other", () => {
    expect(() => measure([...FRAME, ...FRAME])).toThrow(/ID3 tag that tells its time/);
    expect(() => measure([...tag(0), ...FRAME, 0, ...FRAME])).toThrow(/No ADTS frame begins at byte/);
  });
});

describe("a segment", () => {
  it("of nothing that HLS carries is refused", () => {
    expect(() => measure([...new Uint8Array(64)])).toThrow(/not MPEG-TS, fragmented MP4, packed audio or WebVTT/);
    expect(() => measure([0x47])).toThrow(/not MPEG-TS/);
  });
});
