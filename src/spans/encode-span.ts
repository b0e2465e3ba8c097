import { fileArgument } from "../ffmpeg/arguments.ts";
import { type MediaManifest, type Ratio, ticksOf } from "../ffmpeg/manifest.ts";
import type { FfmpegRun } from "../ffmpeg/run.ts";

/** An encoder, ready to be called. */
export interface SpanEncoder {
  readonly globalArguments: readonly string[];
  /** Stands at the end of the video filters. */
  readonly filter: string;
  /** Encoder, its options, its number of threads. */
  readonly arguments: readonly string[];
  /** That number, ≥ 1; what is read is decoded with as many. */
  readonly threads: number;
}

/** What one process is to encode. */
export interface SpanJob extends SpanSource {
  readonly outputPath: string;
  /** The encoder's clock; null: it counts pictures, which are evenly spaced. */
  readonly encoderTimeBase: Ratio | null;
  readonly encoder: SpanEncoder;
}

/** The pictures of a span. */
export interface SpanSource {
  readonly inputPath: string;
  readonly streamIndex: number;
  /** Filters before the cut, which look at neighbouring pictures (de-interlacing, another frame rate). */
  readonly contextFilters: readonly string[];
  /** Filters of single pictures (scaling, colours). */
  readonly pictureFilters: readonly string[];
  /** Ticks of `cutTimeBase`: the first picture's time, and the time of the first one that is left out; null: all there is. */
  readonly startTicks: number | null;
  readonly endTicks: number | null;
  /** The time base that cuts are told in. */
  readonly cutTimeBase: Ratio;
  /** Where reading begins, in seconds of the file's own clock; null: at its start. */
  readonly seekSeconds: number | null;
}

/**
 * The ffmpeg run that encodes the pictures from `startTicks` on up to, not including, `endTicks`: read from a key picture before them with
 * the file's own times, cut by times after the decoder, so that none is lost or doubled. The output's own times do not matter.
 */
export function describeSpanRun(job: SpanJob): Pick<FfmpegRun, "inputs" | "outputArguments" | "globalArguments"> {
  const { encoder, encoderTimeBase, outputPath } = job;
  const filters = encoder.filter === "" ? [] : [encoder.filter];
  const { globalArguments, inputs, outputArguments } = describeReading(job, filters, [
    "-threads",
    `${encoder.threads}`,
  ]);
  return {
    globalArguments: [...globalArguments, ...encoder.globalArguments],
    inputs,
    outputArguments: [
      ...outputArguments,
      ...["-map_metadata", "-1", "-map_chapters", "-1", ...describeClock(encoderTimeBase), ...encoder.arguments],
      // In thousandths of a second, the beginning would be rounded.
      ...["-movie_timescale", "90000", "-f", "mp4", fileArgument(outputPath)],
    ],
  };
}

/** A run that reads as `describeSpanRun` does and encodes nothing: its progress counts the pictures that there are. */
export function describeCountRun(job: SpanSource): Pick<FfmpegRun, "inputs" | "outputArguments" | "globalArguments"> {
  const { outputArguments, ...reading } = describeReading(job);
  return { ...reading, outputArguments: [...outputArguments, "-c:v", "wrapped_avframe", "-f", "null", "-"] };
}

function describeReading(job: SpanSource, lastFilters: readonly string[] = [], options: readonly string[] = []) {
  const filters = [...cutFilters(job), ...lastFilters];
  return {
    globalArguments: ["-copyts", ...errorOptions(job)],
    inputs: [{ path: job.inputPath, options: [...options, ...seekOptions(job.seekSeconds)], isRecording: true }],
    outputArguments: [
      ...["-map", `0:${job.streamIndex}`, "-fps_mode", "passthrough"],
      ...(filters.length === 0 ? [] : ["-vf", filters.join(",")]),
    ],
  };
}

/** Options of a run that is given a part of a recording: that of what it decodes nearly nothing is whole says nothing of the recording. */
export function errorOptions({ startTicks, endTicks }: Pick<SpanJob, "startTicks" | "endTicks">): readonly string[] {
  return startTicks === null && endTicks === null ? [] : ["-max_error_rate", "1"];
}

/** The filters of a span's pictures before the encoder's own, the cut among them. */
export function cutFilters(
  job: Pick<SpanJob, "contextFilters" | "pictureFilters" | "startTicks" | "endTicks" | "cutTimeBase">,
): readonly string[] {
  const { contextFilters, pictureFilters, startTicks, endTicks, cutTimeBase } = job;
  const bounds = [
    ...(startTicks === null ? [] : [`start_pts=${startTicks}`]),
    ...(endTicks === null ? [] : [`end_pts=${endTicks}`]),
  ];
  const clock = `settb=${cutTimeBase.numerator}/${cutTimeBase.denominator}`;
  const cut = bounds.length === 0 ? [] : [clock, `trim=${bounds.join(":")}`];
  return [...contextFilters, ...cut, ...pictureFilters];
}

/**
 * Options of an input that is read from there on, in seconds of its own clock (`-copyts`): from a key picture or before it. What comes before
 * the cut is decoded and dropped.
 */
export function seekOptions(seekSeconds: number | null): readonly string[] {
  if (seekSeconds === null) return [];
  return ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", seekSeconds.toFixed(6)];
}

function describeClock(timeBase: SpanJob["encoderTimeBase"]): readonly string[] {
  return timeBase === null ? [] : ["-enc_time_base", `${timeBase.numerator}/${timeBase.denominator}`];
}

/** Whether pictures are evenly spaced, to a tick or a thousandth of a second as files round them. */
export function isConstantRate(ticks: ArrayLike<number>, timeBase: Ratio): boolean {
  const count = ticks.length;
  if (count < 3) return true;
  const first = ticks[0] as number;
  const step = ((ticks[count - 1] as number) - first) / (count - 1);
  const slack = Math.max(1, ticksOf(0.001, timeBase));
  for (let index = 1; index < count; index++) {
    if (Math.abs((ticks[index] as number) - first - index * step) > slack) return false;
  }
  return true;
}

/** The earliest time of any stream of a file, in ticks of one of them: what the output counts from. */
export function originTicks({ startSeconds }: Pick<MediaManifest, "startSeconds">, timeBase: Ratio): number {
  return Math.round(ticksOf(startSeconds, timeBase));
}
