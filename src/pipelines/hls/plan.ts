import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import { MAX_PACKET_TICKS } from "../../ffmpeg/arguments.ts";
import {
  chooseKnownSounds,
  chooseVideo,
  describeLostStreams,
  describeLostSubtitles,
} from "../../ffmpeg/choose-streams.ts";
import { planHeldShape } from "../../ffmpeg/held-shape.ts";
import { type MediaManifest, type Ratio, secondsOf, type VideoStream } from "../../ffmpeg/manifest.ts";
import { mendingFilters } from "../../ffmpeg/mended-times.ts";
import {
  describeInterlaced,
  describeTransparency,
  planDeinterlacing,
  planMatrix,
  planRange,
  TONE_MAP_FILTERS,
  uprightShape,
} from "../../ffmpeg/picture-filters.ts";
import { probeRecording } from "../../ffmpeg/probe-recording.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import { packTicks } from "../../spans/packed-ticks.ts";
import { describeCutShort } from "../cut-short.ts";
import { carriedSteps, describeLadder, type LadderParts, missingCellularSteps } from "./describe-ladder.ts";
import { planHighRange } from "./high-range.ts";
import { type LadderSource, planLadder, type Rung, sortRungs, tooLargeSteps } from "./ladder.ts";
import { type HlsSettings, settingsFault } from "./options.ts";
import type { PackagePlan, RungSpan } from "./packaging.ts";
import { meanRate, type PictureTimes } from "./picture-times.ts";
import { chooseRungEncoders, isEncodable, planKeyPictures } from "./plan-encoders.ts";
import { describeSounds, planSounds } from "./plan-sound.ts";
import { planSpans, SPAN_SECONDS, WHOLE_SPAN } from "./plan-spans.ts";
import { planTimes } from "./plan-times.ts";
import { planPreview } from "./preview.ts";
import { planSubtitles } from "./subtitles.ts";
import { MAX_FRAMES_PER_SECOND, planThinning, type Thinning, TURN_SLACK_SECONDS } from "./thin-pictures.ts";

/** As many ticks as an MP4 file's time scale can hold well; finer clocks are those of files that do not tell times. */
const MAX_TIMESCALE = 10_000_000;

/** What a plan depends on besides the file and the settings. */
export interface PlanningContext {
  readonly tools: FfmpegTools;
  readonly signal: AbortSignal;
  /** About how long spans are, > 0; default 120. Tests cut short files. */
  readonly spanSeconds?: number | undefined;
}

/**
 * Looks at a recording and decides what its package is made of. Throws INPUT_NOT_VIDEO, INPUT_TOO_LONG, PARAMS_INVALID, ENCODER_MISSING, FFMPEG_MISSING,
 * FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function planPackage(
  path: string,
  settings: HlsSettings,
  { tools, signal, spanSeconds = SPAN_SECONDS }: PlanningContext,
): Promise<PackagePlan> {
  // Of jobs that another version took, nobody has asked.
  const fault = settingsFault(settings);
  if (fault !== undefined) throw new ReelmillError("PARAMS_INVALID", `${fault}.`);
  const manifest = await probeRecording(tools, path, signal);
  const video = chooseVideo(manifest);
  if (video === undefined) throw new ReelmillError("INPUT_NOT_VIDEO", `${path} holds no pictures.`);
  const preview = await planPreview(settings, { tools, signal });
  const { highRange, ...looks } = planLooks(video, settings);
  const chosen = await chooseRungEncoders(settings, highRange, { tools, signal });
  const heard = chooseKnownSounds(settings.audio === "none" ? [] : manifest.audio);
  const sounds = planSounds(heard.known);
  const hasSound = sounds.length > 0;
  const recording = { path, manifest, video, sounds: hasSound ? heard.known : [] };
  const { times, durationSeconds, findings } = await planTimes(recording, settings, { tools, signal });
  const thinning = planThinning(times.ticks, video.timeBase, meanRate(times, video));
  const { framesPerSecond } = thinning;
  const ladder = { source: ladderSource(video), settings, highRange, framesPerSecond, hasSound };
  const rungs = planRungs(ladder);
  const clock = clockOf(video, times);
  const keyPictures = settings.codecs.includes("av1") ? keyPicturesOf(video, times, thinning) : null;
  const spans = spansOf({ video, times, thinning, clock, keyPictures, durationSeconds }, spanSeconds);
  const subtitles = settings.subtitles === "drop" ? [] : planSubtitles(manifest.subtitles);
  return {
    video: {
      streamIndex: video.index,
      timeBase: video.timeBase,
      packedTicks: times.isComplete && thinning.filter === null ? packTicks(times.ticks) : null,
      mendingFilters: mendingFilters(times.mended),
      originTicks: times.originTicks,
      framesPerSecond,
      contextFilters: [...looks.filters, ...(thinning.filter === null ? [] : [thinning.filter])],
      shape: planHeldShape(video),
      highRange,
      standardFilters: [...(video.isHdr ? TONE_MAP_FILTERS : []), "format=yuv420p"],
    },
    spans,
    clock,
    rungs,
    encoders: chosen.encoders,
    keyPictures,
    sounds,
    subtitles,
    ...chooseForm(settings),
    preview: preview.preview,
    durationSeconds,
    findings: [
      ...chosen.findings,
      ...describeLadder(ladder, rungs),
      ...preview.findings,
      ...looks.findings,
      ...(thinning.finding === null ? [] : [thinning.finding]),
      ...findings,
      ...(spans.length > 1 ? [`Encoded in ${spans.length} spans, each a task of its own.`] : []),
      ...describeClear(settings, hasSound, subtitles.length > 0),
      ...heard.findings,
      ...describeSounds(heard.known),
      ...describeLosses(path, manifest, settings),
    ],
  };
}

/** What of the settings goes into the plan as it is. */
function chooseForm({ segments, encryptKeyUri, encryptMethod, thumbnails }: HlsSettings) {
  return { segments, keyUri: encryptKeyUri ?? null, encryptMethod: encryptMethod ?? "aes-128", thumbnails } as const;
}

/** How the pictures of all rungs are to look: the filters for that, before any others, what they keep of a high range, and the sentences on both. */
function planLooks(video: VideoStream, settings: HlsSettings) {
  const matrix = planMatrix(video);
  const range = planRange(video);
  const whole = planDeinterlacing(video, settings.deinterlace);
  const { highRange, findings } = planHighRange({ ...video, colour: matrix.colour }, settings);
  return {
    highRange,
    filters: [...matrix.filters, ...range.filters, ...whole.filters],
    findings: [
      ...matrix.findings,
      ...range.findings,
      ...describeTransparency(video),
      ...whole.findings,
      ...describeInterlaced(video, settings.deinterlace),
      ...findings,
    ],
  };
}

/** The source's own, where that is known and fits into an MP4 file, its last picture too. */
function clockOf({ timeBase }: VideoStream, { isComplete, lastDurationTicks }: PictureTimes): Ratio {
  const fits = timeBase.denominator <= MAX_TIMESCALE && lastDurationTicks * timeBase.numerator <= MAX_PACKET_TICKS;
  return isComplete && fits ? timeBase : { numerator: 1, denominator: 90_000 };
}

function ladderSource(video: VideoStream): LadderSource {
  const { width, height, sampleAspect } = uprightShape(video);
  return { widthPixels: width, heightPixels: height, sampleAspect: sampleAspect.numerator / sampleAspect.denominator };
}

function planRungs(parts: LadderParts): readonly Rung[] {
  const { source, settings } = parts;
  const { widthPixels: width, heightPixels: height } = source;
  const rungs = settings.codecs.flatMap((codec) => {
    const steps = carriedSteps(parts, codec);
    if (settings.ladder !== undefined && steps.length > 0 && tooLargeSteps(source, steps).length === steps.length) {
      const least = Math.min(...steps.map(({ shortPixels }) => shortPixels));
      const problem = `ladder has no rung of ${codec} that ${width}x${height} fills, the smallest is of height ${least}; nothing is enlarged.`;
      throw new ReelmillError("PARAMS_INVALID", problem);
    }
    const lacking = missingCellularSteps(parts, codec);
    const fitting = planLadder(source, codec, [...steps, ...lacking]).filter(isEncodable);
    if (steps.length > 0 && fitting.length > 0) return fitting;
    const why = steps.length === 0 ? "the ladder has no rung of it" : `${width}x${height} are too few pixels for it`;
    throw new ReelmillError("PARAMS_INVALID", `codecs has ${codec}, but ${why}.`);
  });
  if (rungs.length >= 2) return sortRungs(rungs);
  throw new ReelmillError(
    "PARAMS_INVALID",
    "Two different rungs are the least that a package has; give the ladder another one, or codecs another codec.",
  );
}

/**
 * How long the last picture that is taken lasts, in ticks of the clock's denominator: to the end, for those behind it are not there; where pictures are left
 * out, as long at least as makes 60 per second of them all. Null where nobody knows.
 */
function lastDuration({ video, times, thinning, clock, durationSeconds }: Pictures): number | null {
  const last = thinning.ticks.at(-1);
  if (last === undefined) return null;
  const rest = durationSeconds - secondsOf(last - times.originTicks, video.timeBase);
  if (thinning.filter === null) return rest > 0 ? Math.max(1, Math.round(rest * clock.denominator)) : null;
  return Math.ceil(Math.max(1 / MAX_FRAMES_PER_SECOND + TURN_SLACK_SECONDS, rest) * clock.denominator);
}

interface Pictures {
  readonly video: VideoStream;
  readonly times: PictureTimes;
  readonly thinning: Thinning;
  readonly clock: Ratio;
  readonly keyPictures: number | null;
  readonly durationSeconds: number;
}

function spansOf(pictures: Pictures, spanSeconds: number): readonly RungSpan[] {
  const spans = cutPictures(pictures, spanSeconds);
  const lastDurationTicks = lastDuration(pictures);
  return spans.map((span, index) => (index === spans.length - 1 ? { ...span, lastDurationTicks } : span));
}

/** Pictures can be cut where each has a time and none is left out: what is, follows from those before. */
function cutPictures({ video, times, thinning, keyPictures }: Pictures, spanSeconds: number): readonly RungSpan[] {
  // Without key pictures that are known, every span would be read from the file's beginning.
  if (thinning.filter !== null || !times.isComplete || times.keys.length === 0) return [WHOLE_SPAN];
  return planSpans({ ...times, timeBase: video.timeBase, keyPictures }, spanSeconds);
}

function keyPicturesOf({ timeBase }: VideoStream, { isComplete }: PictureTimes, thinning: Thinning): number {
  return planKeyPictures(isComplete ? thinning.ticks : [], timeBase, thinning.isDivided ? thinning.framesPerSecond : 0);
}

/** What the recording has or had, and the package has not. */
function describeLosses(path: string, manifest: MediaManifest, { subtitles }: HlsSettings): readonly string[] {
  const texts = subtitles === "drop" ? [] : describeLostSubtitles(manifest.subtitles, "HLS");
  const { chapterCount } = manifest;
  const chapters = chapterCount === 0 ? [] : [`Left out: ${formatCount(chapterCount, "chapter")}.`];
  return [...describeLostStreams(manifest), ...chapters, ...describeCutShort(path), ...texts];
}

/** What of an encrypted package everybody can read. */
function describeClear(
  { encryptKeyUri, encryptMethod, thumbnails, preview }: HlsSettings,
  hasSound: boolean,
  hasSubtitles: boolean,
): readonly string[] {
  if (encryptKeyUri === undefined) return [];
  const isBySample = encryptMethod === "sample-aes";
  const clear = [
    ...(isBySample && hasSubtitles ? ["subtitles"] : []),
    ...(thumbnails ? ["poster", "thumbnails"] : []),
    ...(preview ? ["preview"] : []),
  ];
  if (clear.length === 0) return [];
  const samples = hasSound ? "Pictures and sound" : "Pictures";
  const what = isBySample ? `${samples} are encrypted (SAMPLE-AES)` : "The segments are encrypted (AES-128)";
  return [`${what}; in the clear: ${clear.join(", ")}.`];
}
