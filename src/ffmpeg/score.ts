import { ReelmillError } from "../base/errors.ts";
import { COMMON_ARGUMENTS, inputArguments } from "./arguments.ts";
import { runProcess } from "./process.ts";
import { requireSuccess } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

/** How the likeness of pictures is counted, best first; more is better. VMAF to 100, SSIM to 1, XPSNR in decibels. */
export const METRICS = ["vmaf", "xpsnr", "ssim"] as const;

/** One of `METRICS`. */
export type Metric = (typeof METRICS)[number];

/** ffmpeg's filters, and what they print at the end: of luma alone, but for SSIM. */
const FILTERS: Readonly<Record<Metric, { readonly filter: string; readonly result: RegExp }>> = {
  vmaf: { filter: "libvmaf", result: /\bVMAF score: ([\d.]+)/g },
  xpsnr: { filter: "xpsnr", result: /\bXPSNR +y: (-?[\d.]+|inf)/g },
  ssim: { filter: "ssim", result: /\bSSIM .*\bAll:([\d.]+|inf)/g },
};

/** Stands for infinity, which no JSON holds: pictures that are the same. */
const SAME_DECIBELS = 100;

/** ffmpeg's name of the filter that counts by a metric. */
export function metricFilter(metric: Metric): string {
  return FILTERS[metric].filter;
}

/** The best metric that an ffmpeg with these filters has. Throws FILTER_MISSING where there is none. */
export function chooseMetric(filters: ReadonlySet<string>): Metric {
  const metric = METRICS.find((name) => filters.has(metricFilter(name)));
  if (metric !== undefined) return metric;
  throw new ReelmillError("FILTER_MISSING", "This ffmpeg has none of the filters libvmaf, xpsnr and ssim.");
}

/** A score for people, as `SSIM 0.9812`. */
export function formatScore(metric: Metric, score: number): string {
  // Near 1, the fifth digit tells apart what the eye cannot, but a wish can.
  const digits = metric === "ssim" ? (score > 0.999 ? 6 : 4) : 2;
  // Rounded down: what falls short of a score is never shown as if it reached it.
  const shown = (Math.floor(score * 10 ** digits + 1e-6) / 10 ** digits).toFixed(digits);
  return `${metric.toUpperCase()} ${shown}${metric === "xpsnr" ? " dB" : ""}`;
}

/** Pictures to be compared: a stretch of a stream of a file. */
export interface ScoredPictures {
  readonly path: string;
  /** Options of the input, such as where to begin to read. */
  readonly options: readonly string[];
  readonly streamIndex: number;
  /** What is done to them before they are compared. */
  readonly filters: readonly string[];
}

/** How near pictures are to their source, and how many were compared. */
export interface PictureScore {
  readonly score: number;
  readonly pictures: number;
}

/**
 * How near pictures are to those they were made of, the first with the first, and so on, as long as there are both; they are brought to
 * `pixelFormat` before. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, FFMPEG_MISSING, ABORTED.
 */
export async function scorePictures(
  tools: FfmpegTools,
  metric: Metric,
  made: ScoredPictures,
  source: ScoredPictures,
  pixelFormat: string,
  signal: AbortSignal,
): Promise<PictureScore> {
  const { filter, result } = FILTERS[metric];
  const chain = ({ streamIndex, filters }: ScoredPictures, input: number, label: string): string =>
    // Paired by their number: containers round times, which would pair some with their neighbour. Of pictures without a rate, ffmpeg 7.1 divides by zero for XPSNR.
    `[${input}:${streamIndex}]${[...filters, `format=${pixelFormat}`, "settb=1/25", "setpts=N", "fps=25"].join(",")}[${label}]`;
  const graph = [chain(made, 0, "made"), chain(source, 1, "source"), `[made][source]${filter}=shortest=1`].join(";");
  const args = [
    ...[...COMMON_ARGUMENTS, "-v", "info", "-nostats", "-copyts"],
    ...[made, source].flatMap(({ path, options }) => inputArguments({ path, options, isRecording: true })),
    ...["-filter_complex", graph, "-an", "-sn", "-fps_mode", "passthrough", "-f", "null", "-"],
  ];
  const run = await runProcess(tools.ffmpegPath, args, { timeoutMs: tools.timeoutMs, signal });
  requireSuccess("ffmpeg", run);
  // The last one: what comes before may be words of the file's own.
  const text = [...run.errorTail.matchAll(result)].at(-1)?.[1];
  if (text === undefined) throw new ReelmillError("FFMPEG_FAILED", `ffmpeg's ${filter} gave no score.`);
  const pictures = Number([...run.errorTail.matchAll(/\bframe= *(\d+)/g)].at(-1)?.[1] ?? 0);
  return { score: text === "inf" ? SAME_DECIBELS : Number(text), pictures };
}
