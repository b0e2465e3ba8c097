import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { concatBytes, FieldWriter, serializeBox, serializeFullBox } from "./box-writer.ts";
import { createPcmEntry, createVisualEntry } from "./create-entry.ts";
import { createMovieHeader, createTrackBoxes } from "./create-track.ts";
import { readFragments } from "./fragments.ts";
import type { Movie, SampleEntry } from "./movie.ts";
import { createSampleTable } from "./sample-table.fixture.ts";
import { serializeTfdt } from "./tfdt.ts";
import { serializeTfhd } from "./tfhd.ts";
import { scanTopLevelBoxes } from "./top-level.ts";
import { serializeTrun } from "./trun.ts";

const NON_SYNC = 0x1_0000;
const FTYP = serializeBox("ftyp", new TextEncoder().encode("isom\0\0\0\0"));

function movieOf(handlerType = "vide", entry: SampleEntry = videoEntry()): Movie {
  const boxes = createTrackBoxes({ trackId: 1, handlerType, timescale: 1000 });
  const samples = createSampleTable({ offsets: [], sizes: [], durations: [] });
  const track = { trackId: 1, handlerType, timescale: 1000, sampleEntries: [entry], samples, edits: [], boxes };
  const defaults = { descriptionIndex: 1, durationTicks: 40, sizeBytes: 0, sampleFlags: NON_SYNC };
  const movieHeader = createMovieHeader(1000, 2);
  const fragmentDefaults = new Map([[1, defaults]]);
  return { timescale: 1000, tracks: [track], movieHeader, isFragmented: true, fragmentDefaults };
}

function videoEntry(): SampleEntry {
  return createVisualEntry({ format: "apch", widthPixels: 16, heightPixels: 16 });
}

/** A moof of one run, and its mdat. */
function fragment(baseDecodeTimeTicks: number, sizes: readonly number[], trackId = 1): Uint8Array {
  const build = (dataOffsetBytes: number) => {
    const sequence = new FieldWriter(4);
    sequence.u32(1);
    const run = { sampleCount: sizes.length, dataOffsetBytes, firstSampleFlags: 0, sizes: Uint32Array.from(sizes) };
    const tfhd = serializeTfhd({ trackId, isDurationEmpty: false, isBaseMoof: true });
    const traf = serializeBox("traf", tfhd, serializeTfdt(baseDecodeTimeTicks), serializeTrun(run));
    return serializeBox("moof", serializeFullBox("mfhd", 0, 0, sequence.finish()), traf);
  };
  const total = sizes.reduce((a, b) => a + b, 0);
  return concatBytes([build(build(0).length + 8), serializeBox("mdat", new Uint8Array(total).fill(7))]);
}

function read(bytes: Uint8Array, movie = movieOf()) {
  const source = createMemorySource(bytes);
  const reading = readFragments(source, scanTopLevelBoxes(source), movie);
  const samples = reading.tracks[0]?.samples;
  if (samples === undefined) throw new Error("no track");
  return { ...reading, samples };
}

describe("readFragments", () => {
  const first = fragment(500, [10, 20, 30]);
  const second = fragment(620, [5, 5]);
  const third = fragment(1000, [8]);

  it("joins fragments, one chunk per run, and keeps the gap in time", () => {
    const { samples, tracks, findings, fragmentCount } = read(concatBytes([FTYP, first, second, third]));
    expect([fragmentCount, findings, tracks[0]?.firstDecodeTimeTicks]).toEqual([3, [], 500]);
    expect([...samples.chunkSampleCounts]).toEqual([3, 2, 1]);
    expect([...samples.durationRuns]).toEqual([4, 40, 1, 340, 1, 40]);
    expect([...(samples.syncSamples ?? [])]).toEqual([0, 3, 5]);
    expect(samples.chunkOffsets[0]).toBe(FTYP.length + first.length - 60);
  });

  it("keeps the whole samples of a last fragment cut short", () => {
    const cut = concatBytes([FTYP, second, first]).subarray(0, FTYP.length + second.length + first.length - 31);
    const { samples, findings } = read(cut);
    expect([...samples.sizes]).toEqual([5, 5, 10]);
    const lost = { kind: "fragment-cut", trackId: 1, byteStart: cut.length - 19, byteEnd: cut.length };
    expect(findings).toMatchObject([lost]);
  });

  it("finds the next fragment behind a hole and says which bytes were none", () => {
    const hole = new Uint8Array(3000);
    const { samples, findings } = read(concatBytes([FTYP, first, hole, second, hole, third]));
    expect([...samples.sizes]).toEqual([10, 20, 30, 5, 5, 8]);
    const start = FTYP.length + first.length;
    const next = start + 3000 + second.length;
    expect(findings).toMatchObject([
      { kind: "hole", byteStart: start, byteEnd: start + 3000 },
      { kind: "hole", byteStart: next, byteEnd: next + 3000 },
    ]);
  });

  it("finds fragments behind a stale size that swallows them", () => {
    const stale = concatBytes([FTYP, first, second]);
    new DataView(stale.buffer).setUint32(FTYP.length + first.length - 68, 0x7fff_ffff);
    expect(read(stale).samples.sampleCount).toBe(5);
  });

  it("skips a broken moof, reports its range, and keeps the clock of the next", () => {
    const broken = second.slice();
    broken.set(new TextEncoder().encode("xxxx"), 8 + 16 + 8 + 4);
    const { samples, findings } = read(concatBytes([FTYP, first, broken, third]));
    expect([...samples.durationRuns]).toEqual([2, 40, 1, 420, 1, 40]);
    const start = FTYP.length + first.length;
    expect(findings).toMatchObject([
      { kind: "fragment-broken", byteStart: start, byteEnd: start + second.length - 18 },
    ]);
    expect(read(concatBytes([FTYP, fragment(0, [1], 9)])).findings).toMatchObject([{ trackId: 9 }]);
  });

  it("does not believe one decode time an hour off, but two", () => {
    const lone = read(concatBytes([FTYP, first, fragment(9_000_000, [5, 5]), fragment(700, [8])]));
    expect([...lone.samples.durationRuns]).toEqual([6, 40]);
    expect(lone.findings).toHaveLength(1);
    const pair = read(concatBytes([FTYP, first, fragment(9_000_000, [5]), fragment(9_000_040, [8])]));
    expect([...pair.samples.durationRuns]).toEqual([3, 40, 1, 9_000_040 - 620 - 40 + 40, 1, 40]);
  });

  it("counts PCM in frames", () => {
    const pcm = createPcmEntry({ format: "sowt", channelCount: 1, sampleRateHz: 1000, sampleSizeBits: 16 });
    const bytes = concatBytes([FTYP, fragment(0, [80, 80]), fragment(80, [40])]);
    const { samples } = read(bytes, movieOf("soun", pcm));
    expect(samples).toMatchObject({ sampleCount: 100, constantSizeBytes: 2 });
    expect([...samples.durationRuns]).toEqual([100, 1]);
    expect([...samples.chunkSampleCounts]).toEqual([80, 20]);
  });

  it("puts samples of the moov first", () => {
    const movie = movieOf();
    const samples = createSampleTable({ offsets: [30], sizes: [3], durations: [500] });
    const tracks = movie.tracks.map((track) => ({ ...track, samples }));
    const reading = read(concatBytes([FTYP, first]), { ...movie, tracks });
    expect([...reading.samples.sizes]).toEqual([3, 10, 20, 30]);
  });

  it("survives any mutation, within the bytes there are", () => {
    const whole = concatBytes([FTYP, first, second, third]);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 255)));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(whole.length), (changes, length) => {
        const bytes = whole.slice();
        for (const [index, value] of changes) bytes[index] = value;
        const { samples } = read(bytes.subarray(0, length));
        expect(samples.sampleCount).toBeLessThanOrEqual(length + 1);
      }),
      { numRuns: 500 },
    );
  });
});
