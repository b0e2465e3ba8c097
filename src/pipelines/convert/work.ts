import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { formatCount } from "../../base/units.ts";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { createChangeWatch, fitShape, type HeldShape, holdShape, type ShapeChange } from "../../ffmpeg/held-shape.ts";
import { shownSize } from "../../ffmpeg/picture-filters.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import { tellsOfDamagedPictures, undecodedStreams } from "../../ffmpeg/source-damage.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import { describeCountRun, describeSpanRun, type SpanJob } from "../../spans/encode-span.ts";
import { measurePictures } from "../../spans/join-spans.ts";
import type { PlacedSpan } from "../../spans/place-span.ts";
import type { ConversionPlan, EncodedVideo } from "./conversion.ts";

/** By so much pictures of an even rate may be fewer than their time tells: at its ends, they are rounded. */
export const EVEN_SLACK_PICTURES = 2;

/** What a stage of a conversion is done with. */
export interface ConvertHooks {
  readonly tools: FfmpegTools;
  readonly signal: AbortSignal;
  /** Hears from 0 to 1 how far the step has come. */
  readonly onProgress: (fraction: number) => void;
}

/** A stretch of the source's pictures that is encoded alone. */
export interface Cut {
  /** As `SpanJob` has them, in ticks of the plan's `outputTimeBase`. */
  readonly startTicks: number | null;
  readonly endTicks: number | null;
  readonly seekSeconds: number | null;
  /** How many there are; 0 where nobody knows. */
  readonly pictures: number;
}

/** What was encoded. */
export interface EncodedCut {
  readonly pictures: number;
  /** Of the pictures alone. */
  readonly bytes: number;
  /** Where reading began in the end, as the cut has it. */
  readonly seekSeconds: number | null;
  /** Whether the source's pictures are damaged, as far as its decoder complains. */
  readonly isDamaged: boolean;
  /** What the pictures change to on the way, as far as it was heard. */
  readonly change: ShapeChange | null;
}

/** A span of the plan as a cut. */
export function cutOf({ start, end, startTicks, endTicks, seekSeconds }: PlacedSpan): Cut {
  return { startTicks, endTicks, seekSeconds, pictures: end - start };
}

/**
 * Encodes a cut into an MP4 file of its own. Where pictures turn out to change their shape, it is done once more with filters that fit each into the planned
 * one, which are not for nothing. Where fewer pictures come out than the source tells of, it is done once more from the file's
 * start: a container's index may lead a seek astray. What is missing then must be missing without the encoder, too. Throws FFMPEG_FAILED,
 * FFMPEG_TIMEOUT, PROGRAM_KILLED, OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function encodeCut(
  video: EncodedVideo,
  cut: Cut,
  inputPath: string,
  outputPath: string,
  hooks: ConvertHooks,
): Promise<EncodedCut> {
  const { pictures: wanted, seekSeconds } = cut;
  let isFitted = false;
  const encode = async (from: number | null): Promise<EncodedCut> => {
    const job = describeCut(video, { ...cut, seekSeconds: from }, inputPath, isFitted);
    const watch = createChangeWatch();
    const { complaints } = await runFfmpeg(hooks.tools, {
      ...describeSpanRun({ ...job, inputPath, outputPath, encoder: video.encoder }),
      mayTakeLong: true,
      signal: hooks.signal,
      onErrorOutput: watch.onErrorOutput,
      onProgress: ({ frames }) => hooks.onProgress(wanted === 0 ? 0 : Math.min(1, frames / wanted)),
    });
    if (!isFitted && watch.change() === "shape") {
      isFitted = true;
      return await encode(from);
    }
    const isDamaged = tellsOfDamagedPictures(complaints);
    return { ...measureSpan(outputPath), seekSeconds: from, isDamaged, change: isFitted ? "shape" : watch.change() };
  };
  const made = await encode(seekSeconds);
  const due = wanted === 0 ? (video.evenPictures ?? 0) - EVEN_SLACK_PICTURES : wanted;
  const isAstray = wanted !== 0 && seekSeconds !== null && made.pictures !== wanted;
  const last = isAstray ? await encode(null) : made;
  const isShort = last.pictures < due;
  if (isShort) await requireAllEncoded(video, { ...cut, seekSeconds: last.seekSeconds }, last, inputPath, hooks);
  return last;
}

/** Pictures that a decoder loses are the recording's loss, those that an encoder loses would be ours. Throws OUTPUT_NOT_VERIFIED, and as `encodeCut`. */
async function requireAllEncoded(
  video: EncodedVideo,
  cut: Cut,
  { pictures }: EncodedCut,
  inputPath: string,
  { tools, signal }: ConvertHooks,
): Promise<void> {
  const run = describeCountRun({ ...describeCut(video, cut, inputPath), inputPath });
  const { lastProgress } = await runFfmpeg(tools, { ...run, mayTakeLong: true, signal });
  const given = lastProgress?.frames ?? 0;
  if (given <= pictures) return;
  const message = `${video.encoder.name} was given ${formatCount(given, "picture")}, and ${pictures} came out.`;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
}

/** What becomes of a cut's pictures before they are encoded; `isFitted`: each is fitted into the planned shape, in case that some have another. */
export function describeCut(
  video: EncodedVideo,
  { startTicks, endTicks, seekSeconds }: Cut,
  inputPath: string,
  isFitted = false,
): Omit<SpanJob, "inputPath" | "outputPath" | "encoder"> {
  const { shape } = video;
  const hold = isFitted ? fitShape : holdShape;
  const held = shape === undefined ? [] : hold(shape);
  const burnt = video.burntSubtitle === null ? [] : [burnFilter(inputPath, video.burntSubtitle, shape)];
  return {
    streamIndex: video.streamIndex,
    contextFilters: video.contextFilters,
    pictureFilters: [...held, ...burnt, ...video.pictureFilters],
    startTicks,
    endTicks,
    seekSeconds,
    cutTimeBase: video.outputTimeBase,
    encoderTimeBase: video.encoderTimeBase === "source" ? video.outputTimeBase : video.encoderTimeBase,
  };
}

/**
 * A path inside a filter's option inside a filter graph: each of the two reads its own escapes. Letters are made for the size that pictures are shown
 * in; of samples that are not square, the filter does not know it by itself.
 */
function burnFilter(path: string, subtitle: number, shape: HeldShape | undefined): string {
  const option = fileArgument(path).replaceAll(/[\\': ]/g, (letter) => `\\${letter}`);
  const graph = option.replaceAll(/[\\'[\],; ]/g, (letter) => `\\${letter}`);
  const shown = shape && shownSize(shape);
  const isSquare = shown === undefined || shown.width === shape?.width;
  const size = isSquare ? "" : `:original_size=${Math.round(shown.width)}x${shown.height}`;
  return `subtitles=filename=${graph}:si=${subtitle}${size}`;
}

function measureSpan(path: string): Pick<EncodedCut, "pictures" | "bytes"> {
  const source = openFileSource(path);
  try {
    return measurePictures(source);
  } finally {
    source.close();
  }
}

/**
 * Encodes the sound tracks that do not fit into one MP4 file, at the source's own times less the origin, the first
 * `maxSeconds` (> 0) of them or all. Gives whether some of it is damaged.
 * Throws as `encodeCut`.
 */
export async function encodeAudio(
  { audio, originSeconds, durationSeconds }: Pick<ConversionPlan, "audio" | "originSeconds" | "durationSeconds">,
  inputPath: string,
  outputPath: string,
  { tools, signal, onProgress }: ConvertHooks,
  maxSeconds?: number,
): Promise<boolean> {
  const tracks = audio.filter((track) => track.kind === "encode");
  const { complaints } = await runFfmpeg(tools, {
    globalArguments: ["-copyts"],
    inputs: [{ path: inputPath, isRecording: true }],
    outputArguments: [
      ...tracks.flatMap(({ streamIndex }) => ["-map", `0:${streamIndex}`]),
      ...["-map_metadata", "-1", "-map_chapters", "-1"],
      ...tracks.flatMap((track, index) => [
        ...track.arguments.map((argument) => argument.replace(/^-(c|b):a$/, `-$1:a:${index}`)),
        ...[`-filter:a:${index}`, `asetpts=PTS-round(${originSeconds.toFixed(9)}/TB),${track.filter}`],
      ]),
      ...(maxSeconds === undefined ? [] : ["-t", String(maxSeconds)]),
      // In thousandths of a second, a late start would be rounded.
      ...["-movie_timescale", "48000", "-f", "mp4", fileArgument(outputPath)],
    ],
    mayTakeLong: true,
    signal,
    onProgress: ({ outputSeconds }) => onProgress(durationSeconds ? Math.min(1, outputSeconds / durationSeconds) : 0),
  });
  return undecodedStreams(complaints).size > 0;
}

/** Input options that make all times later. */
export function offsetBy(seconds: number): readonly string[] {
  return seconds === 0 ? [] : ["-itsoffset", seconds.toFixed(6)];
}

/** Less than half a tick of any container's clock that ffmpeg would count from another stream. */
const ASIDE_SECONDS = 0.000_001;

/**
 * Input options that make a recording's times count from its origin. ffmpeg 5.1 takes an offset that is just the beginning of an MPEG-TS, MPEG-PS or
 * Ogg file for its own, and counts from the earliest stream *that is mapped* instead: hence a microsecond beside it, which rounds to the same tick.
 */
export function countFrom(originSeconds: number): readonly string[] {
  return originSeconds === 0 ? [] : offsetBy(ASIDE_SECONDS - originSeconds);
}
