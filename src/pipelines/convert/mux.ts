import { type FfmpegInput, fileArgument, PIPE, packetDuration, TOLD_DURATIONS } from "../../ffmpeg/arguments.ts";
import { findOpusDelay } from "../../ffmpeg/opus-delay.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import type { ConversionPlan } from "./conversion.ts";
import type { EncodedPart } from "./parts.ts";
import { type ConvertHooks, countFrom, offsetBy } from "./work.ts";

/** A span that was encoded. */
export interface SpanFile extends Pick<EncodedPart, "deviceFault" | "isDamaged" | "change"> {
  readonly path: string;
}

/** The files that the tasks left. */
export interface ConversionParts {
  readonly inputPath: string;
  /** In the order of the plan's spans. */
  readonly spans: readonly SpanFile[];
  /** Undefined where no sound was encoded. */
  readonly audioPath: string | undefined;
  readonly isSoundDamaged: boolean;
}

/** What the output is put together of. */
interface MuxParts extends ConversionParts {
  /** Files of SubStation Alpha, in the source's times, that take the place of the source's subtitles, by stream index. */
  readonly flattened: ReadonlyMap<number, string>;
}

/** The joined pictures: an MP4, piece by piece. */
export interface JoinedPictures {
  readonly pieces: Iterable<Uint8Array>;
  /** Ticks per second. */
  readonly timescale: number;
  /** When the last one begins and ends, from the beginning of the output. */
  readonly lastSeconds: number;
  readonly endSeconds: number;
}

/** Puts pictures, sound and what the source has besides into the output; `joined` undefined: they are copied. Throws as `runFfmpeg`. */
export async function muxOutput(
  plan: ConversionPlan,
  parts: MuxParts,
  joined: JoinedPictures | undefined,
  outputPath: string,
  { tools, signal, onProgress }: ConvertHooks,
): Promise<void> {
  const { container, originSeconds, audio } = plan;
  const inputs: FfmpegInput[] = [{ path: parts.inputPath, options: countFrom(originSeconds), isRecording: true }];
  if (joined !== undefined) inputs.push({ path: PIPE, options: ["-f", "mp4"] });
  const hasOpus = container === "webm" && audio.some(({ codec }) => codec === "opus");
  const delaySeconds = hasOpus ? await findOpusDelay(tools, signal) : 0;
  const soundInput = (path: string, offsetSeconds: number): number =>
    inputs.push({ path, options: offsetBy(offsetSeconds), isRecording: true }) - 1;
  const copied = delaySeconds === 0 ? 0 : soundInput(parts.inputPath, delaySeconds - originSeconds);
  const made = parts.audioPath === undefined ? 0 : soundInput(parts.audioPath, delaySeconds);
  const texts = plan.subtitles.map(({ streamIndex }) => {
    const path = parts.flattened.get(streamIndex);
    if (path === undefined) return `0:${streamIndex}`;
    return `${inputs.push({ path, options: [...offsetBy(-originSeconds), "-f", "ass"] }) - 1}:0`;
  });
  let encoded = 0;
  const audioMaps = audio.map(({ kind, streamIndex, codec }) => {
    if (kind === "encode") return `${made}:${encoded++}`;
    return `${codec === "opus" ? copied : 0}:${streamIndex}`;
  });
  const maps = [joined === undefined ? `0:${plan.video.streamIndex}` : "1:v:0", ...audioMaps, ...texts];
  await runFfmpeg(tools, {
    globalArguments: ["-copyts"],
    inputs,
    input: joined?.pieces,
    outputArguments: [
      ...maps.flatMap((map) => ["-map", map]),
      ...["-map_metadata", "0", "-map_chapters", "0", "-c", "copy"],
      ...(plan.subtitles.length === 0 ? [] : ["-c:s", plan.subtitleCodec]),
      ...describeStreams(plan, parts.flattened),
      ...(joined === undefined ? TOLD_DURATIONS : lastDuration(joined)),
      ...containerArguments(plan, joined?.timescale),
      fileArgument(outputPath),
    ],
    mayTakeLong: true,
    signal,
    onProgress: ({ outputSeconds }) => {
      if (plan.durationSeconds) onProgress(Math.min(1, outputSeconds / plan.durationSeconds) / 2);
    },
  });
}

/**
 * Of the last packet, muxers ask how long it lasts, and of the last one that is shown: all are told the same. ffmpeg 5.1 reads the mean of all of them for it
 * where pictures are not decoded in their order.
 */
function lastDuration({ lastSeconds, endSeconds, timescale }: JoinedPictures): readonly string[] {
  return packetDuration(Math.round(endSeconds * timescale) - Math.round(lastSeconds * timescale), timescale);
}

function describeStreams(
  { container, video, audio, subtitles }: ConversionPlan,
  flattened: MuxParts["flattened"],
): readonly string[] {
  const hasDefault = audio.some(({ isDefault }) => isDefault);
  return [
    // What is copied brings its own.
    ...(video.kind === "encode" ? describeLabels("v:0", container, video) : []),
    ...audio.flatMap(({ isDefault, purposes = [], ...labels }, index) => {
      const isFirst = isDefault || (!hasDefault && index === 0);
      const dispositions = [...(isFirst ? ["default"] : []), ...purposes].join("+");
      return [...describeLabels(`a:${index}`, container, labels), `-disposition:a:${index}`, dispositions || "0"];
    }),
    ...subtitles.flatMap(({ streamIndex, language, title, dispositions }, index) => {
      if (!flattened.has(streamIndex)) return describeLabels(`s:${index}`, container, { language, title: null });
      // Such files say nothing of themselves.
      const told = [`-disposition:s:${index}`, dispositions.join("+") || "0"];
      return [...describeLabels(`s:${index}`, container, { language, title }), ...told];
    }),
  ];
}

function describeLabels(
  stream: string,
  container: ConversionPlan["container"],
  { language, title }: { readonly language: string | null; readonly title: string | null },
): readonly string[] {
  return [
    ...(language === null ? [] : [`-metadata:s:${stream}`, `language=${language}`]),
    ...(title === null ? [] : [`-metadata:s:${stream}`, `title=${title}`]),
    // Many players, and ffmpeg 5.1, read no other name of a track in MP4.
    ...(title === null || container !== "mp4" ? [] : [`-metadata:s:${stream}`, `handler_name=${title}`]),
  ];
}

function containerArguments(
  { container, video, audio }: ConversionPlan,
  timescale: number | undefined,
): readonly string[] {
  // WebM counts from 0 by itself; ffmpeg would move the pictures by what the sound needs to get going.
  if (container === "webm") return ["-avoid_negative_ts", "disabled", "-f", "webm"];
  const times = timescale === undefined ? [] : ["-video_track_timescale", String(timescale)];
  // In thousandths of a second, late beginnings would be rounded.
  const movieTimescale = timescale !== undefined && timescale >= 1000 ? timescale : 90_000;
  return [
    ...["-movie_timescale", String(movieTimescale)],
    ...times,
    ...(video.codec === "hevc" ? ["-tag:v", "hvc1"] : []),
    // ffmpeg 5.1 holds it to be experimental there; it has long been registered.
    ...(audio.some(({ codec }) => codec === "flac") ? ["-strict", "experimental"] : []),
    ...["-movflags", "+faststart", "-f", "mp4"],
  ];
}
