import { statSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { createGrowingList } from "../../base/growing-list.ts";
import { runBoth } from "../../base/run-both.ts";
import { formatCount } from "../../base/units.ts";
import { chooseVideo, describeLostStreams, describeLostSubtitles } from "../../ffmpeg/choose-streams.ts";
import { chooseEncoder, chooseFallback, type EncoderChoice } from "../../ffmpeg/encoder-choice.ts";
import {
  type FrameTimes,
  lastDurationOf,
  listFrameTimes,
  MAX_PICTURES,
  requireContinuous,
} from "../../ffmpeg/frame-times.ts";
import { planHeldShape } from "../../ffmpeg/held-shape.ts";
import {
  type MediaManifest,
  type Ratio,
  type SubtitleStream,
  secondsOf,
  type VideoStream,
} from "../../ffmpeg/manifest.ts";
import { describeMended, mendingFilters } from "../../ffmpeg/mended-times.ts";
import { describeInterlaced, describeTransparency } from "../../ffmpeg/picture-filters.ts";
import { probeRecording } from "../../ffmpeg/probe-recording.ts";
import { chooseSpans, type Span } from "../../spans/choose-spans.ts";
import { isConstantRate, originTicks } from "../../spans/encode-span.ts";
import { packTicks } from "../../spans/packed-ticks.ts";
import { placeSpan } from "../../spans/place-span.ts";
import { describeCutShort } from "../cut-short.ts";
import type { Aim, AudioPlan, ConversionPlan, EncodedVideo, PlannedSearch, SpanPlan, VideoPlan } from "./conversion.ts";
import { type ConvertSettings, extensionFor, rateOf } from "./options.ts";
import { chooseFilters, describeRange, type PictureFilters } from "./picture-filters.ts";
import { labelsOf, listHiddenStarts, planAudio } from "./plan-audio.ts";
import { planDrawn } from "./plan-drawn.ts";
import { planEncoder } from "./plan-encoder.ts";
import { planLook } from "./plan-look.ts";
import { chooseAims, describeSearch, type SearchContext, searchPlanned, type Unsearched } from "./plan-search.ts";
import { requireCountable } from "./require-countable.ts";

/** What a plan depends on besides the file and the settings. */
export interface PlanningContext extends SearchContext {
  /** Processor cores of the machine that encodes. */
  readonly cores: number;
  /** Spans that are encoded at a time, ≥ 1. */
  readonly processes: number;
  /** No span is shorter; default 4. Tests cut short files. */
  readonly minSpanSeconds?: number | undefined;
}

/** Spans for each process: more even out what one scene costs more than another, fewer cost fewer key pictures. */
const SPANS_PER_PROCESS = 2;
/** Where each core has one process with one thread, nobody helps the last one. */
const LONE_SPANS_PER_PROCESS = 4;
/** An encoder that begins anew costs a key picture. */
const MIN_SPAN_SECONDS = 4;
/** Nor is it much longer: as much is lost with a worker that is killed. */
const MAX_SPAN_SECONDS = 60;
/** An encoder that uses nearly all cores is cut for that reason alone. */
const MAX_BUSY_SPAN_SECONDS = 300;
/** Of a size aimed at, what a file may have to be copied. */
const COPY_SHARE = 0.98;
/** Where only decoding tells the times, they are counted so. */
const OWN_TIME_BASE: Ratio = { numerator: 1, denominator: 90_000 };

/**
 * Looks at a recording and decides what is done to it: which streams, which encoder, where it is cut. Throws INPUT_NOT_VIDEO,
 * INPUT_TOO_LONG, PARAMS_INVALID, ENCODER_MISSING, FILTER_MISSING, TARGET_UNREACHABLE, FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function planConversion(
  path: string,
  settings: ConvertSettings,
  context: PlanningContext,
): Promise<ConversionPlan> {
  const { cores, processes, minSpanSeconds = MIN_SPAN_SECONDS } = context;
  const manifest = await probeRecording(context.tools, path, context.signal);
  const video = chooseVideo(manifest);
  if (video === undefined) throw new ReelmillError("INPUT_NOT_VIDEO", `${path} holds no pictures to convert.`);
  const container = extensionFor(settings.to) === ".mp4" ? "mp4" : "webm";
  const hiddenStarts = await listHiddenStarts(path, manifest, settings, container, context);
  const sound = planAudio(manifest, settings, container, hiddenStarts);
  const filters = chooseFilters(video, settings);
  const texts = manifest.subtitles.filter(({ isText }) => isText);
  if (settings.subtitles === "burn" && texts.length === 0) {
    throw new ReelmillError("PARAMS_INVALID", `subtitles is "burn", but ${path} has no text subtitles.`);
  }
  const { aim, comparison } = await chooseAims(settings, context.tools, context.signal);
  const isSmall = aim?.kind === "size" && fitsAlready(path, sound.tracks, aim.bytes);
  const parts = {
    ...{ video, settings, filters, subtitles: manifest.subtitles, cores, processes, minSpanSeconds },
    mayCopy: aim === null || isSmall,
  };
  const { times, ...planned } = await planVideo(path, parts, context);
  requireCountable(video, times, manifest, settings);
  const firstTicks = planned.video.kind === "encode" && planned.video.packedTicks !== null ? times.ticks[0] : undefined;
  const before = { inputPath: path, stream: video, times, manifest, audio: sound.tracks };
  const searched = await planByTrials(before, planned.video, aim, settings, context);
  return {
    ...searched,
    look: planLook(video, filters, settings, planned.video),
    maxBytes: aim?.kind === "size" ? aim.bytes : null,
    comparison,
    audio: sound.tracks,
    subtitles:
      settings.subtitles === "keep"
        ? texts.map((stream) => ({
            streamIndex: stream.index,
            ...labelsOf(stream),
            dispositions: [
              ...(stream.isDefault ? ["default"] : []),
              ...(stream.isForced ? ["forced"] : []),
              ...stream.purposes,
            ],
          }))
        : [],
    subtitleCodec: container === "mp4" ? "mov_text" : "webvtt",
    container,
    originSeconds: originOf(manifest, planned.video, firstTicks),
    durationSeconds:
      (planned.video.kind === "copy"
        ? copiedSeconds(video, times, manifest, sound.tracks)
        : manifest.durationSeconds) ?? null,
    findings: [
      ...filters.findings,
      ...(planned.video.kind === "encode" ? describeKept(video, settings) : []),
      ...planned.findings,
      ...searched.findings,
      ...(searched.search === null ? [] : [describeSearch(searched.search)]),
      ...sound.findings,
      ...describeLostStreams(manifest),
      ...describeCutShort(path),
      ...describeSubtitles(manifest.subtitles, settings, container),
    ],
  };
}

/** What trials on samples make of the plan of the pictures. */
async function planByTrials(
  before: Omit<Unsearched, "video">,
  video: VideoPlan,
  aim: Aim | null,
  settings: ConvertSettings,
  context: PlanningContext,
): Promise<Searched> {
  if (video.kind === "copy") return { video, search: null, findings: [] };
  if (aim !== null) return await searchPlanned({ ...before, video }, aim, context);
  return { ...(await planDrawn({ ...before, video }, settings, context)), search: null };
}

interface Searched {
  readonly video: VideoPlan;
  readonly search: PlannedSearch | null;
  readonly findings: readonly string[];
}

/** Whether a file may stay as it is for its size: copied packets take as much in another container, to a few bytes. */
function fitsAlready(path: string, audio: readonly AudioPlan[], bytes: number): boolean {
  return audio.every(({ kind }) => kind === "copy") && statSync(path).size <= COPY_SHARE * bytes;
}

interface PlannedVideo {
  readonly video: VideoPlan;
  readonly times: FrameTimes;
  readonly findings: readonly string[];
}

async function planVideo(path: string, parts: Unlisted, { tools, signal }: PlanningContext): Promise<PlannedVideo> {
  const { video: stream, settings } = parts;
  const wish = wishFor(parts);
  const choose = async (either: AbortSignal) => {
    const choice = await chooseEncoder(tools, wish, either);
    const fallback = choice.hardware === null ? undefined : await chooseFallback(tools, wish, either);
    return { choice, fallback };
  };
  const isFit = mayStay(parts);
  const sizes = createGrowingList(Uint32Array, MAX_PICTURES);
  // An encoder's trial takes as long as reading a short file.
  const [times, early] = await runBoth(
    signal,
    async (either) => await listFrameTimes(tools, path, stream.index, either, sizes.push),
    async (either) => (isFit ? undefined : await choose(either)),
  );
  requireContinuous(times, path, stream.timeBase);
  if (isFit && isCopied(stream, times, settings)) {
    const { index: streamIndex, timeBase: outputTimeBase } = stream;
    const packedTicks = packTicks(times.ticks);
    const video = { kind: "copy", codec: settings.to, streamIndex, packedTicks, outputTimeBase } as const;
    const finding = `The pictures are ${settings.to} already and were copied (reencode encodes them anew).`;
    return { video, times, findings: [finding] };
  }
  const { choice, fallback } = early ?? (await choose(signal));
  const video = planEncoding({ ...parts, times, packetBytes: sizes.finish(), choice, fallback });
  const why = [...describeMended(times.mended), ...(isFit ? describeUncopied(times) : [])];
  return { video, times, findings: [...why, ...choice.findings, ...describeSpans(video, choice, times, settings)] };
}

/** What becomes of subtitles that one might miss. */
function describeSubtitles(
  all: readonly SubtitleStream[],
  { subtitles }: ConvertSettings,
  container: ConversionPlan["container"],
): readonly string[] {
  if (subtitles === "keep") return describeLostSubtitles(all, container);
  if (subtitles === "drop" || all.length === 1) return [];
  return [
    `The first text track of the subtitles was burnt in; left out: ${formatCount(all.length - 1, "further track")}.`,
  ];
}

/** How long copied pictures, and sound, go on; containers may tell another time, such as that of a longer recording that they were cut out of. */
function copiedSeconds(video: VideoStream, times: FrameTimes, manifest: MediaManifest, audio: readonly AudioPlan[]) {
  const last = times.ticks.at(-1);
  if (last === undefined) return manifest.durationSeconds;
  const ends = audio.flatMap(({ startSeconds, durationSeconds }) =>
    startSeconds === null || durationSeconds === null ? [] : [startSeconds + durationSeconds],
  );
  return Math.max(secondsOf(last + lastDurationOf(times, video), video.timeBase), ...ends) - manifest.startSeconds;
}

/** No picture is shown before time 0. */
function originOf(manifest: MediaManifest, { outputTimeBase }: VideoPlan, firstTicks: number | undefined): number {
  if (firstTicks === undefined) return manifest.startSeconds;
  return secondsOf(Math.min(originTicks(manifest, outputTimeBase), firstTicks), outputTimeBase);
}

function bitDepthFor(video: VideoStream, { bitDepth, to }: ConvertSettings): 8 | 10 {
  if (bitDepth !== "source") return bitDepth === "8" ? 8 : 10;
  return video.bitDepth > 8 && to !== "h264" ? 10 : 8;
}

/** What pictures keep that players may show badly, and what they lose. */
function describeKept(video: VideoStream, settings: ConvertSettings): readonly string[] {
  return [
    ...describeTransparency(video),
    ...describeInterlaced(video, settings.deinterlace),
    ...describeRange(video, settings, bitDepthFor(video, settings)),
  ];
}

function wishFor({ video, settings, filters: { size } }: Unlisted) {
  const { to: codec, quality, speed, preset, hardware } = settings;
  const [pixels, shortPixels] = [size.width * size.height, Math.min(size.width, size.height)];
  return { codec, quality, speed, preset, hardware, pixels, shortPixels, bitDepth: bitDepthFor(video, settings) };
}

/** Whether pictures as they are would be what is wished. */
function mayStay({ video, settings, filters, mayCopy }: Unlisted): boolean {
  const { to, reencode, quality, preset, bitDepth, subtitles } = settings;
  const isChanged = [...filters.context, ...filters.picture].length > 0 || subtitles === "burn";
  const isAsked = reencode || quality !== undefined || preset !== undefined || isChanged;
  if (!mayCopy || isAsked || video.codec !== to) return false;
  if (!/^yuvj?420p(10le)?$/.test(video.pixelFormat) || (to === "h264" && video.bitDepth > 8)) return false;
  return bitDepth === "source" || Number(bitDepth) === video.bitDepth;
}

const NO_KEY_FIRST =
  "Some pictures stand before the first one that decoding can begin at, so that they cannot be copied: all were encoded.";

const WRONG_TIMES = "Pictures that tell wrong times cannot be copied: all were encoded.";

/** Why pictures that may stay as they are were encoded, for which the recording alone is to blame. */
function describeUncopied(times: FrameTimes): readonly string[] {
  return [...(beginsWithKey(times) ? [] : [NO_KEY_FIRST]), ...(times.mended.length === 0 ? [] : [WRONG_TIMES])];
}

/** Whether decoding can begin at the first picture: captures may begin anywhere. An edit list hides what comes before the first one shown. */
function beginsWithKey({ keys, hiddenCount }: FrameTimes): boolean {
  return keys[0] === 0 || hiddenCount > 0;
}

/** Whether the container can hold pictures that may stay: MP4 wants a time for each packet, which none may tell wrongly; WebM knows no rotation, and none that are not shown. */
function isCopied(video: VideoStream, times: FrameTimes, { to }: ConvertSettings): boolean {
  const isWebm = extensionFor(to) === ".webm";
  const isHeld = times.isComplete && !(isWebm && (video.rotationDegrees !== 0 || times.hiddenCount > 0));
  return isHeld && beginsWithKey(times) && times.mended.length === 0;
}

interface EncodingParts {
  readonly video: VideoStream;
  readonly settings: ConvertSettings;
  readonly filters: PictureFilters;
  readonly subtitles: readonly SubtitleStream[];
  readonly choice: EncoderChoice;
  readonly fallback: EncoderChoice | undefined;
  readonly times: FrameTimes;
  /** Sizes of the packets in the order of the file. */
  readonly packetBytes: Uint32Array;
  readonly cores: number;
  readonly processes: number;
  readonly minSpanSeconds: number;
  /** Whether what is aimed at allows pictures to stay as they are. */
  readonly mayCopy: boolean;
}

/** What is known before the pictures are listed and an encoder is chosen. */
type Unlisted = Omit<EncodingParts, "times" | "packetBytes" | "choice" | "fallback">;

/** The encoder's clock: the source's, or that of the new rate. */
function encoderClock({ video, settings, times }: EncodingParts): EncodedVideo["encoderTimeBase"] {
  if (settings.frameRate !== undefined) return reciprocal(rateOf(settings.frameRate));
  return times.isComplete && isConstantRate(times.ticks, video.timeBase) ? null : video.timeBase;
}

function reciprocal({ numerator, denominator }: Ratio): Ratio {
  return { numerator: denominator, denominator: numerator };
}

function planEncoding(parts: EncodingParts): EncodedVideo {
  const { video, settings, filters, choice, fallback, times, cores, processes } = parts;
  const isKnown = times.isComplete && settings.frameRate === undefined;
  const { timeBase } = video;
  const spans = isKnown
    ? cut(parts)
    : [{ start: 0, end: 0, weight: 1, startTicks: null, endTicks: null, seekSeconds: null }];
  const atATime = Math.min(processes, choice.usefulProcesses, spans.length);
  // Threads wait for each other. One too many costs less than an idle core; where each core has a process of its own, they cost a tenth.
  const threads = Number.isFinite(choice.usefulProcesses) && atATime < cores ? cores : Math.ceil(cores / atATime);
  const wish = wishFor(parts);
  return {
    kind: "encode",
    codec: settings.to,
    streamIndex: video.index,
    encoder: planEncoder(choice.encoder, wish, threads, fallback?.encoder ?? null),
    pixelFormat: wish.bitDepth === 10 ? "yuv420p10le" : "yuv420p",
    contextFilters: [...mendingFilters(times.mended), ...filters.range, ...filters.context],
    pictureFilters: filters.picture,
    burntSubtitle: settings.subtitles === "burn" ? parts.subtitles.findIndex(({ isText }) => isText) : null,
    shape: planHeldShape(video),
    encoderTimeBase: encoderClock(parts),
    packedTicks: isKnown ? packTicks(times.ticks) : null,
    outputTimeBase: isKnown ? timeBase : ownTimeBase(settings),
    lastDurationTicks: isKnown ? Math.max(1, Math.round(lastDurationOf(times, video))) : 0,
    ...labelsOf(video),
    evenPictures: countEven(parts),
    masteringDisplay: settings.toneMap ? null : (video.masteringDisplay ?? null),
    contentLight: settings.toneMap ? null : (video.contentLight ?? null),
    processes: atATime,
    // Of one span, the output is decoded as a whole in the end; a device must be found out before, so that software can take over.
    decodesSpans: settings.verify === "full" && (spans.length > 1 || choice.hardware !== null),
    spans,
  };
}

function ownTimeBase({ frameRate }: ConvertSettings): Ratio {
  return frameRate === undefined ? OWN_TIME_BASE : reciprocal(rateOf(frameRate));
}

function countEven({ video, settings, times }: EncodingParts): number | null {
  const { ticks, isComplete } = times;
  if (!isComplete || settings.frameRate === undefined || ticks.length === 0) return null;
  const lasts = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) + lastDurationOf(times, video);
  const rate = rateOf(settings.frameRate);
  return Math.round((secondsOf(lasts, video.timeBase) * rate.numerator) / rate.denominator);
}

function cut(parts: EncodingParts): readonly SpanPlan[] {
  const { times, packetBytes, video, choice, cores, processes, minSpanSeconds } = parts;
  const { ticks, keys } = times;
  const { timeBase } = video;
  const tickSeconds = timeBase.numerator / timeBase.denominator;
  const totalBytes = sumOf(packetBytes);
  const duration = ((ticks.at(-1) ?? 0) - (ticks[0] ?? 0)) * tickSeconds;
  const isBusy = Number.isFinite(choice.usefulProcesses);
  const atATime = Math.min(processes, choice.usefulProcesses);
  const maxSeconds = isBusy ? MAX_BUSY_SPAN_SECONDS : MAX_SPAN_SECONDS;
  const perProcess = isBusy && atATime >= cores ? LONE_SPANS_PER_PROCESS : SPANS_PER_PROCESS;
  const least = isBusy && atATime === 1 ? 1 : atATime * perProcess;
  const count = Math.max(least, atATime * Math.ceil(duration / maxSeconds / atATime));
  return chooseSpans(ticks, keys, { count, minLength: minSpanSeconds / tickSeconds }).map((span) => ({
    ...placeSpan(span, times, tickSeconds),
    weight: weigh(span, packetBytes, totalBytes),
  }));
}

/** Pictures that took many bytes in the source take long in any encoder, but not by as much: half goes by their number. */
function weigh({ start, end }: Span, packetBytes: Uint32Array, totalBytes: number): number {
  const share = sumOf(packetBytes.subarray(start, end)) / Math.max(1, totalBytes);
  return Math.max(1, Math.round((end - start + share * packetBytes.length) / 2));
}

function sumOf(sizes: Uint32Array): number {
  return sizes.reduce((total, bytes) => total + bytes, 0);
}

function describeSpans(
  { spans, processes }: EncodedVideo,
  choice: EncoderChoice,
  times: FrameTimes,
  settings: ConvertSettings,
): readonly string[] {
  if (spans.length > 1 && processes === 1) return [`Encoded in ${spans.length} spans, each a task of its own.`];
  if (spans.length > 1 && Number.isFinite(choice.usefulProcesses)) {
    return [
      `Encoded in ${spans.length} spans, ${processes} at a time: one process of ${choice.encoder} leaves cores idle at times.`,
    ];
  }
  if (spans.length > 1) {
    return [`Encoded in ${spans.length} spans at once: one process of ${choice.encoder} does not use all cores.`];
  }
  if (settings.frameRate !== undefined) return ["Encoded in one span, because pictures are made at another rate."];
  return times.isComplete ? [] : ["Encoded in one span: the file does not tell when each picture is shown."];
}
