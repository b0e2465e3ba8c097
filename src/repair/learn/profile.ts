import type { ByteSource } from "../../media/bytes/byte-source.ts";
import type { Movie, SampleTable, Track } from "../../media/isobmff/movie.ts";
import { type Interleave, learnInterleave } from "./interleave.ts";
import { readSamples } from "./samples.ts";
import { countValue, type Share, sharesOf } from "./shares.ts";

export type { Interleave, Range } from "./interleave.ts";
export type { Share } from "./shares.ts";

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
  /** Video: whether neither its durations nor any pattern of theirs holds, so that it has to follow the sound. */
  readonly isPaceUnknown?: boolean;
  /** Sizes of its samples in bytes. */
  readonly minSizeBytes: number;
  readonly maxSizeBytes: number;
  readonly meanSizeBytes: number;
  /** Samples in a run of this track between packets of others, commonest first. */
  readonly runSamples: readonly Share[];
  /** Composition offset of the first sample shown, in ticks: the constant delay of presentation behind decoding. */
  readonly presentationDelayTicks: number;
}

/** Everything learnt from a reference. */
export interface RecordingProfile {
  readonly movie: Movie;
  readonly tracks: readonly TrackProfile[];
  readonly interleave: Interleave;
}

/** Learns from a healthy movie in `source`. Linear in its tables; samples are read when asked for. */
export function learnProfile(movie: Movie, source: ByteSource): RecordingProfile {
  const { interleave, runSamples } = learnInterleave(movie);
  const tracks = movie.tracks.map((track, index) => learnTrack(track, source, runSamples[index] ?? []));
  return { movie, tracks, interleave };
}

function learnTrack(track: Track, source: ByteSource, runSamples: readonly Share[]): TrackProfile {
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
    runSamples,
    // Pictures before time 0 were cut off from what they belong to.
    presentationDelayTicks: Math.max(0, presentationDelay(samples)),
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
    if (count > 0) countValue(counts, ticks, count);
  }
  return sharesOf(counts);
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
  const stepTicks = spanOf(decodeTicks) / Math.max(1, count - 1);
  const isConstant = decodeTicks.every((ticks, index) => Math.abs(ticks - index * stepTicks) <= 1);
  // Where a copy was cut off in decode order, pictures that are shown between the last ones are missing: their gaps are no pattern.
  const hasGaps = spanOf(displayTicks) > spanOf(decodeTicks) + stepTicks / 2;
  if (isConstant && hasGaps) return { decodeTicks, displayTicks: decodeTicks };
  return { decodeTicks, displayTicks: displayTicks.map((ticks) => ticks - first) };
}

function spanOf(ticks: Float64Array): number {
  return (ticks.at(-1) ?? 0) - (ticks[0] ?? 0);
}

/** Composition offset of the sample that is shown first (the one with the least decode time + offset). */
export function presentationDelay(samples: SampleTable): number {
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
