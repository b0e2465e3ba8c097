import type { ByteSource } from "../../media/bytes/byte-source.ts";
import type { Movie, SampleTable, Track } from "../../media/isobmff/movie.ts";
import { readSamples } from "./samples.ts";

/** A value and how often it was seen. */
export interface Share {
  readonly value: number;
  readonly count: number;
}

/** What one track of the reference teaches. */
export interface TrackProfile {
  readonly track: Track;
  /** The first samples, whole, in decode order. */
  readonly readSamples: (limit: number) => Iterable<Uint8Array>;
  readonly kind: "video" | "audio" | "other";
  /** Sample durations in ticks, commonest first; the last sample's, which recorders make up, is left out. */
  readonly durations: readonly Share[];
  /** Video: when each sample decodes, in ticks from the first one on. Empty for other kinds. */
  readonly decodeTicks: Float64Array;
  /** Video: when each picture shows, in order of presentation, in ticks from the first one shown on. */
  readonly displayTicks: Float64Array;
  /** Sizes of its samples in bytes. */
  readonly minSizeBytes: number;
  readonly maxSizeBytes: number;
  readonly meanSizeBytes: number;
  /** Samples in a run of this track between packets of others, commonest first. */
  readonly runSamples: readonly Share[];
  /** Composition offset of the first sample shown, in ticks: the constant delay of presentation behind decoding. */
  readonly presentationDelayTicks: number;
}

/** How the reference's tracks lie in the file: runs of one track's samples, in file order. */
export interface Interleave {
  /** `transitions[from + 1][to]`: how often a run of track `to` follows one of `from`; row 0 is the start. */
  readonly transitions: readonly (readonly number[])[];
  /** Unused bytes between runs where there are any, commonest first. */
  readonly gapBytes: readonly Share[];
  /**
   * Per track: range of (its clock − the first video track's clock) in seconds at the starts of its runs, both clocks
   * being the decode time of the samples written so far. Undefined for a track without samples or without video.
   */
  readonly leads: readonly (Range | undefined)[];
  /** The same at the starts of the first video track's runs: (a track's clock − the video's), as the last packets before it left it. */
  readonly lags: readonly (Range | undefined)[];
}

/** A closed interval. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly median: number;
}

/** Everything learnt from a reference. */
export interface RecordingProfile {
  readonly movie: Movie;
  readonly tracks: readonly TrackProfile[];
  readonly interleave: Interleave;
}

/** One chunk of a track, where it lies and when it plays. */
interface Chunk {
  readonly track: number;
  readonly offset: number;
  readonly endOffset: number;
  readonly firstSample: number;
  readonly samples: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Learns from a healthy movie in `source`. Linear in its tables; samples are read when asked for. */
export function learnProfile(movie: Movie, source: ByteSource): RecordingProfile {
  const chunks = movie.tracks.flatMap((track, index) => chunksOf(track, index));
  chunks.sort((a, b) => a.offset - b.offset || a.track - b.track);
  const runs = mergeRuns(chunks);
  return {
    movie,
    tracks: movie.tracks.map((track, index) =>
      learnTrack(
        track,
        source,
        runs.filter((run) => run.track === index),
      ),
    ),
    interleave: learnInterleave(movie, runs),
  };
}

function learnTrack(track: Track, source: ByteSource, runs: readonly Chunk[]): TrackProfile {
  const { samples } = track;
  const sizes = samples.constantSizeBytes > 0 ? Uint32Array.of(samples.constantSizeBytes) : samples.sizes;
  let [min, max, sum] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const size of sizes) {
    min = Math.min(min, size);
    max = Math.max(max, size);
    sum += size;
  }
  const times = track.handlerType === "vide" ? sampleTimes(samples) : NO_TIMES;
  return {
    track,
    ...times,
    readSamples: (limit) => readSamples(source, track, limit),
    kind: track.handlerType === "vide" ? "video" : track.handlerType === "soun" ? "audio" : "other",
    durations: durationShares(samples),
    minSizeBytes: sizes.length > 0 ? min : 0,
    maxSizeBytes: max,
    meanSizeBytes: sizes.length > 0 ? sum / sizes.length : 0,
    runSamples: shares(runs.map((run) => run.samples)),
    presentationDelayTicks: presentationDelay(samples),
  };
}

/** The recorder makes the last sample's duration up: with others to go by, it teaches nothing. */
function durationShares(samples: SampleTable): readonly Share[] {
  const counts = new Map<number, number>();
  const runs = samples.durationRuns;
  for (let index = 0; index < runs.length; index += 2) {
    const isLast = index + 2 >= runs.length;
    const count = (runs[index] as number) - (isLast && samples.sampleCount > 1 ? 1 : 0);
    const ticks = runs[index + 1] as number;
    if (count > 0) counts.set(ticks, (counts.get(ticks) ?? 0) + count);
  }
  return byCount(counts);
}

const NO_TIMES = { decodeTicks: new Float64Array(0), displayTicks: new Float64Array(0) };
/** Samples of a reference whose times are learnt. */
const MAX_TIMES = 262_144;

function sampleTimes(samples: SampleTable): { decodeTicks: Float64Array; displayTicks: Float64Array } {
  const count = Math.min(MAX_TIMES, samples.sampleCount);
  const decodeTicks = new Float64Array(count);
  const displayTicks = new Float64Array(count);
  let index = 0;
  walkTimes(samples, count, (ticks, offset) => {
    decodeTicks[index] = ticks;
    displayTicks[index++] = ticks + offset;
  });
  displayTicks.sort();
  const first = displayTicks[0] ?? 0;
  return { decodeTicks, displayTicks: displayTicks.map((ticks) => ticks - first) };
}

/** Composition offset of the sample that is shown first (the one with the least decode time + offset). */
function presentationDelay(samples: SampleTable): number {
  const composition = samples.compositionRuns;
  if (composition === undefined) return 0;
  let least = Number.POSITIVE_INFINITY;
  walkTimes(samples, 4096, (decodeTicks, compositionTicks) => {
    least = Math.min(least, decodeTicks + compositionTicks);
  });
  return Number.isFinite(least) ? least : 0;
}

/** Calls back with decode time and composition offset of the first `limit` samples. */
function walkTimes(
  samples: SampleTable,
  limit: number,
  visit: (decodeTicks: number, compositionTicks: number) => void,
): void {
  const durations = samples.durationRuns;
  const composition = samples.compositionRuns ?? new Int32Array(0);
  let [durationRun, durationLeft, compositionRun, compositionLeft, ticks] = [
    0,
    durations[0] ?? 0,
    0,
    composition[0] ?? 0,
    0,
  ];
  for (let sample = 0; sample < Math.min(limit, samples.sampleCount); sample++) {
    while (compositionLeft === 0 && compositionRun + 2 < composition.length) {
      compositionRun += 2;
      compositionLeft = composition[compositionRun] as number;
    }
    visit(ticks, compositionLeft > 0 ? (composition[compositionRun + 1] as number) : 0);
    compositionLeft = Math.max(0, compositionLeft - 1);
    while (durationLeft === 0 && durationRun + 2 < durations.length) {
      durationRun += 2;
      durationLeft = durations[durationRun] as number;
    }
    ticks += durations[durationRun + 1] ?? 0;
    durationLeft = Math.max(0, durationLeft - 1);
  }
}

function chunksOf(track: Track, index: number): Chunk[] {
  const { samples } = track;
  const chunks: Chunk[] = [];
  const clock = createClock(samples);
  let first = 0;
  for (let chunk = 0; chunk < samples.chunkOffsets.length; chunk++) {
    const count = samples.chunkSampleCounts[chunk] as number;
    const offset = samples.chunkOffsets[chunk] as number;
    let bytes = samples.constantSizeBytes * count;
    if (samples.constantSizeBytes === 0) {
      for (let sample = first; sample < first + count; sample++) bytes += samples.sizes[sample] ?? 0;
    }
    const startTicks = clock(0);
    const endTicks = clock(count);
    if (count > 0) {
      chunks.push({
        track: index,
        offset,
        endOffset: offset + bytes,
        firstSample: first,
        samples: count,
        startSeconds: startTicks / track.timescale,
        endSeconds: endTicks / track.timescale,
      });
    }
    first += count;
  }
  return chunks;
}

/** A clock over the duration runs: moves on by a number of samples and tells the decode time reached. */
function createClock(samples: SampleTable): (advance: number) => number {
  const runs = samples.durationRuns;
  let [run, left, ticks] = [0, runs[0] ?? 0, 0];
  return (advance) => {
    let wanted = advance;
    while (wanted > 0 && run < runs.length) {
      const step = Math.min(wanted, left);
      ticks += step * (runs[run + 1] as number);
      wanted -= step;
      left -= step;
      if (left === 0) {
        run += 2;
        left = runs[run] ?? 0;
      }
    }
    return ticks;
  };
}

/** Joins chunks of one track that follow each other directly in the file. */
function mergeRuns(chunks: readonly Chunk[]): Chunk[] {
  const runs: Chunk[] = [];
  for (const chunk of chunks) {
    const last = runs.at(-1);
    const joins =
      last?.track === chunk.track &&
      last.endOffset === chunk.offset &&
      last.firstSample + last.samples === chunk.firstSample;
    if (last && joins) {
      runs[runs.length - 1] = {
        ...last,
        endOffset: chunk.endOffset,
        samples: last.samples + chunk.samples,
        endSeconds: chunk.endSeconds,
      };
    } else runs.push(chunk);
  }
  return runs;
}

function learnInterleave(movie: Movie, runs: readonly Chunk[]): Interleave {
  const count = movie.tracks.length;
  const transitions = Array.from({ length: count + 1 }, () => new Array<number>(count).fill(0));
  const gaps = new Map<number, number>();
  const clocks = new Array<number>(count).fill(0);
  const leads: number[][] = movie.tracks.map(() => []);
  const firstLeads: number[][] = movie.tracks.map(() => []);
  const lags: number[][] = movie.tracks.map(() => []);
  const video = movie.tracks.findIndex((track) => track.handlerType === "vide");
  let last = -1;
  let lastEnd = -1;
  for (const run of runs) {
    const row = transitions[last + 1] as number[];
    row[run.track] = (row[run.track] ?? 0) + 1;
    if (lastEnd >= 0 && run.offset > lastEnd) gaps.set(run.offset - lastEnd, (gaps.get(run.offset - lastEnd) ?? 0) + 1);
    // A track's first run starts at 0 whatever the buffers then settle to.
    const isFirst = (clocks[run.track] ?? 0) === 0;
    if (video >= 0) (isFirst ? firstLeads : leads)[run.track]?.push(run.startSeconds - (clocks[video] ?? 0));
    if (run.track === video && last >= 0 && last !== video && (clocks[video] ?? 0) > 0) {
      lags[last]?.push((clocks[last] ?? 0) - run.startSeconds);
    }
    clocks[run.track] = run.endSeconds;
    last = run.track;
    lastEnd = run.endOffset;
  }
  return {
    transitions,
    gapBytes: byCount(gaps),
    leads: leads.map((values, track) => rangeOf(values.length > 0 ? values : (firstLeads[track] ?? []))),
    lags: lags.map(rangeOf),
  };
}

function rangeOf(values: number[]): Range | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.sort((a, b) => a - b);
  return {
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    median: sorted[sorted.length >> 1] as number,
  };
}

function shares(values: readonly number[]): readonly Share[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return byCount(counts);
}

function byCount(counts: ReadonlyMap<number, number>): Share[] {
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || a.value - b.value);
}
