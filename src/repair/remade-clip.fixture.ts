import { createMemorySource } from "../media/bytes/byte-source.ts";
import { serializeBoxHeader } from "../media/isobmff/box-writer.ts";
import type { Movie, Track } from "../media/isobmff/movie.ts";
import { createSampleTable } from "../media/isobmff/sample-table.fixture.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { serializeMovie } from "../media/isobmff/serialize-movie.ts";
import { boxAt } from "./clips.fixture.ts";
import { triage } from "./triage.ts";

/** One sample of a clip. */
export interface ClipSample {
  /** Index of its track in the movie. */
  readonly track: number;
  readonly bytes: Uint8Array;
  readonly durationTicks: number;
  readonly compositionTicks: number;
  readonly isSync: boolean;
}

/** A clip as its movie, whose tables no longer count, and its samples in file order. */
export interface ClipParts {
  readonly ftyp: Uint8Array;
  readonly movie: Movie;
  readonly samples: readonly ClipSample[];
}

/** How many bytes a recorder leaves unused at an offset between two samples. */
export type PaddingAt = (offset: number, sample: ClipSample, before: ClipSample | undefined) => number;

/** Padding up to the next multiple of `bytes`, a power of two, before each run of a track. */
export function runsAt(bytes: number): PaddingAt {
  return (offset, sample, before) => (sample.track === before?.track ? 0 : -offset & (bytes - 1));
}

/** Takes a healthy clip apart. Throws where it has no index. */
export function takeApart(clip: Uint8Array): ClipParts {
  const movie = triage(createMemorySource(clip)).movies[0]?.movie;
  if (movie === undefined) throw new Error("The clip has no index.");
  const placed: (ClipSample & { readonly offset: number })[] = [];
  movie.tracks.forEach(({ samples }, track) => {
    const sync = new Set(samples.syncSamples);
    forEachSample(samples, (sample, offset, sizeBytes, durationTicks, compositionTicks) => {
      const bytes = clip.subarray(offset, offset + sizeBytes);
      const isSync = samples.syncSamples === undefined || sync.has(sample);
      placed.push({ track, bytes, durationTicks, compositionTicks, isSync, offset });
    });
  });
  const { start, end } = boxAt(clip, "ftyp");
  return { ftyp: clip.slice(start, end), movie, samples: placed.sort((a, b) => a.offset - b.offset) };
}

/**
 * Writes a clip with its samples in the order given, the index behind them. `paddingAt` says how many bytes are left unused
 * at an offset, before the sample that comes next there; `fill` writes them.
 */
export function putTogether(
  { ftyp, movie, samples }: ClipParts,
  paddingAt: PaddingAt = () => 0,
  fill: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array {
  const [start, data]: [number, Uint8Array[]] = [ftyp.length + 8, []];
  let offset = start;
  const placed = samples.map((sample, index) => {
    const padding = paddingAt(offset, sample, samples[index - 1]);
    data.push(fill(padding), sample.bytes);
    offset += padding + sample.bytes.length;
    return { ...sample, offset: offset - sample.bytes.length };
  });
  const header = serializeBoxHeader("mdat", offset - start);
  const tracks = movie.tracks.map((track, index): Track => {
    const own = placed.filter((sample) => sample.track === index);
    const isReordered = own.some(({ compositionTicks }) => compositionTicks !== 0);
    const table = createSampleTable({
      offsets: own.map((sample) => sample.offset),
      sizes: own.map(({ bytes }) => bytes.length),
      durations: own.map(({ durationTicks }) => durationTicks),
      ...(isReordered ? { compositionOffsets: own.map(({ compositionTicks }) => compositionTicks) } : {}),
      ...(own.every(({ isSync }) => isSync) ? {} : { isSync: own.map(({ isSync }) => Number(isSync)) }),
    });
    const [sizeBytes = 0] = table.sizes;
    const isConstant = table.sizes.length > 1 && table.sizes.every((size) => size === sizeBytes);
    const samples = isConstant ? { ...table, constantSizeBytes: sizeBytes, sizes: new Uint32Array(0) } : table;
    return { ...track, samples };
  });
  return new Uint8Array(Buffer.concat([ftyp, header, ...data, serializeMovie({ ...movie, tracks })]));
}

/** The clip without its index: its data go to the end of the file. */
export function withoutIndex(clip: Uint8Array): Uint8Array {
  const { start, end } = boxAt(clip, "mdat");
  return clip.slice(0, end).fill(0, start, start + 4);
}

/** The file without `bytes` of it from `offset` on. */
export function withoutBytes(file: Uint8Array, offset: number, bytes: number): Uint8Array {
  return new Uint8Array(Buffer.concat([file.subarray(0, offset), file.subarray(offset + bytes)]));
}

/** The clip as recorders write it that put so many seconds of each track in a row. */
export function inRunsOf(seconds: number, clip: Uint8Array, isSoundFirst = false): Uint8Array {
  const parts = takeApart(clip);
  const ticks = parts.movie.tracks.map(() => 0);
  const timed = parts.samples.map((sample) => {
    const at = (ticks[sample.track] as number) / (parts.movie.tracks[sample.track] as { timescale: number }).timescale;
    ticks[sample.track] = (ticks[sample.track] as number) + sample.durationTicks;
    return { sample, run: Math.floor(at / seconds) };
  });
  const samples = timed
    .sort((a, b) => a.run - b.run || (a.sample.track - b.sample.track) * (isSoundFirst ? -1 : 1))
    .map(({ sample }) => sample);
  return putTogether({ ...parts, samples });
}

/** The clip without its index, with as many first bytes of every `nth` packet of a track overwritten. */
export function withHits(clip: Uint8Array, track: number, nth: number, bytes = 24): Uint8Array {
  const damaged = withoutIndex(clip);
  const table = triage(createMemorySource(clip)).movies[0]?.movie.tracks[track]?.samples;
  if (table === undefined) throw new Error("The clip has no such track.");
  forEachSample(table, (sample, offset) => {
    if (sample % nth === nth - 1) damaged.fill(0xee, offset, offset + bytes);
  });
  return damaged;
}
