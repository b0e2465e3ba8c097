import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ByteSource, createMemorySource } from "../media/bytes/byte-source.ts";
import { concatBytes, serializeBox } from "../media/isobmff/box-writer.ts";
import { createVisualEntry } from "../media/isobmff/create-entry.ts";
import { createMovieHeader, createTrackBoxes } from "../media/isobmff/create-track.ts";
import { editOffsetTicks } from "../media/isobmff/edit-offset.ts";
import { readFragments } from "../media/isobmff/fragments.ts";
import { readMovie } from "../media/isobmff/read-movie.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { SampleTableBuilder } from "../media/isobmff/sample-table-builder.ts";
import { serializeMovie } from "../media/isobmff/serialize-movie.ts";
import { scanTopLevelBoxes } from "../media/isobmff/top-level.ts";
import { type EncodedSpan, joinSpans } from "./join-spans.ts";
import { packTicks } from "./packed-ticks.ts";

const TIMESCALE = 1000;

/** An MP4 file whose pictures are shown in the order of `ranks`, all of them told apart by their bytes. */
function makeSpan(ranks: readonly number[], firstByte: number, bitRate = 0): ByteSource {
  const payload = Uint8Array.from(ranks.flatMap((_rank, index) => new Array<number>(3).fill(firstByte + index)));
  const children = [
    { type: "vpcC", payload: Uint8Array.of(1, 2, 3) },
    { type: "btrt", payload: Uint8Array.of(0, 0, 0, bitRate) },
  ];
  const mdat = serializeBox("mdat", payload);
  const builder = new SampleTableBuilder(ranks.length);
  builder.startChunk(8, 1);
  for (const [index, rank] of ranks.entries()) builder.addSample(3, 40, (rank - index) * 40 + 400, index === 0);
  const movie = serializeMovie({
    timescale: TIMESCALE,
    movieHeader: createMovieHeader(TIMESCALE, 2),
    isFragmented: false,
    tracks: [
      {
        trackId: 1,
        handlerType: "vide",
        timescale: TIMESCALE,
        sampleEntries: [createVisualEntry({ format: "vp09", widthPixels: 16, heightPixels: 16, children })],
        samples: builder.build(),
        edits: [{ durationTicks: 0, mediaTimeTicks: 400, rate: 1 }],
        boxes: createTrackBoxes({ trackId: 1, handlerType: "vide", timescale: TIMESCALE }),
      },
    ],
  });
  return createMemorySource(concatBytes([mdat, movie]));
}

const withTicks = (source: ByteSource, ticks: readonly number[]): EncodedSpan => ({
  source,
  packedTicks: packTicks(ticks),
});

/** Pictures of a file by the byte that they are made of: when they are shown, and decoded. */
function readPictures(file: Uint8Array): { byte: number; shown: number; decoded: number }[] {
  const source = createMemorySource(file);
  const boxes = scanTopLevelBoxes(source);
  const box = boxes.find(({ type }) => type === "moov");
  if (box === undefined) throw new Error("The file has no movie.");
  const movie = readMovie(source, box);
  const { tracks, findings } = readFragments(source, boxes, movie);
  const [track] = movie.tracks;
  const [fragmented] = tracks;
  if (track === undefined || fragmented === undefined) throw new Error("The file has no track.");
  expect(findings).toEqual([]);
  expect(fragmented.firstDecodeTimeTicks).toBe(0);
  const start = editOffsetTicks(track, movie.timescale);
  const pictures: { byte: number; shown: number; decoded: number }[] = [];
  let decoded = 0;
  forEachSample(fragmented.samples, (_index, offset, sizeBytes, durationTicks, compositionTicks) => {
    expect(new Set(file.subarray(offset, offset + sizeBytes)).size).toBe(1);
    pictures.push({ byte: file[offset] as number, shown: decoded + compositionTicks - start, decoded });
    decoded += durationTicks;
  });
  return pictures;
}

const order = fc
  .integer({ min: 1, max: 30 })
  .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }));

describe("joinSpans", () => {
  it("shows each picture when the source does, whatever the order of decoding", () => {
    const step = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(
        fc.array(order, { minLength: 1, maxLength: 4 }),
        fc.array(step, { minLength: 120 }),
        fc.nat(500),
        (orders, steps, late) => {
          let at = 1000 + late;
          let next = 0;
          let firstByte = 0;
          const wanted = new Map<number, number>();
          const spans = orders.map((ranks) => {
            const ticks = ranks.map(() => (at += steps[next++] as number));
            for (const [index, rank] of ranks.entries()) wanted.set(firstByte + index, (ticks[rank] as number) - 1000);
            const source = makeSpan(ranks, firstByte, orders.length);
            firstByte += ranks.length;
            return withTicks(source, ticks);
          });
          const pieces = joinSpans(spans, { timescale: 90_000, originTicks: 1000, lastDurationTicks: 7 });
          const pictures = readPictures(concatBytes([...pieces]));
          expect(pictures.map(({ byte, shown }) => [byte, shown])).toEqual([...wanted]);
          const decoded = pictures.map((picture) => picture.decoded);
          expect(decoded).toEqual([...decoded].sort((a, b) => a - b));
        },
      ),
    );
  });

  it("refuses spans of another length or configuration", () => {
    const times = { timescale: 1000, originTicks: 0, lastDurationTicks: 40 };
    const join = (spans: Parameters<typeof joinSpans>[0]) => [...joinSpans(spans, times)];
    expect(() => join([withTicks(makeSpan([0, 1], 0), [0, 40, 80])])).toThrow("Span 1 holds 2 pictures, not the 3");
    const other = createMemorySource(new Uint8Array(100));
    expect(() => join([withTicks(other, [])])).toThrow("no picture of a span");
  });

  it("adds boxes that the encoder did not write, and drops bit rates", () => {
    const spans = [withTicks(makeSpan([0], 0, 1), [0]), withTicks(makeSpan([0], 1, 2), [40])];
    const extra = [
      { type: "clli", payload: Uint8Array.of(1, 2, 3, 4) },
      { type: "vpcC", payload: Uint8Array.of(9) },
    ];
    const file = concatBytes([
      ...joinSpans(spans, { timescale: 1000, originTicks: 0, lastDurationTicks: 40 }, { extra }),
    ]);
    const source = createMemorySource(file);
    const box = scanTopLevelBoxes(source).find(({ type }) => type === "moov");
    const entry = box && readMovie(source, box).tracks[0]?.sampleEntries[0];
    expect([...(entry?.children ?? [])]).toEqual([
      ["clli", Uint8Array.of(1, 2, 3, 4)],
      ["vpcC", Uint8Array.of(1, 2, 3)],
    ]);
  });
});
