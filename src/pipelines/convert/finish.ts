import { statSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import { formatCount } from "../../base/units.ts";
import { type FfmpegInput, fileArgument, PIPE } from "../../ffmpeg/arguments.ts";
import type { Ratio } from "../../ffmpeg/manifest.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import { hdrBoxes } from "../../spans/hdr-boxes.ts";
import { type EncodedSpan, joinSpans, matchTicks, readSpan } from "../../spans/join-spans.ts";
import { packTicks, unpackTicks } from "../../spans/packed-ticks.ts";
import type { ConversionPlan, ConversionReport, EncodedVideo } from "./conversion.ts";
import { checkConversion, type ExpectedPictures } from "./verify.ts";
import { type ConvertHooks, offsetBy } from "./work.ts";

/** The files that the tasks left. */
export interface ConversionParts {
  readonly inputPath: string;
  /** In the order of the plan's spans. */
  readonly spanPaths: readonly string[];
  /** Undefined where no sound was encoded. */
  readonly audioPath: string | undefined;
}

/**
 * Joins spans, sound and what the source has besides into the output, and checks it. Throws OUTPUT_NOT_VERIFIED, FFMPEG_FAILED,
 * FFMPEG_TIMEOUT, ABORTED; the file is then still there.
 */
export async function finishConversion(
  plan: ConversionPlan,
  parts: ConversionParts,
  outputPath: string,
  verify: "none" | "quick" | "full",
  hooks: ConvertHooks,
): Promise<ConversionReport> {
  const sources: FileSource[] = [];
  try {
    const open = (path: string): FileSource => {
      const source = openFileSource(path);
      sources.push(source);
      return source;
    };
    const joined = plan.video.kind === "encode" ? describeJoin(plan.video, plan, parts.spanPaths.map(open)) : undefined;
    await mux(plan, parts, joined, outputPath, hooks);
    const checks = await checkConversion(plan, joined?.expected, parts.inputPath, outputPath, verify, hooks);
    const failed = checks.filter(({ status }) => status === "failed");
    if (failed.length > 0) {
      const reasons = failed.map(({ detail }) => detail).join("; ");
      throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The result did not pass its checks: ${reasons}.`);
    }
    return describeReport(plan, joined, checks, { input: parts.inputPath, output: outputPath });
  } finally {
    for (const source of sources) source.close();
  }
}

const FINEST_TIMESCALE = 1_000_000;

interface Join {
  readonly pieces: Iterable<Uint8Array>;
  readonly timescale: number;
  readonly expected: ExpectedPictures;
  /** When the last picture ends. */
  readonly endSeconds: number;
  readonly findings: readonly string[];
}

/** Which picture is shown when: by the source's list, or, where only decoding told, by the encoder's clock. */
function describeJoin(video: EncodedVideo, { originSeconds }: ConversionPlan, sources: readonly FileSource[]): Join {
  const { timescale, factor } = joinedClock(video.outputTimeBase);
  const listed = video.packedTicks === null ? undefined : unpackTicks(video.packedTicks);
  const findings: string[] = [];
  let count = 0;
  let [firstTicks, lastTicks] = [0, 0];
  const spans = sources.map((source, index): EncodedSpan => {
    const { ownSeconds } = readSpan(source);
    const span = video.spans[index];
    const expected = span && listed?.subarray(span.start, span.end).map((ticks) => Math.round(ticks * factor));
    const { ticks, finding } = placePictures(ownSeconds, expected, timescale, `span ${index + 1}`);
    if (finding !== undefined) findings.push(finding);
    if (index === 0) firstTicks = ticks[0] ?? 0;
    lastTicks = ticks[ticks.length - 1] ?? lastTicks;
    count += ticks.length;
    return { source, packedTicks: packTicks(ticks) };
  });
  const origin = Math.min(firstTicks, Math.round(originSeconds * timescale));
  const meanStep = Math.max(1, Math.round((lastTicks - firstTicks) / Math.max(1, count - 1)));
  const lastDurationTicks = Math.round(video.lastDurationTicks * factor) || meanStep;
  const extra = hdrBoxes(video.masteringDisplay, video.contentLight);
  return {
    pieces: joinSpans(spans, { timescale, originTicks: origin, lastDurationTicks }, extra),
    timescale,
    expected: {
      count,
      lastSeconds: (lastTicks - origin) / timescale,
      seconds: () =>
        spans.values().map(({ packedTicks }) => unpackTicks(packedTicks).map((at) => (at - origin) / timescale)),
      isOfSource: listed !== undefined,
    },
    endSeconds: (lastTicks + lastDurationTicks - origin) / timescale,
    findings,
  };
}

/** When the pictures of a span are shown, and what is to be said of those that are missing. */
function placePictures(
  ownSeconds: Float64Array,
  expected: Float64Array | undefined,
  timescale: number,
  name: string,
): { readonly ticks: ArrayLike<number>; readonly finding?: string } {
  if (expected === undefined) return { ticks: ownSeconds.map((seconds) => Math.round(seconds * timescale)) };
  if (ownSeconds.length === expected.length) return { ticks: expected };
  const ticks = ownSeconds.length < expected.length ? matchTicks(ownSeconds, expected, timescale) : undefined;
  if (ticks === undefined) {
    const message = `${formatCount(ownSeconds.length, "picture")} came out of ${name}, not ${expected.length}, and which they are cannot be told.`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  const lost = formatCount(expected.length - ticks.length, "picture");
  return { ticks, finding: `${lost} of ${name} could not be decoded from the source.` };
}

/** Ticks that are counted in 32 bits, and seldom more than some seconds from picture to picture: finer clocks are made coarser. */
function joinedClock({ numerator, denominator }: Ratio): { readonly timescale: number; readonly factor: number } {
  if (denominator <= FINEST_TIMESCALE) return { timescale: denominator, factor: numerator };
  return { timescale: FINEST_TIMESCALE, factor: (numerator * FINEST_TIMESCALE) / denominator };
}

/**
 * What Opus needs to get going, 312 samples at 48 kHz. WebM tells players to take it off the times of blocks (CodecDelay); ffmpeg writes the
 * field, but the times of packets that it copies as they are.
 */
const OPUS_DELAY_SECONDS = 312 / 48_000;

async function mux(
  plan: ConversionPlan,
  parts: ConversionParts,
  joined: Join | undefined,
  outputPath: string,
  { tools, signal, onProgress }: ConvertHooks,
): Promise<void> {
  const { container, originSeconds, audio } = plan;
  const inputs: FfmpegInput[] = [{ path: parts.inputPath, options: offsetBy(-originSeconds), isRecording: true }];
  if (joined !== undefined) inputs.push({ path: PIPE, options: ["-f", "mp4"] });
  const delaySeconds = container === "webm" ? OPUS_DELAY_SECONDS : 0;
  const soundInput = (path: string, offsetSeconds: number): number =>
    inputs.push({ path, options: offsetBy(offsetSeconds), isRecording: true }) - 1;
  const copied = delaySeconds === 0 ? 0 : soundInput(parts.inputPath, delaySeconds - originSeconds);
  const made = parts.audioPath === undefined ? 0 : soundInput(parts.audioPath, delaySeconds);
  let encoded = 0;
  const audioMaps = audio.map(({ kind, streamIndex, codec }) => {
    if (kind === "encode") return `${made}:${encoded++}`;
    return `${codec === "opus" ? copied : 0}:${streamIndex}`;
  });
  const maps = [
    joined === undefined ? `0:${plan.video.streamIndex}` : "1:v:0",
    ...audioMaps,
    ...plan.subtitles.map(({ streamIndex }) => `0:${streamIndex}`),
  ];
  await runFfmpeg(tools, {
    globalArguments: ["-copyts"],
    inputs,
    input: joined?.pieces,
    outputArguments: [
      ...maps.flatMap((map) => ["-map", map]),
      ...["-map_metadata", "0", "-map_chapters", "0", "-c", "copy"],
      ...(plan.subtitles.length === 0 ? [] : ["-c:s", plan.subtitleCodec]),
      ...describeStreams(plan),
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

function describeStreams({ audio, subtitles }: ConversionPlan): readonly string[] {
  const hasDefault = audio.some(({ isDefault }) => isDefault);
  return [
    ...audio.flatMap(({ language, title, isDefault }, index) => [
      ...(language === null ? [] : [`-metadata:s:a:${index}`, `language=${language}`]),
      ...(title === null ? [] : [`-metadata:s:a:${index}`, `title=${title}`]),
      ...[`-disposition:a:${index}`, isDefault || (!hasDefault && index === 0) ? "default" : "0"],
    ]),
    ...subtitles.flatMap(({ language }, index) =>
      language === null ? [] : [`-metadata:s:s:${index}`, `language=${language}`],
    ),
  ];
}

function containerArguments({ container, video }: ConversionPlan, timescale: number | undefined): readonly string[] {
  // WebM counts from 0 by itself; ffmpeg would move the pictures by what the sound needs to get going.
  if (container === "webm") return ["-avoid_negative_ts", "disabled", "-f", "webm"];
  const times = timescale === undefined ? [] : ["-video_track_timescale", String(timescale)];
  // In thousandths of a second, late beginnings would be rounded.
  const movieTimescale = timescale !== undefined && timescale >= 1000 ? timescale : 90_000;
  return [
    ...["-movie_timescale", String(movieTimescale)],
    ...times,
    ...(video.codec === "hevc" ? ["-tag:v", "hvc1"] : []),
    ...["-movflags", "+faststart", "-f", "mp4"],
  ];
}

function describeReport(
  { video, findings, durationSeconds }: ConversionPlan,
  joined: Join | undefined,
  checks: ConversionReport["checks"],
  paths: { readonly input: string; readonly output: string },
): ConversionReport {
  return {
    pictures: joined?.expected.count ?? null,
    spans: video.kind === "encode" ? video.spans.length : 0,
    encoder: video.kind === "encode" ? `${video.encoder.name}, ${video.encoder.settings}` : "copy",
    checks,
    findings: [...findings, ...(joined?.findings ?? [])],
    inputBytes: statSync(paths.input).size,
    outputBytes: statSync(paths.output).size,
    durationSeconds: joined?.endSeconds ?? durationSeconds,
  };
}
