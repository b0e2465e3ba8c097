import { ReelmillError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { formatScore } from "../../ffmpeg/score.ts";
import { qualityRange } from "../../ffmpeg/software-encoders.ts";
import { type Climb, climb } from "./climb.ts";
import type { Aim, EncodedVideo, PlannedEncoder, PlannedSearch } from "./conversion.ts";
import { atQuality } from "./plan-encoder.ts";
import { predictContainerBytes } from "./predict-bytes.ts";
import { type SampleHooks, type SampleSource, trySamples } from "./sample-trial.ts";

/** What a search works on. */
export interface SearchSource extends SampleSource {
  readonly video: EncodedVideo;
  /** Of sound, as predicted. */
  readonly soundBytes: number;
}

/** What a search needs of the world outside. */
export interface SearchHooks extends SampleHooks {
  /** Undefined where nobody comes back to a search that was cut short. */
  readonly memory: TrialMemory | undefined;
}

/** Keeps trials for a search that comes after one that was cut short. */
export interface TrialMemory {
  /** What the samples came to when they were encoded so. */
  readonly find: (encoder: PlannedEncoder) => Trial | undefined;
  readonly keep: (encoder: PlannedEncoder, trial: Trial) => Promise<void>;
}

/** What encoding the samples at one quality came to. */
export interface Trial {
  readonly quality: number;
  /** Null where only the size counts. */
  readonly score: number | null;
  /** Of the whole file. */
  readonly bytes: number;
  /** To encode the whole. */
  readonly seconds: number;
}

/** Better qualities cost bytes that nobody sees; in the scale of `quality`. */
const BEST_FOR_SIZE = { h264: 16, hevc: 18, vp9: 18, av1: 18 } as const;
/** Near enough below the size that was asked for, where samples are the whole and where they are not. */
const SIZE_SLACK = 0.02;
const SIZE_MARGIN = { whole: 0.002, samples: 0.03 } as const;
const SIZE_ADVICE = "Give a larger size, smaller pictures (width, height), or less sound (audioBitrate, audioTracks).";
/** About what a step of 1 on a scale of 51 is worth: of SSIM in decibels. */
const RISE_PER_QUALITY = { ssim: 0.45, vmaf: 1.5, xpsnr: 0.5 } as const;
const SIZE_LOG_PER_QUALITY = 0.12;

/**
 * Finds the quality that reaches an aim, by encoding samples with the planned encoder, and tells what the whole will come to. Gives the plan of
 * the pictures at that quality. Throws TARGET_UNREACHABLE, and what encoding and comparing throw.
 */
export async function searchQuality(
  source: SearchSource,
  aim: Aim,
  hooks: SearchHooks,
): Promise<{ readonly video: EncodedVideo; readonly search: PlannedSearch }> {
  const { video, samples, soundBytes } = source;
  if (aim.kind === "size" && soundBytes >= aim.bytes) {
    const problem = `targetSize is ${formatBytes(aim.bytes)}, but sound alone takes about ${formatBytes(soundBytes)}.`;
    throw new ReelmillError("TARGET_UNREACHABLE", problem, { advice: SIZE_ADVICE });
  }
  const trials: Trial[] = [];
  const measure = async (quality: number): Promise<Trial> => {
    const encoder = atQuality(video.encoder, quality);
    const kept = hooks.memory?.find(encoder);
    if (kept !== undefined) {
      trials.push(kept);
      return kept;
    }
    const begun = 1 - 0.6 ** trials.length;
    const share = 0.4 * 0.6 ** trials.length;
    const trial = await tryQuality(source, quality, aim, {
      ...hooks,
      onProgress: (fraction) => hooks.onProgress(begun + share * fraction),
    });
    trials.push(trial);
    await hooks.memory?.keep(encoder, trial);
    return trial;
  };
  const found = await findTrial(video, aim, samples.factor === 1, measure);
  if (found === undefined) throw unreachable(video, aim, trials);
  const { quality, score, bytes, seconds } = found;
  return {
    video: { ...video, encoder: atQuality(video.encoder, quality) },
    search: {
      aim,
      quality,
      predicted: { score, bytes, seconds },
      trials: trials.map((trial) => ({ quality: trial.quality, score: trial.score, bytes: trial.bytes })),
      sampledSeconds: samples.sampledSeconds,
      sizeLogPerQuality: sizeSlope(trials, quality),
    },
  };
}

/** The trial to go by; undefined where the aim cannot be reached. `isWhole`: trials are of the whole, not of samples. */
export async function findTrial(
  video: Pick<EncodedVideo, "codec" | "encoder">,
  aim: Aim,
  isWhole: boolean,
  measure: (quality: number) => Promise<Trial>,
): Promise<Trial | undefined> {
  const ladder = aim.kind === "size" ? sizeLadder(video, aim.bytes, isWhole) : scoreLadder(video, aim);
  const trials = new Map<number, Trial>();
  const { step } = await climb({
    ...ladder,
    measure: async (at) => {
      const trial = await measure(ladder.qualityOf(at));
      trials.set(at, trial);
      return ladder.valueOf(trial);
    },
  });
  return step === null ? undefined : trials.get(step);
}

interface Ladder extends Omit<Climb, "measure"> {
  readonly qualityOf: (step: number) => number;
  readonly valueOf: (trial: Trial) => number;
}

/** From the best quality down, as sizes fall. */
function sizeLadder(video: Pick<EncodedVideo, "codec" | "encoder">, bytes: number, isWhole: boolean): Ladder {
  const { last, standard } = qualityRange(video.codec);
  const best = BEST_FOR_SIZE[video.codec];
  const unit = qualityUnit(video, "size");
  const limit = bytes * (1 - SIZE_MARGIN[isWhole ? "whole" : "samples"]);
  return {
    length: Math.floor((last - best) / unit) + 1,
    start: (standard - best) / unit,
    target: -Math.log(limit),
    enough: -Math.log(limit * (1 - SIZE_SLACK)),
    rise: (unit * SIZE_LOG_PER_QUALITY * 51) / last,
    qualityOf: (step) => best + step * unit,
    valueOf: (trial) => -Math.log(trial.bytes),
  };
}

/** From the lowest quality up, as scores rise. */
function scoreLadder(
  video: Pick<EncodedVideo, "codec" | "encoder">,
  { metric, score }: Aim & { kind: "quality" },
): Ladder {
  const { first, last, standard } = qualityRange(video.codec);
  const unit = qualityUnit(video, "quality");
  const scale = metric === "ssim" ? decibels : (value: number): number => value;
  const target = scale(score);
  return {
    length: Math.floor((last - first) / unit) + 1,
    start: (last - standard) / unit,
    target,
    // The next lower quality is tried, too: how much a score may be above tells little of how much quality it wastes.
    enough: target,
    rise: (unit * RISE_PER_QUALITY[metric] * 51) / last,
    qualityOf: (step) => last - step * unit,
    valueOf: (trial) => scale(trial.score ?? 0),
  };
}

/** The steps in which a quality is searched; devices count in whole numbers whatever the codec. */
export function qualityUnit({ codec, encoder }: Pick<EncodedVideo, "codec" | "encoder">, kind: Aim["kind"]): number {
  if (qualityRange(codec).isWhole || encoder.hardware !== null) return 1;
  return kind === "size" ? 0.25 : 0.5;
}

/** SSIM as what it lacks to 1: about even over qualities, as it is not itself. */
function decibels(ssim: number): number {
  return -10 * Math.log10(Math.max(1e-9, 1 - ssim));
}

async function tryQuality(source: SearchSource, quality: number, aim: Aim, hooks: SearchHooks): Promise<Trial> {
  const tried = { ...source.video, encoder: atQuality(source.video.encoder, quality) };
  const metric = aim.kind === "size" ? null : aim.metric;
  const { score, pictures, bytes, seconds } = await trySamples(source, tried, metric, hooks);
  const whole = bytes + predictContainerBytes(pictures) + source.soundBytes;
  return { quality, score, bytes: Math.round(whole), seconds };
}

/** How much the logarithm of the size falls with each step of quality, by the two trials about the one found. */
function sizeSlope(trials: readonly Trial[], quality: number): number {
  const [near, far] = trials.toSorted((a, b) => Math.abs(a.quality - quality) - Math.abs(b.quality - quality));
  if (near === undefined || far === undefined) return SIZE_LOG_PER_QUALITY / 2;
  const slope = (Math.log(near.bytes) - Math.log(far.bytes)) / (far.quality - near.quality);
  return Math.min(SIZE_LOG_PER_QUALITY, Math.max(SIZE_LOG_PER_QUALITY / 4, slope));
}

function unreachable({ codec, encoder }: EncodedVideo, aim: Aim, trials: readonly Trial[]): ReelmillError {
  const { first, last } = qualityRange(codec);
  if (aim.kind === "size") {
    const least = Math.min(...trials.map(({ bytes }) => bytes));
    const problem = `targetSize is ${formatBytes(aim.bytes)}, but at the lowest quality of ${encoder.name} (${last}) about ${formatBytes(least)} would come out.`;
    return new ReelmillError("TARGET_UNREACHABLE", problem, { advice: SIZE_ADVICE });
  }
  const most = Math.max(...trials.map(({ score }) => score ?? 0));
  const problem = `targetQuality is ${formatScore(aim.metric, aim.score)}, but at the best quality of ${encoder.name} (${first}) samples came to ${formatScore(aim.metric, most)}.`;
  return new ReelmillError("TARGET_UNREACHABLE", problem, { advice: "It can be up to that." });
}
