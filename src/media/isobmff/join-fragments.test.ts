import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type ByteSource, createMemorySource } from "../bytes/byte-source.ts";
import { concatBytes, serializeBox } from "./box-writer.ts";
import { createVisualEntry } from "./create-entry.ts";
import { createMovieHeader, createTrackBoxes } from "./create-track.ts";
import { readFragmentSamples } from "./fragment-samples.ts";
import { indexFragments } from "./index-fragments.ts";
import { canJoin, joinFragments, type OpenPart } from "./join-fragments.ts";
import { readMovie } from "./read-movie.ts";
import { SampleTableBuilder } from "./sample-table-builder.ts";
import { serializeFragmentedMovie, serializeFragmentHead } from "./serialize-fragments.ts";
import { scanTopLevelBoxes } from "./top-level.ts";

const TIMESCALE = 90_000;
const STEP = 3000;

interface SpanFile {
  /** Samples of each fragment. */
  readonly fragments: readonly number[];
  readonly lateTicks: number;
  /** Of `btrt`, and of the decoder's configuration. */
  readonly bitRate?: number;
  readonly profile?: number;
}

/** Fragments from decode time 0 on, delayed by an edit list; each sample is one byte, `firstByte` and so on. */
function makeSpan({ fragments, lateTicks, bitRate = 0, profile = 1 }: SpanFile, firstByte = 0): ByteSource {
  const children = [
    { type: "vpcC", payload: Uint8Array.of(profile) },
    { type: "btrt", payload: Uint8Array.of(bitRate) },
  ];
  const delay = { durationTicks: lateTicks, mediaTimeTicks: -1, rate: 1 };
  const moov = serializeFragmentedMovie({
    timescale: TIMESCALE,
    movieHeader: createMovieHeader(TIMESCALE, 2),
    isFragmented: true,
    tracks: [
      {
        trackId: 1,
        handlerType: "vide",
        timescale: TIMESCALE,
        sampleEntries: [createVisualEntry({ format: "vp09", widthPixels: 16, heightPixels: 16, children })],
        samples: new SampleTableBuilder(0).build(),
        edits: lateTicks === 0 ? [] : [delay, { durationTicks: 0, mediaTimeTicks: 0, rate: 1 }],
        boxes: createTrackBoxes({ trackId: 1, handlerType: "vide", timescale: TIMESCALE }),
      },
    ],
  });
  let sample = 0;
  const media = fragments.flatMap((count, index) => {
    const decodeTicks = sample * STEP;
    const head = serializeFragmentHead({
      ...{ sequenceNumber: index + 1, trackId: 1, decodeTicks },
      durations: new Uint32Array(count).fill(STEP),
      sizes: new Uint32Array(count).fill(1),
      isSync: Uint8Array.from({ length: count }, (_, at) => Number(at === 0)),
      compositionOffsets: new Int32Array(count),
    });
    const bytes = Uint8Array.from({ length: count }, (_, at) => firstByte + sample + at);
    sample += count;
    return [head, bytes];
  });
  return createMemorySource(concatBytes([serializeBox("ftyp", new Uint8Array(8)), moov, ...media]));
}

/** How many of the files that were opened have not been closed. */
let openCount = 0;

function openersOf(sources: readonly ByteSource[]): readonly (() => OpenPart)[] {
  return sources.map((source) => () => {
    openCount++;
    return { ...source, close: () => void openCount-- };
  });
}

function join(sources: readonly ByteSource[]): ByteSource {
  return createMemorySource(concatBytes(Array.from(joinFragments(openersOf(sources)), (piece) => piece.slice())));
}

afterEach(() => expect(openCount).toBe(0));

/** Where a fragment is not decoded when the one before it ends. */
function decodeGaps(source: ByteSource): readonly string[] {
  const boxes = scanTopLevelBoxes(source);
  const moov = boxes.find(({ type }) => type === "moov");
  if (moov === undefined) throw new Error("The file has no moov.");
  const movie = readMovie(source, moov);
  let due = 0;
  return boxes
    .filter(({ type }) => type === "moof")
    .flatMap((moof) => {
      const samples = readFragmentSamples(source, moof, movie);
      const begun = samples[0]?.decodeTicks ?? Number.NaN;
      const found = begun === due ? [] : [`${begun}, not ${due}`];
      due = begun + samples.reduce((sum, { durationTicks }) => sum + durationTicks, 0);
      return found;
    });
}

describe("joinFragments", () => {
  it("keeps every sample at the time that its file's edit list gave it", () => {
    const counts = fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(counts, fc.nat(7), (spans, gap) => {
        let at = 0;
        let firstByte = 0;
        const wanted: number[] = [];
        const sources = spans.map((fragments, index) => {
          const count = fragments.reduce((sum, samples) => sum + samples, 0);
          for (let sample = 0; sample < count; sample++) wanted.push(at + sample * STEP);
          const source = makeSpan({ fragments, lateTicks: at, bitRate: index }, firstByte);
          at += count * STEP + gap;
          firstByte += count;
          return source;
        });
        const joined = join(sources);
        const shown: number[] = [];
        const index = indexFragments(joined, (ticks) => shown.push(...ticks));
        expect(shown).toEqual(wanted);
        // What lies between two files belongs to the last picture of the first.
        expect(decodeGaps(joined)).toEqual([]);
        expect(index.fragments).toHaveLength(spans.flat().length);
        const media = scanTopLevelBoxes(joined).filter(({ type }) => type === "mdat");
        const bytes = media.flatMap(({ offsetBytes, sizeBytes }) => {
          const payload = new Uint8Array(sizeBytes - 8);
          joined.read(offsetBytes + 8, payload);
          return Array.from(payload);
        });
        expect(bytes).toEqual(Array.from({ length: firstByte }, (_, byte) => byte));
      }),
    );
  });

  it("numbers fragments through, in one initialization", () => {
    const joined = join([
      makeSpan({ fragments: [1, 1], lateTicks: 0 }),
      makeSpan({ fragments: [1, 1], lateTicks: 2 * STEP }),
    ]);
    const boxes = scanTopLevelBoxes(joined);
    expect(boxes.map(({ type }) => type).join(" ")).toBe("ftyp moov moof mdat moof mdat moof mdat moof mdat");
    const numbers = boxes
      .filter(({ type }) => type === "moof")
      .map(({ offsetBytes }) => {
        const moof = new Uint8Array(24);
        joined.read(offsetBytes, moof);
        return new DataView(moof.buffer).getUint32(20);
      });
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ["other parameters", { fragments: [1], lateTicks: STEP, profile: 2 }, "OUTPUT_NOT_VERIFIED"],
    ["a time that 32 bits do not hold", { fragments: [1], lateTicks: 2 ** 32 }, "MEDIA_MALFORMED"],
  ])("refuses %s", (_name, second: SpanFile, code) => {
    const sources = [makeSpan({ fragments: [1], lateTicks: 0 }), makeSpan(second)];
    expect(() => join(sources)).toThrow(expect.objectContaining({ code }));
  });

  it("tells beforehand of files that do not fit together", () => {
    const first = makeSpan({ fragments: [1], lateTicks: 0 });
    const fits = (second: SpanFile): boolean => canJoin(openersOf([first, makeSpan(second)]));
    expect(fits({ fragments: [2], lateTicks: STEP, bitRate: 9 })).toBe(true);
    expect(fits({ fragments: [1], lateTicks: STEP, profile: 2 })).toBe(false);
    expect(fits({ fragments: [], lateTicks: STEP })).toBe(false);
  });

  it("refuses a first file that begins late", () => {
    expect(() => join([makeSpan({ fragments: [1], lateTicks: STEP })])).toThrow(/begins 3000 ticks late/);
  });
});
