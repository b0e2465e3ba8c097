import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { makeClip } from "../clips.fixture.ts";
import { learnProfile } from "../learn/profile.ts";
import { triage } from "../triage.ts";
import type { Candidate, PacketParser } from "./packet-parser.ts";
import { createParser } from "./registry.ts";

/** Pictures with two B-VOPs between references and a key picture every twelve, and the parser for them. */
let samples: readonly Uint8Array[];
let syncSamples: readonly number[];
let displayTicks: readonly number[];
let createMpeg4: () => PacketParser;

beforeAll(() => {
  const source = createMemorySource(makeClip("-an -c:v mpeg4 -bf 2 -g 12 -q:v 5", "mp4", 2));
  const movie = triage(source).movies[0]?.movie;
  const profile = movie && learnProfile(movie, source).tracks[0];
  if (profile === undefined) throw new Error("The clip has no video.");
  samples = [...profile.readSamples(60)];
  syncSamples = [...(profile.track.samples.syncSamples ?? [])];
  const { compositionRuns } = profile.track.samples;
  const offsets = [...(compositionRuns ?? [])].flatMap((value, at, runs) =>
    at % 2 === 0 ? new Array<number>(value).fill(runs[at + 1] as number) : [],
  );
  displayTicks = [...profile.decodeTicks].map((ticks, index) => ticks + (offsets[index] ?? 0));
  createMpeg4 = () => createParser(profile);
});

/** Has the parser find and take the samples one by one; gives what it found and the order it told. */
function follow(parser: PacketParser, parts: readonly Uint8Array[]) {
  const stream = new Uint8Array(Buffer.concat(parts));
  const window = new ByteWindow(createMemorySource(stream));
  let offset = 0;
  return parts.map((part) => {
    const candidate = parser.probe(window, offset, stream.length) as Candidate;
    offset += part.length;
    parser.take(candidate);
    return { sizeBytes: candidate.sizeBytes, isSync: candidate.isSync, order: parser.commit(candidate) };
  });
}

/** Places in presentation order. */
const ranksOf = (values: readonly number[]): number[] => {
  const sorted = values.toSorted((a, b) => a - b);
  return values.map((value) => sorted.indexOf(value));
};

describe("the parser of MPEG-4 part 2", () => {
  it("finds every sample exactly, and its key pictures", () => {
    const found = follow(createMpeg4(), samples);
    expect(found.map(({ sizeBytes }) => sizeBytes)).toEqual(samples.map(({ length }) => length));
    expect(found.flatMap(({ isSync }, index) => (isSync ? [index] : []))).toEqual(syncSamples);
  });

  it("tells by the VOPs' own times in which order they show; one sequence, counted without wrapping", () => {
    const orders = follow(createMpeg4(), samples).map(({ order }) => order);
    expect(ranksOf(orders.map((order) => order?.poc ?? 0))).toEqual(ranksOf(displayTicks));
    expect(orders.map((order) => order?.startsSequence)).toEqual(samples.map((_, index) => index === 0));
    expect(new Set(orders.map((order) => order?.pocModulus))).toEqual(new Set([0]));
  });

  it("knows only the part of a second after lost samples", () => {
    const parser = createMpeg4();
    const before = follow(parser, samples.slice(0, 10));
    parser.reset();
    const after = follow(parser, samples.slice(40, 55)).map(({ order }) => order);
    expect(before.every(({ order }) => order?.pocModulus === 0)).toBe(true);
    expect(new Set(after.map((order) => order?.pocModulus))).toEqual(new Set([30]));
    expect(after.some((order) => order?.startsSequence)).toBe(false);
    expect(ranksOf(after.map((order) => order?.poc ?? 0))).toEqual(ranksOf(displayTicks.slice(40, 55)));
  });
});
