import { dirname } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { formatBytes, formatCount, formatElapsedMs, parseBytes } from "../../base/units.ts";
import { deviceFault } from "../../ffmpeg/device-fault.ts";
import { listFeatures } from "../../ffmpeg/features.ts";
import type { MediaManifest, VideoStream } from "../../ffmpeg/manifest.ts";
import { chooseMetric, formatScore, metricFilter } from "../../ffmpeg/score.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { Aim, AudioPlan, ConversionPlan, EncodedVideo, PlannedSearch, SearchReport } from "./conversion.ts";
import { fallBack } from "./fall-back.ts";
import type { ConvertSettings } from "./options.ts";
import { predictSoundBytes } from "./predict-bytes.ts";
import { cutSamples, type SourceTimes } from "./samples.ts";
import { searchQuality, type TrialMemory } from "./search.ts";

/** What is aimed at, and how the output is compared with the source. */
export interface Aims {
  readonly aim: Aim | null;
  readonly comparison: ConversionPlan["comparison"];
}

/** What the settings aim at. Throws FILTER_MISSING where this ffmpeg cannot measure it, FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED. */
export async function chooseAims(
  { targetQuality, targetSize, score, verify }: ConvertSettings,
  tools: FfmpegTools,
  signal: AbortSignal,
): Promise<Aims> {
  const bytes = targetSize === undefined ? undefined : parseBytes(targetSize);
  const size: Aim | null = bytes === undefined ? null : { kind: "size", bytes };
  if (targetQuality === undefined && !score) return { aim: size, comparison: null };
  const filters = await listFeatures(tools, "filters", signal);
  if (targetQuality === undefined) return { aim: size, comparison: { metric: chooseMetric(filters), wanted: null } };
  const metric = targetQuality < 1 ? "ssim" : "vmaf";
  if (!filters.has(metricFilter(metric))) {
    const problem = `targetQuality is ${targetQuality}, a ${metric.toUpperCase()} score, but this ffmpeg has no filter ${metricFilter(metric)}.`;
    const advice = metric === "vmaf" ? "Give an SSIM from 0.5 to below 1, such as 0.98, or use another ffmpeg." : "";
    throw new ReelmillError("FILTER_MISSING", problem, { advice });
  }
  const aim: Aim = { kind: "quality", metric, score: targetQuality };
  return { aim, comparison: verify === "none" ? null : { metric, wanted: targetQuality } };
}

/** What a search needs of the world outside. */
export interface SearchContext {
  readonly tools: FfmpegTools;
  readonly signal: AbortSignal;
  /** A folder for samples, which goes when the conversion ends; asked for where some are encoded. */
  readonly workFolder: () => Promise<string>;
  readonly clock: Clock;
  /** As `SearchHooks` has it. */
  readonly memory?: TrialMemory | undefined;
  /** Hears from 0 to 1 how far trials of samples have come, and what they are for. */
  readonly onProgress: (fraction: number, phase: string) => void;
}

/** What is planned before the search. */
export interface Unsearched {
  readonly inputPath: string;
  readonly video: EncodedVideo;
  readonly stream: VideoStream;
  readonly times: SourceTimes["times"];
  readonly manifest: MediaManifest;
  readonly audio: readonly AudioPlan[];
}

/** Finds the quality for an aim; where the planned device fails at it, with the encoder that takes over. Throws as `searchQuality`. */
export async function searchPlanned(
  { inputPath, video, stream, times, manifest, audio }: Unsearched,
  aim: Aim,
  { tools, signal, workFolder, clock, memory, onProgress }: SearchContext,
): Promise<{ readonly video: EncodedVideo; readonly search: PlannedSearch; readonly findings: readonly string[] }> {
  const { startSeconds, durationSeconds } = manifest;
  const samples = cutSamples(video, { times, stream, manifest });
  const folder = await workFolder();
  const sound = { audio, inputPath, originSeconds: startSeconds, durationSeconds: durationSeconds ?? null };
  const soundBytes = await predictSoundBytes(sound, folder, { tools, signal });
  const search = (pictures: EncodedVideo) =>
    searchQuality({ inputPath, video: pictures, samples, soundBytes, folder }, aim, {
      tools,
      signal,
      memory,
      onProgress: (fraction) => onProgress(fraction, "searching"),
      monotonicMs: clock.monotonicMs,
    });
  try {
    return { ...(await search(video)), findings: [] };
  } catch (error) {
    const fault = deviceFault(video.encoder, error, [dirname(inputPath), folder]);
    if (fault === undefined) throw error;
    const { video: fallen, finding } = fallBack(video, fault);
    return { ...(await search(fallen)), findings: [finding] };
  }
}

/** What was found and what is to be expected, in a sentence. */
export function describeSearch({ aim, quality, predicted, trials, sampledSeconds }: SearchReport): string {
  const wish = aim.kind === "size" ? formatBytes(aim.bytes) : formatScore(aim.metric, aim.score);
  const score =
    aim.kind === "quality" && predicted.score !== null ? `${formatScore(aim.metric, predicted.score)}, ` : "";
  const how = `found in ${formatCount(trials.length, "trial")} on ${formatElapsedMs(sampledSeconds * 1000)} of it`;
  const outcome = `${score}about ${formatBytes(predicted.bytes)} after about ${formatElapsedMs(predicted.seconds * 1000)} of encoding`;
  return `For ${wish}, quality ${quality} was ${how}: ${outcome}.`;
}
