import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPcmEntry, createSoundEntry, createVisualEntry } from "./create-entry.ts";
import { createMovieHeader, createTrackBoxes } from "./create-track.ts";
import type { Movie, SampleTable, Track } from "./movie.ts";
import { parseMovie } from "./parse-movie.ts";
import { createConstantSizeTable, createSampleTable } from "./sample-table.fixture.ts";
import { forEachChunk, forEachSample } from "./sample-table.ts";
import { serializeMovie } from "./serialize-movie.ts";
import { samplesWithin, truncateSampleTable } from "./truncate-sample-table.ts";

/** One row per sample: size, duration, composition offset, sync, gap before, description. */
const rows = fc.array(
  fc.record({
    sizeBytes: fc.nat(0xffff_ffff),
    durationTicks: fc.oneof(fc.constantFrom(512, 513), fc.nat(0xffff_ffff)),
    offsetTicks: fc.oneof(fc.constantFrom(0, 512), fc.integer()),
    isSync: fc.nat(1),
    gapBytes: fc.constantFrom(0, 0, 0, 7, 2 ** 33),
    descriptionIndex: fc.constantFrom(1, 1, 1, 2),
  }),
  { maxLength: 40 },
);
type Rows = typeof rows extends fc.Arbitrary<infer T> ? T : never;

function columnsOf(samples: Rows) {
  let end = 48;
  const offsets = samples.map((sample) => {
    const offset = end + sample.gapBytes;
    end = offset + sample.sizeBytes;
    return offset;
  });
  return {
    offsets,
    sizes: samples.map((sample) => sample.sizeBytes),
    durations: samples.map((sample) => sample.durationTicks),
    compositionOffsets: samples.map((sample) => sample.offsetTicks),
    isSync: samples.map((sample) => sample.isSync),
    descriptionIndexes: samples.map((sample) => sample.descriptionIndex),
  };
}

function trackOf(trackId: number, samples: SampleTable, changes: Partial<Track> = {}): Track {
  const size = { widthPixels: 64, heightPixels: 48 };
  const entry = createVisualEntry({ format: "apch", ...size });
  const boxes = createTrackBoxes({ trackId, handlerType: "vide", timescale: 12_800, ...size });
  const fixed = { trackId, handlerType: "vide", timescale: 12_800, sampleEntries: [entry, entry] };
  return { ...fixed, samples, edits: [], boxes, ...changes };
}

function movieOf(tracks: readonly Track[]): Movie {
  return { timescale: 600, tracks, movieHeader: createMovieHeader(600, 1), isFragmented: false };
}

describe("a movie", () => {
  it("comes back exactly from any table, by 32- and 64-bit offsets alike", () => {
    const edit = fc.record({
      durationTicks: fc.integer({ min: 1, max: 2 ** 40 }),
      mediaTimeTicks: fc.nat(),
      rate: fc.constant(1),
    });
    fc.assert(
      fc.property(rows, rows, fc.array(edit, { maxLength: 3 }), (first, second, edits) => {
        const movie = movieOf([
          trackOf(1, createSampleTable(columnsOf(first)), { edits }),
          trackOf(7, createSampleTable(columnsOf(second))),
        ]);
        const bytes = serializeMovie(movie);
        const back = parseMovie(bytes);
        expect(back.tracks.map(({ samples }) => samples)).toEqual(movie.tracks.map(({ samples }) => samples));
        expect(back.tracks.map((track) => track.edits)).toEqual([edits, []]);
        expect(back.tracks.map((track) => track.sampleEntries)).toEqual(movie.tracks.map((t) => t.sampleEntries));
        expect(back.tracks.map((track) => [...track.boxes.keys()])).toEqual(
          movie.tracks.map((t) => [...t.boxes.keys()]),
        );
        expect(back.problems).toBeUndefined();
        expect(serializeMovie(back)).toEqual(bytes);
      }),
    );
  });

  it("visits samples with the values they were made of", () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const columns = columnsOf(samples);
        const table = createSampleTable(columns);
        const seen: unknown[] = [];
        const chunkOf: number[] = [];
        forEachSample(table, (sample, offset, size, duration, composition, isSync, chunk) => {
          seen.push([sample, offset, size, duration, composition, isSync ? 1 : 0]);
          chunkOf.push(chunk);
        });
        const offsets = columns.offsets;
        expect(seen).toEqual(
          samples.map((s, i) => [i, offsets[i], s.sizeBytes, s.durationTicks, s.offsetTicks, s.isSync]),
        );
        let next = 0;
        forEachChunk(table, (chunk, first, count, offset, _size, startTicks, descriptionIndex) => {
          expect([first, offset, chunkOf[first]]).toEqual([next, offsets[first], chunk]);
          expect(startTicks).toBe(columns.durations.slice(0, first).reduce((a, b) => a + b, 0));
          expect(descriptionIndex).toBe(columns.descriptionIndexes[first]);
          next += count;
        });
        expect(next).toBe(samples.length);
      }),
    );
  });

  it("truncates to any count as if the rest had never been", () => {
    fc.assert(
      fc.property(rows, fc.nat(40), (samples, count) => {
        const whole = createSampleTable(columnsOf(samples));
        expect(truncateSampleTable(whole, count)).toEqual(createSampleTable(columnsOf(samples.slice(0, count))));
        const columns = columnsOf(samples.slice(0, count));
        const end = (columns.offsets.at(-1) ?? 0) + (columns.sizes.at(-1) ?? 0);
        const kept = samplesWithin(whole, end);
        expect(kept).toBeGreaterThanOrEqual(Math.min(count, samples.length));
      }),
    );
  });

  it("holds billions of PCM frames without allocating for each", () => {
    const chunks = { chunkOffsets: Float64Array.of(48, 2 ** 40), chunkSampleCounts: Uint32Array.of(2 ** 31, 2 ** 30) };
    const samples = createConstantSizeTable({ ...chunks, sampleSizeBytes: 4, sampleDurationTicks: 1 });
    const pcm = { format: "sowt", channelCount: 2, sampleRateHz: 48_000, sampleSizeBits: 16 } as const;
    const track = trackOf(1, samples, { handlerType: "soun", timescale: 48_000, sampleEntries: [createPcmEntry(pcm)] });
    const bytes = serializeMovie(movieOf([track]));
    expect(bytes.length).toBeLessThan(1000);
    expect(parseMovie(bytes).tracks[0]?.samples).toEqual(samples);
  });

  it("writes what players need: dates 0, durations, the next track ID, version 1 beyond 32 bits", () => {
    const columns = { offsets: [48], sizes: [1], durations: [0xffff_ffff] };
    const short = movieOf([trackOf(3, createSampleTable(columns), { timescale: 1_000_000 })]);
    const view = new DataView(serializeMovie(short).buffer);
    expect(view.getUint32(8 + 12)).toBe(0);
    expect(view.getUint32(8 + 24)).toBe(Math.ceil((0xffff_ffff * 600) / 1_000_000));
    expect(view.getUint32(8 + 104)).toBe(4);
    const long = serializeMovie(movieOf([trackOf(3, createSampleTable(columns), { timescale: 1 })]));
    expect(long[16]).toBe(1);
  });

  it("closes an edit of duration 0 at the end of the media", () => {
    const table = createSampleTable({ offsets: [48, 49], sizes: [1, 1], durations: [12_800, 12_800] });
    const edits = [{ durationTicks: 0, mediaTimeTicks: 6400, rate: 1 }];
    const back = parseMovie(serializeMovie(movieOf([trackOf(1, table, { edits })])));
    expect(back.tracks[0]?.edits).toEqual([{ durationTicks: 900, mediaTimeTicks: 6400, rate: 1 }]);
  });

  it("is refused with INTERNAL where sums disagree or IDs repeat", () => {
    const table = createSampleTable({ offsets: [48, 49], sizes: [1, 1], durations: [1, 1] });
    const broken: readonly [Partial<SampleTable>, RegExp][] = [
      [{ durationRuns: Uint32Array.of(1, 1) }, /sum of stts counts is 1, not 2/],
      [{ chunkSampleCounts: Uint32Array.of(3) }, /sum of chunk counts is 3, not 2/],
      [{ sizes: Uint32Array.of(1) }, /number of sizes is 1, not 2/],
      [{ syncSamples: Uint32Array.of(1, 1) }, /sync sample 1 stands after 1/],
      [{ compositionRuns: Int32Array.of(3, 1) }, /sum of ctts counts is 3, not 2/],
    ];
    for (const [change, message] of broken) {
      expect(() => serializeMovie(movieOf([trackOf(1, { ...table, ...change })]))).toThrow(message);
    }
    expect(() => serializeMovie(movieOf([trackOf(1, table), trackOf(1, table)]))).toThrow(/unique/);
  });

  it("hands unknown boxes on, several of one path too, and drops what no longer fits", () => {
    const table = createSampleTable({ offsets: [48, 49], sizes: [1, 1], durations: [1, 1] });
    const boxes = new Map(trackOf(1, table).boxes);
    const sgpd = Uint8Array.of(0, 0, 0, 12, 0x73, 0x67, 0x70, 0x64, 1, 2, 3, 4);
    boxes.set("mdia/minf/stbl/sgpd", Uint8Array.of(...sgpd, ...sgpd));
    boxes.set("mdia/minf/stbl/sdtp", Uint8Array.of(0, 0, 0, 14, 0x73, 0x64, 0x74, 0x70, 0, 0, 0, 0, 8, 8));
    const movie = movieOf([trackOf(1, table, { boxes })]);
    const back = parseMovie(serializeMovie(movie)).tracks[0];
    expect(back?.boxes).toEqual(parseMovie(serializeMovie(movie)).tracks[0]?.boxes);
    expect(back?.boxes.get("mdia/minf/stbl/sgpd")).toHaveLength(24);
    expect(back?.boxes.get("mdia/minf/stbl/sdtp")).toHaveLength(14);
    const shorter = movieOf([trackOf(1, truncateSampleTable(table, 1), { boxes })]);
    expect(parseMovie(serializeMovie(shorter)).tracks[0]?.boxes.has("mdia/minf/stbl/sdtp")).toBe(false);
  });

  it("makes the boxes that a track lacks", () => {
    const table = createSampleTable({ offsets: [48], sizes: [1], durations: [1] });
    const entry = createSoundEntry({ format: ".mp3", channelCount: 2, sampleRateHz: 44_100 });
    const bare = trackOf(1, table, { handlerType: "soun", sampleEntries: [entry], boxes: new Map() });
    const back = parseMovie(serializeMovie(movieOf([bare]))).tracks[0];
    expect(back?.handlerType).toBe("soun");
    expect([...(back?.boxes.keys() ?? [])]).toContain("mdia/minf/smhd");
  });
});
