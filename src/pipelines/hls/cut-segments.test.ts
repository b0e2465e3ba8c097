import fc from "fast-check";
import { expect, it } from "vitest";
import { createFragmentTable, type FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import { cutSegments, iFramePlaylist, segmentPlaylist, targetDuration } from "./cut-segments.ts";

const TIMESCALE = 1000;

/** Fragments of these lengths, each of its length in bytes, the first sample a tenth of it. */
function indexOf(lengthsMs: readonly number[]): FragmentIndex {
  let ticks = 0;
  let bytes = 500;
  const fragments = lengthsMs.map((durationTicks) => {
    const startBytes = bytes;
    const startTicks = ticks;
    bytes += durationTicks;
    ticks += durationTicks;
    const firstSampleEndBytes = startBytes + Math.ceil(durationTicks / 10);
    return { startBytes, endBytes: bytes, firstSampleEndBytes, startTicks, durationTicks };
  });
  return { initializationBytes: 500, timescale: TIMESCALE, fragments: createFragmentTable(fragments) };
}

/** Some as of pictures that are held. */
const length = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 40, max: 2100 }) },
  fc.integer({ min: 2100, max: 20_000 }),
);
const lengths = fc.array(length, { minLength: 1, maxLength: 60 });

it("covers every byte and tick once, in segments of about six seconds", () => {
  fc.assert(
    fc.property(lengths, (lengthsMs) => {
      const index = indexOf(lengthsMs);
      const cuts = [...cutSegments(index, "single-file")];
      expect(cuts.flatMap(({ fragments }) => fragments)).toEqual([...index.fragments]);
      expect(cuts[0]?.startBytes).toBe(500);
      for (const [at, { endBytes }] of cuts.entries()) expect(cuts[at + 1]?.startBytes ?? endBytes).toBe(endBytes);
      const target = targetDuration([index]);
      for (const { fragments } of cuts.filter((cut) => cut.fragments.length > 1)) {
        const ms = fragments.reduce((sum, { durationTicks }) => sum + durationTicks, 0);
        expect(Math.round(ms / TIMESCALE)).toBeLessThanOrEqual(6);
      }
      for (const mode of ["single-file", "separate"] as const) {
        const { segments } = segmentPlaylist(index, mode, target);
        const total = segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
        expect(total).toBeCloseTo(lengthsMs.reduce((sum, ms) => sum + ms, 0) / 1000, 5);
        expect(Math.max(...segments.map(({ durationSeconds }) => Math.round(durationSeconds)))).toBeLessThanOrEqual(
          target,
        );
        expect(iFramePlaylist(index, mode, target).segments.length).toBe(lengthsMs.length);
      }
    }),
  );
});

it("begins another segment before what is held for longer than is left of six seconds", () => {
  const ms = segmentPlaylist(indexOf([2000, 2000, 2000, 2000, 2000, 2600]), "single-file", 6).segments;
  expect(ms.map(({ durationSeconds }) => durationSeconds)).toEqual([6, 4, 2.6]);
});

it("keeps to even six seconds where fragments of two seconds do, whatever rounding does to them", () => {
  const { segments } = segmentPlaylist(
    indexOf(Array.from({ length: 300 }, (_, at) => (at % 2 ? 1998 : 2003))),
    "separate",
    6,
  );
  expect(segments.length).toBe(100);
  expect(segments.every(({ durationSeconds }) => Math.abs(durationSeconds - 6) < 0.01)).toBe(true);
});

it("tells I-frames by ranges of the file that they lie in", () => {
  const index = indexOf([2000, 2000, 2000, 2000]);
  const ranges = (mode: "single-file" | "separate") =>
    iFramePlaylist(index, mode, 6).segments.map(({ uri, byteRange }) => [
      uri,
      byteRange?.offsetBytes,
      byteRange?.lengthBytes,
    ]);
  expect(ranges("single-file").slice(2)).toEqual([
    ["media.mp4", 4500, 200],
    ["media.mp4", 6500, 200],
  ]);
  expect(ranges("separate").slice(2)).toEqual([
    ["segment-00001.m4s", 4000, 200],
    ["segment-00002.m4s", 0, 200],
  ]);
});

it("tells the bit rate of segments that are files of their own, by which nothing else does", () => {
  const index = indexOf([2000, 2000, 2000, 1500]);
  const doubled = {
    ...index,
    fragments: createFragmentTable(
      index.fragments.values().map((one) => ({
        ...one,
        startTicks: one.startTicks / 2,
        durationTicks: one.durationTicks / 2,
      })),
    ),
  };
  const rates = (of: FragmentIndex, mode: "single-file" | "separate") =>
    segmentPlaylist(of, mode, 6).segments.map(({ kilobitsPerSecond }) => kilobitsPerSecond);
  expect(rates(index, "separate")).toEqual([8, 8]);
  expect(rates(doubled, "separate")).toEqual([16]);
  expect(rates(index, "single-file")).toEqual([undefined, undefined]);
  expect(iFramePlaylist(index, "separate", 6).segments.map(({ kilobitsPerSecond }) => kilobitsPerSecond)).toEqual(
    Array(4).fill(undefined),
  );
});
