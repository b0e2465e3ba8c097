import { placesAgainstOrder } from "../../base/rising-times.ts";
import { fileArgument, MAX_PACKET_TICKS } from "../../ffmpeg/arguments.ts";
import { audioArguments } from "../../ffmpeg/audio-encoder.ts";
import { takeFirst } from "../../ffmpeg/channel-layouts.ts";
import { type FilteredPicture, listFiltered, PRINTING_FILTERS } from "../../ffmpeg/decoded-times.ts";
import { sumInPairs } from "../../ffmpeg/expressions.ts";
import { createChangeWatch, fitShape, holdShape, type ShapeChange } from "../../ffmpeg/held-shape.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import { cutFilters, describeCountRun, errorOptions, seekOptions } from "../../spans/encode-span.ts";
import { eachTick } from "../../spans/packed-ticks.ts";
import { keepsHighRange } from "./high-range.ts";
import { indexFile } from "./index-file.ts";
import type { Rung } from "./ladder.ts";
import type { Disorder, PackageHooks, PackagePlan, RungSpan, SoundPlan } from "./packaging.ts";
import { type EncodePart, encodedPath, spanPath, subtitlePath } from "./parts.ts";
import { pictureArguments } from "./picture-arguments.ts";
import { soundTimes } from "./sound-times.ts";
import { hasStrays } from "./verify.ts";

/** Every rung and every sound comes out as one fragmented MP4 file. */
const FRAGMENTS = "+empty_moov+default_base_moof+skip_trailer";
/** Sound is cut into pieces of a second, which segments are put together of. */
const SOUND_FRAGMENT_MICROSECONDS = 1_000_000;
/** Less than the distance of two pictures, more than what clocks round. */
const SLACK_SECONDS = 0.005;
/** Behind pictures that it lost, a decoder gives two of the others the same time, which would be a rate of thousands a second. */
const WITHOUT_TWINS = "select='isnan(pts)+isnan(prev_selected_pts)+not(eq(pts,prev_selected_pts))'";
/** More than that of one span are no signal lost for a moment. */
const MAX_DISORDER = 1000;
const HIGH_RANGE_FILTER = "format=yuv420p10le";
const SAMPLE_RATE_HZ = 48_000;
const AAC_FRAME_SAMPLES = 1024;

/**
 * Encodes a part in one process: decoded once, each rung scaled from the next larger one, every fragment of pictures begun by an IDR at the same
 * time in all rungs. Where a span does not begin with the picture that it should, it is done once more from the file's start: either that
 * picture does not decode, or the container's index led the seek astray. Where the last ones of the recording do not decode, it is done once more with the one
 * before them held to the end. Where pictures turn out to change their shape, it is done once more with filters that fit each into the planned one. Where the decoder gave pictures times that fall back, it is done once more without them. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED.
 */
export async function encodeStreams(
  plan: PackagePlan,
  part: EncodePart,
  inputPath: string,
  folder: string,
  hooks: PackageHooks,
): Promise<EncodedStreams> {
  const span = part.span === null ? undefined : plan.spans[part.span];
  let complaints: readonly string[] = [];
  let encoded: Cut | undefined = span;
  let change: ShapeChange | null = null;
  // Only a seek can lead astray, and only the recording's last picture is held.
  const isLookedAt = span !== undefined && (span.seekSeconds !== null || span.lastDurationTicks !== null);
  const encode = async (as: Cut | undefined): Promise<SpanTimes> => {
    encoded = as && { ...as, isFitted: change === "shape" };
    const heard = await runPart(plan, part, encoded, inputPath, folder, hooks);
    ({ complaints } = heard);
    if (change !== "shape" && heard.change === "shape") {
      change = "shape";
      return await encode(as);
    }
    change ??= heard.change;
    return isLookedAt ? timesOf(firstPath(plan, part, folder)) : NOTHING_SHOWN;
  };
  let shown = await encode(span);
  if (span === undefined) return { complaints, disorder: IN_ORDER, change };
  if (span.seekSeconds !== null && shown.beginSeconds >= span.startSeconds + SLACK_SECONDS) {
    const { beginSeconds } = shown;
    const fromStart = { ...span, seekSeconds: null };
    // Key pictures are counted from the one that comes first.
    shown = await encode(
      beginSeconds === Number.POSITIVE_INFINITY ? fromStart : { ...fromStart, startSeconds: beginSeconds },
    );
    if (shown.beginSeconds < beginSeconds - SLACK_SECONDS) shown = await encode(fromStart);
  }
  let disorder = IN_ORDER;
  const isDamaged = complaints.length > 0 || (plan.video.mendingFilters ?? []).length > 0;
  if (isDamaged && encoded !== undefined && hasStrays(plan, encoded, firstPath(plan, part, folder))) {
    const { leftOut, strayTicks } = (await listDecoded(plan, encoded, inputPath, hooks)) ?? NONE_DECODED;
    disorder = { strayTicks, leftOut: leftOut.length };
    if (leftOut.length > 0) shown = await encode({ ...encoded, leftOut });
  }
  const lastDurationTicks = heldTicks(plan, span, shown);
  if (lastDurationTicks !== undefined && encoded !== undefined) await encode({ ...encoded, lastDurationTicks });
  return { complaints, disorder, change };
}

/** What came of a part. */
export interface EncodedStreams {
  /** Of ffmpeg. */
  readonly complaints: readonly string[];
  readonly disorder: Disorder;
  /** What the pictures change to on the way, as far as it was heard. */
  readonly change: ShapeChange | null;
}

const IN_ORDER: Disorder = { strayTicks: [], leftOut: 0 };
const NONE_DECODED: Decoded = { leftOut: [], strayTicks: [] };

/** A span as it is encoded. */
interface Cut extends RungSpan {
  /** Pictures to leave out, of those that the decoder gives. */
  readonly leftOut?: readonly FilteredPicture[];
  /** Whether each is fitted into the planned shape, for some have another. */
  readonly isFitted?: boolean;
}

/** Pictures of a span that stand at other times than the source's list has. */
interface Decoded {
  readonly leftOut: readonly FilteredPicture[];
  /** Of those that stay, as `Disorder` has them. */
  readonly strayTicks: readonly number[];
}

/**
 * Behind packets that were lost, a decoder may give a picture another's time, or one that no packet tells. Encoders take times that fall back for
 * mistakes, and move those of all pictures up to where they rise again: such are left out. Undefined where there are too many, or the one that
 * is the last by its time is among them: the end of the package goes by it.
 */
async function listDecoded(
  plan: PackagePlan,
  span: RungSpan,
  inputPath: string,
  { tools, signal }: PackageHooks,
): Promise<Decoded | undefined> {
  const { startTicks, endTicks, seekSeconds } = span;
  const { packedTicks, streamIndex } = plan.video;
  const contextFilters = [...(plan.video.mendingFilters ?? []), ...PRINTING_FILTERS, ...timingFilters(plan)];
  const reading = { ...cutOf(plan, span, contextFilters), inputPath, streamIndex, seekSeconds };
  const pictures = await listFiltered(tools, describeCountRun(reading), signal);
  const places = new Set(placesAgainstOrder(pictures.map(({ ticks }) => ticks)));
  const leftOut = pictures.filter((_, place) => places.has(place));
  const kept = pictures.filter((_, place) => !places.has(place)).map(({ ticks }) => ticks);
  const last = kept.findLast((at) => !Number.isNaN(at)) ?? Number.NEGATIVE_INFINITY;
  const strays = new Set(kept.filter((at) => at >= (startTicks ?? at) && at < (endTicks ?? Number.POSITIVE_INFINITY)));
  for (const at of packedTicks === null ? [] : eachTick(packedTicks)) strays.delete(at);
  if (leftOut.some(({ ticks }) => ticks > last) || Math.max(leftOut.length, strays.size) > MAX_DISORDER)
    return undefined;
  return { leftOut, strayTicks: [...strays] };
}

/** How long the last picture that decoded has to be held, where it is not the one that should be the last; else undefined. */
function heldTicks(
  { clock, durationSeconds }: PackagePlan,
  { lastDurationTicks }: RungSpan,
  { lastSeconds }: SpanTimes,
): number | undefined {
  if (lastDurationTicks === null || lastSeconds === Number.NEGATIVE_INFINITY) return undefined;
  const restSeconds = durationSeconds - lastSeconds;
  if (restSeconds <= lastDurationTicks / clock.denominator + SLACK_SECONDS) return undefined;
  return Math.min(MAX_PACKET_TICKS, Math.round(restSeconds * clock.denominator));
}

/** When the first and the last picture of an encoded span are shown, in seconds; infinite where it has none. */
interface SpanTimes {
  readonly beginSeconds: number;
  readonly lastSeconds: number;
}

const NOTHING_SHOWN: SpanTimes = { beginSeconds: Number.POSITIVE_INFINITY, lastSeconds: Number.NEGATIVE_INFINITY };

/** Of the rungs, which all have the same times, the first. Throws RangeError where there is none. */
function firstPath(plan: PackagePlan, { span }: EncodePart, folder: string): string {
  const [rung] = plan.rungs;
  if (rung === undefined) throw new RangeError("A package has a rung at least.");
  return spanPath(folder, plan, rung, span ?? 0);
}

function timesOf(path: string): SpanTimes {
  let { beginSeconds, lastSeconds } = NOTHING_SHOWN;
  indexFile(path, (ticks, timescale) => {
    for (const at of ticks) {
      beginSeconds = Math.min(beginSeconds, at / timescale);
      lastSeconds = Math.max(lastSeconds, at / timescale);
    }
  });
  return { beginSeconds, lastSeconds };
}

async function runPart(
  plan: PackagePlan,
  part: EncodePart,
  span: Cut | undefined,
  inputPath: string,
  folder: string,
  { tools, signal, onProgress }: PackageHooks,
): Promise<Pick<EncodedStreams, "complaints" | "change">> {
  const { durationSeconds, encoders, video } = plan;
  const devices = encoders.flatMap(({ device }) => device?.globalArguments ?? []);
  const wanted = span?.pictures ?? null;
  const watch = createChangeWatch();
  const { complaints } = await runFfmpeg(tools, {
    // The source's own times, exact to the tick: ffmpeg would shift them by a start that is rounded to microseconds.
    globalArguments: ["-copyts", ...(span === undefined ? [] : [...errorOptions(span), ...devices])],
    inputs: [{ path: inputPath, options: seekOptions(span?.seekSeconds ?? null), isRecording: true }],
    mayTakeLong: true,
    outputArguments: [
      ...(span === undefined ? [] : rungArguments(plan, part, span, folder)),
      ...(part.hasSound ? soundOutputs(plan, video, folder, durationSeconds) : []),
    ],
    signal,
    onErrorOutput: watch.onErrorOutput,
    onProgress: ({ frames, outputSeconds }) => {
      const [done, all] = wanted === null ? [outputSeconds, durationSeconds] : [frames, wanted];
      onProgress(all > 0 ? Math.min(1, done / all) : 0);
    },
  });
  return { complaints, change: watch.change() };
}

function rungArguments(plan: PackagePlan, { span: index }: EncodePart, span: Cut, folder: string): readonly string[] {
  // A span that does not begin at 0 tells in its edit list when it does: in ticks of the clock, exactly.
  const late = [
    "-movflags",
    `${FRAGMENTS}+frag_keyframe+delay_moov`,
    "-movie_timescale",
    String(plan.clock.denominator),
  ];
  const times = span.startTicks === null ? ["-movflags", `${FRAGMENTS}+frag_keyframe`] : late;
  return [
    ...["-filter_complex", filterGraph(plan, span)],
    ...plan.rungs.flatMap((rung, position) => [
      ...["-map", `[out${position}]`, ...pictureArguments(plan, rung, span)],
      ...["-map_metadata", "-1", "-map_chapters", "-1", ...times, "-f", "mp4"],
      fileArgument(spanPath(folder, plan, rung, index ?? 0)),
    ]),
  ];
}

function soundOutputs(
  { sounds, subtitles }: PackagePlan,
  video: PackagePlan["video"],
  folder: string,
  durationSeconds: number,
): readonly string[] {
  return [
    ...sounds.flatMap((sound) => [
      ...["-map", `0:${sound.streamIndex}`, ...soundArguments(sound, video, durationSeconds)],
      fileArgument(encodedPath(folder, sound)),
    ]),
    ...subtitles.flatMap((track) => [
      ...["-map", `0:${track.streamIndex}`, "-c:s", "webvtt", "-f", "webvtt"],
      fileArgument(subtitlePath(folder, track)),
    ]),
  ];
}

/** One decode for all; standard range parts from high range, then each rung's pictures go to its encoder and on to the next smaller size. */
function filterGraph(plan: PackagePlan, { leftOut = [], isFitted = false, ...span }: Cut): string {
  const { contextFilters, highRange, mendingFilters = [], shape, standardFilters, streamIndex } = plan.video;
  const isLeftOut = sumInPairs(leftOut.map(({ place, ticks }) => `eq(n,${place})*eq(pts,${ticks})`));
  const without = leftOut.length === 0 ? [] : [`select='not(${isLeftOut})'`];
  const timed = [...mendingFilters, ...without, ...timingFilters(plan)];
  const hold = isFitted ? fitShape : holdShape;
  const held = shape === undefined ? [] : hold(shape);
  const cut = [...cutFilters(cutOf(plan, span, [...timed, ...contextFilters])), ...held];
  const rungs = plan.rungs.map((rung, index) => ({ ...rung, index }));
  const isHigh = ({ codec }: Rung): boolean => keepsHighRange(highRange, codec);
  const [high, standard] = [rungs.filter(isHigh), rungs.filter((rung) => !isHigh(rung))];
  const source = `[0:${streamIndex}]${cut.join(",")},`;
  if (high.length === 0) return scaleChains(plan, standard, `${source}${standardFilters.join(",")},`).join(";");
  return [
    `${source}split=2[standard][high]`,
    ...scaleChains(plan, standard, `[standard]${standardFilters.join(",")},`),
    ...scaleChains(plan, high, `[high]${HIGH_RANGE_FILTER},`),
  ].join(";");
}

/** The filters that give pictures their times in the package; where the source's own list has twins, or there is none, all are kept. */
function timingFilters({ video: { originTicks, packedTicks } }: PackagePlan): readonly string[] {
  return [...(packedTicks === null ? [] : [WITHOUT_TWINS]), `setpts=PTS-${originTicks}`];
}

/** A span's pictures, by their times in the package. */
function cutOf(
  { video: { originTicks, timeBase } }: PackagePlan,
  { startTicks, endTicks }: RungSpan,
  contextFilters: readonly string[],
) {
  return {
    contextFilters,
    pictureFilters: [],
    cutTimeBase: timeBase,
    startTicks: startTicks === null ? null : startTicks - originTicks,
    endTicks: endTicks === null ? null : endTicks - originTicks,
  };
}

/** Chains of rungs of one range, by falling size, from where their pictures come to where each rung's come out. */
function scaleChains(
  { encoders }: PackagePlan,
  rungs: readonly (Rung & { readonly index: number })[],
  begin: string,
): readonly string[] {
  let from = begin;
  return rungs.flatMap(({ codec, widthPixels, heightPixels, index }, position) => {
    const before = rungs[position - 1];
    const isSame = before?.widthPixels === widthPixels && before.heightPixels === heightPixels;
    // Scaling to the size that is there already passes pictures on as they are.
    const scale = isSame ? "null" : `scale=${widthPixels}:${heightPixels}:flags=bicubic,setsar=1`;
    const isLast = position === rungs.length - 1;
    const device = encoders.find((encoder) => encoder.codec === codec)?.device ?? null;
    // Behind the parting: the next smaller rung is scaled from pictures that lie in memory.
    const out = device === null ? `out${index}` : `own${index}`;
    const chain = `${from}${scale}${isLast ? "" : ",split=2"}[${out}]${isLast ? "" : `[next${index}]`}`;
    from = `[next${index}]`;
    return device === null ? [chain] : [chain, `[${out}]${device.filter}[out${index}]`];
  });
}

/** Sound from the first picture on, silence where there is none, as many AAC frames as come nearest to the pictures' end. */
function soundArguments(
  { channels, isMono, unmixedChannels, kilobitsPerSecond }: SoundPlan,
  video: PackagePlan["video"],
  durationSeconds: number,
): readonly string[] {
  const encoding = audioArguments({ codec: "aac", bitrateKbps: kilobitsPerSecond, channels });
  const endSamples =
    Math.max(1, Math.round((durationSeconds * SAMPLE_RATE_HZ) / AAC_FRAME_SAMPLES)) * AAC_FRAME_SAMPLES;
  const filters = [
    ...(unmixedChannels ? [takeFirst("stereo", unmixedChannels)] : []),
    ...soundTimes(video, SAMPLE_RATE_HZ, endSamples / SAMPLE_RATE_HZ),
    // By itself ffmpeg makes both sides of one channel 3 dB quieter.
    isMono ? "pan=stereo|c0=c0|c1=c0" : `aformat=channel_layouts=${channels === 2 ? "stereo" : "5.1"}`,
    `apad=whole_len=${endSamples}`,
    `atrim=end_sample=${endSamples}`,
  ];
  return [
    ...["-af", filters.join(","), ...encoding.arguments],
    // The encoder's run-in stands before time 0 and its run-out behind the end; without an edit list players would play both.
    ...["-bsf:a", `noise=amount=0:drop='lt(pts,0)+gte(pts,${endSamples})'`],
    ...["-map_metadata", "-1", "-map_chapters", "-1", "-frag_duration", String(SOUND_FRAGMENT_MICROSECONDS)],
    ...["-movflags", FRAGMENTS, "-f", "mp4"],
  ];
}
