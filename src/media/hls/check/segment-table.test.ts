import fc from "fast-check";
import { expect, it } from "vitest";
import type { SegmentContent, TrackSpan } from "./measure.ts";
import { SegmentTable } from "./segment-table.ts";

const seconds = fc.double({ noNaN: true, min: -1, max: 1e6 });
const span: fc.Arbitrary<TrackSpan> = fc.record({
  kind: fc.constantFrom("video", "audio"),
  startSeconds: seconds,
  endSeconds: seconds,
  decodeStartSeconds: seconds,
  decodeEndSeconds: fc.option(seconds, { nil: undefined }),
  sampleCount: fc.nat(),
  minFrameSeconds: seconds,
  maxFrameSeconds: seconds,
  lastFrameSeconds: seconds,
  maxFramesInSecond: fc.nat(),
  keyFrameSeconds: fc.array(seconds, { maxLength: 3 }),
  startFault: fc.constantFrom(undefined, "no IDR"),
});
const content: fc.Arbitrary<SegmentContent> = fc.record(
  {
    container: fc.constantFrom("fmp4", "mpegts", "webvtt"),
    tracks: fc.constantFrom([], [{ kind: "audio", codec: "mp4a.40.2", channelCount: 2 } as const]),
    spans: fc.array(span, { maxLength: 2 }),
    continuityFaults: fc.array(fc.constantFrom("a jump", "another"), { maxLength: 2 }),
    hasTimestampMap: fc.boolean(),
    iFrameFault: fc.constant("it holds no picture"),
  },
  { requiredKeys: ["container", "tracks", "spans", "continuityFaults"] },
);
const key = fc.record({ method: fc.constant("AES-128"), uri: fc.constantFrom("a", "b") });
const pushed = fc.record({
  segment: fc.record({
    durationSeconds: seconds,
    isDiscontinuity: fc.boolean(),
    isGap: fc.boolean(),
    keys: fc.array(key, { maxLength: 2 }),
  }),
  sizeBytes: fc.option(fc.nat(), { nil: undefined }),
  content: fc.option(content, { nil: undefined }),
});

it("gives every segment again as it was measured", () => {
  fc.assert(
    fc.property(fc.array(pushed, { maxLength: 12 }), (list) => {
      const table = new SegmentTable();
      for (const { segment, sizeBytes, content: measured } of list) table.push(segment, sizeBytes, measured);
      expect(table.length).toBe(list.length);
      expect([...table]).toEqual(list.map((one, index) => ({ ...one, index })));
      expect([table.at(-1), table.at(list.length)]).toEqual([undefined, undefined]);
    }),
  );
});
