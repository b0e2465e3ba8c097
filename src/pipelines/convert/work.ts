import { openFileSource } from "../../base/file-source.ts";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import { describeSpanRun, type SpanJob } from "../../spans/encode-span.ts";
import { readSpan } from "../../spans/join-spans.ts";
import type { ConversionPlan, EncodedVideo, SpanPlan } from "./conversion.ts";

/** What a stage of a conversion is done with. */
export interface ConvertHooks {
  readonly tools: FfmpegTools;
  readonly signal: AbortSignal;
  /** Hears from 0 to 1 how far the step has come. */
  readonly onProgress: (fraction: number) => void;
}

/**
 * Encodes one span into an MP4 file of its own; gives the number of pictures that came out. Where fewer pictures come out than the source tells of, it is done once more from the file's
 * start: a container's index may lead a seek astray. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, PROGRAM_KILLED, OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function encodeSpan(
  video: EncodedVideo,
  index: number,
  inputPath: string,
  outputPath: string,
  hooks: ConvertHooks,
): Promise<number> {
  const span = video.spans[index];
  if (span === undefined) throw new RangeError(`There is no span ${index}.`);
  const wanted = span.end - span.start;
  const encode = async (seekSeconds: number | null): Promise<number> => {
    const job = describeJob(video, span, { inputPath, outputPath, seekSeconds });
    await runFfmpeg(hooks.tools, {
      ...describeSpanRun(job),
      mayTakeLong: true,
      signal: hooks.signal,
      onProgress: ({ frames }) => hooks.onProgress(wanted === 0 ? 0 : Math.min(1, frames / wanted)),
    });
    return countPictures(outputPath);
  };
  const pictures = await encode(span.seekSeconds);
  if (pictures === wanted || wanted === 0 || span.seekSeconds === null) return pictures;
  return await encode(null);
}

function describeJob(
  video: EncodedVideo,
  { startTicks, endTicks }: SpanPlan,
  places: Pick<SpanJob, "inputPath" | "outputPath" | "seekSeconds">,
): SpanJob {
  const burnt = video.burntSubtitle === null ? [] : [burnFilter(places.inputPath, video.burntSubtitle)];
  return {
    ...places,
    streamIndex: video.streamIndex,
    contextFilters: video.contextFilters,
    pictureFilters: [...burnt, ...video.pictureFilters],
    startTicks,
    endTicks,
    cutTimeBase: video.outputTimeBase,
    encoderTimeBase: video.encoderTimeBase,
    encoder: video.encoder,
  };
}

/** A path inside a filter's option inside a filter graph: each of the two reads its own escapes. */
function burnFilter(path: string, subtitle: number): string {
  const option = fileArgument(path).replaceAll(/[\\': ]/g, (letter) => `\\${letter}`);
  const graph = option.replaceAll(/[\\'[\],; ]/g, (letter) => `\\${letter}`);
  return `subtitles=filename=${graph}:si=${subtitle}`;
}

function countPictures(path: string): number {
  const source = openFileSource(path);
  try {
    return readSpan(source).sizes.length;
  } finally {
    source.close();
  }
}

/**
 * Encodes the sound tracks that do not fit into one MP4 file, at the source's own times less the origin. Throws as `encodeSpan`.
 */
export async function encodeAudio(
  { audio, originSeconds, durationSeconds }: ConversionPlan,
  inputPath: string,
  outputPath: string,
  { tools, signal, onProgress }: ConvertHooks,
): Promise<void> {
  const tracks = audio.filter((track) => track.kind === "encode");
  await runFfmpeg(tools, {
    globalArguments: ["-copyts"],
    inputs: [{ path: inputPath, options: offsetBy(-originSeconds), isRecording: true }],
    outputArguments: [
      ...tracks.flatMap(({ streamIndex }) => ["-map", `0:${streamIndex}`]),
      ...["-map_metadata", "-1", "-map_chapters", "-1"],
      ...tracks.flatMap((track, index) => [
        ...track.arguments.map((argument) => argument.replace(/^-(c|b):a$/, `-$1:a:${index}`)),
        ...["-filter:a:".concat(String(index)), track.filter],
      ]),
      // In thousandths of a second, a late start would be rounded.
      ...["-movie_timescale", "48000", "-f", "mp4", fileArgument(outputPath)],
    ],
    mayTakeLong: true,
    signal,
    onProgress: ({ outputSeconds }) => onProgress(durationSeconds ? Math.min(1, outputSeconds / durationSeconds) : 0),
  });
}

/** Input options that make all times later. */
export function offsetBy(seconds: number): readonly string[] {
  return seconds === 0 ? [] : ["-itsoffset", seconds.toFixed(6)];
}
