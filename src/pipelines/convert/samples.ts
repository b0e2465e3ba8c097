import { firstIndexWhere } from "../../base/first-index.ts";
import type { FrameTimes } from "../../ffmpeg/frame-times.ts";
import type { MediaManifest, VideoStream } from "../../ffmpeg/manifest.ts";
import { placeSpan } from "../../spans/place-span.ts";
import type { EncodedVideo } from "./conversion.ts";
import { type Cut, cutOf } from "./work.ts";

/** A stretch of a recording, in seconds. */
export interface Sample {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** How a recording is sampled. */
export interface Sampling {
  /** Of each sample. */
  readonly seconds: number;
  /** Fewer than that are not taken of a recording of so many seconds. */
  readonly minCount: (durationSeconds: number) => number;
}

/** Long enough to tell sizes and qualities. */
const TRIALS: Sampling = { seconds: 20, minCount: () => 3 };
/** Short, to tell of what kind pictures are; many, because kinds change: with eight, what lies between them is an eighth of the whole at most. */
export const GLANCES: Sampling = {
  seconds: 1,
  minCount: (durationSeconds) => Math.min(8, Math.max(4, Math.ceil(durationSeconds / 30))),
};
/** One sample for each stretch of that length. */
const STRETCH_SECONDS = 720;
/** Without a list of times, reading begins so much before a sample: an index may lead to a place behind the key picture. */
export const LEAD_SECONDS = 10;
/** Where samples would cover more than that, the whole is taken. */
const MAX_SHARE = 0.85;

/**
 * Stretches of a recording, spread evenly: one for each 12 minutes, or as many more as the sampling wants. Undefined where they would cover nearly all of it, or
 * where the length is not known: then the whole is to be taken.
 */
export function chooseSamples(
  durationSeconds: number | undefined,
  { seconds, minCount } = TRIALS,
): readonly Sample[] | undefined {
  if (durationSeconds === undefined) return undefined;
  const count = Math.max(minCount(durationSeconds), Math.ceil(durationSeconds / STRETCH_SECONDS));
  if (count * seconds > MAX_SHARE * durationSeconds) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const startSeconds = ((index + 0.5) * durationSeconds) / count - seconds / 2;
    return { startSeconds, endSeconds: startSeconds + seconds };
  });
}

/** What is known of a source's times. */
export interface SourceTimes {
  readonly times: FrameTimes;
  readonly stream: Pick<VideoStream, "timeBase">;
  readonly manifest: Pick<MediaManifest, "startSeconds" | "durationSeconds">;
}

/** What is encoded to learn of the whole. */
export interface SampleCuts {
  readonly cuts: readonly Cut[];
  /** By how much the whole is longer, ≥ 1; 1 where the cuts are the whole. */
  readonly factor: number;
  readonly sampledSeconds: number;
}

/** Samples of a source as cuts, or its spans where it is short. */
export function cutSamples(video: EncodedVideo, source: SourceTimes, sampling = TRIALS): SampleCuts {
  const { times, stream, manifest } = source;
  const tick = stream.timeBase.numerator / stream.timeBase.denominator;
  const isKnown = times.isComplete;
  const first = isKnown ? (times.ticks[0] as number) * tick : manifest.startSeconds;
  const last = isKnown ? ((times.ticks.at(-1) as number) + times.lastDurationTicks) * tick : undefined;
  const durationSeconds = last === undefined ? manifest.durationSeconds : last - first;
  const samples = chooseSamples(durationSeconds, sampling) ?? [];
  // Slides and time lapses may have a sample without a picture.
  const cuts = samples.flatMap(({ startSeconds, endSeconds }) =>
    isKnown
      ? cutByList(video, source, first + startSeconds, first + endSeconds)
      : [{ ...cutByClock(video, first + startSeconds, first + endSeconds), seekSeconds: leadTo(startSeconds, first) }],
  );
  if (cuts.length === 0) {
    return { cuts: video.spans.map((span) => cutOf(span)), factor: 1, sampledSeconds: durationSeconds ?? 0 };
  }
  const sampledSeconds = samples.length * sampling.seconds;
  return { cuts, factor: (durationSeconds ?? sampledSeconds) / sampledSeconds, sampledSeconds };
}

function leadTo(startSeconds: number, first: number): number {
  return first + Math.max(0, startSeconds - LEAD_SECONDS);
}

/** At any time; how many pictures there are is not known. */
function cutByClock(
  { outputTimeBase }: EncodedVideo,
  startSeconds: number,
  endSeconds: number,
): Omit<Cut, "seekSeconds"> {
  const ticksPerSecond = outputTimeBase.denominator / outputTimeBase.numerator;
  const ticksAt = (seconds: number): number => Math.round(seconds * ticksPerSecond);
  return { startTicks: ticksAt(startSeconds), endTicks: ticksAt(endSeconds), pictures: 0 };
}

/** Read from the key picture before, and cut at pictures' own times where the rate stays: rounding moves none across. */
function cutByList(
  video: EncodedVideo,
  { times, stream: { timeBase } }: SourceTimes,
  startSeconds: number,
  endSeconds: number,
): readonly Cut[] {
  const tick = timeBase.numerator / timeBase.denominator;
  const indexOf = (seconds: number): number =>
    firstIndexWhere(times.ticks.length, (index) => (times.ticks[index] as number) * tick >= seconds);
  const [start, end] = [indexOf(startSeconds), indexOf(endSeconds)];
  if (start === end) return [];
  const span = placeSpan({ start, end }, times, tick);
  if (video.packedTicks !== null) return [cutOf(span)];
  return [{ ...cutByClock(video, startSeconds, endSeconds), seekSeconds: span.seekSeconds }];
}
