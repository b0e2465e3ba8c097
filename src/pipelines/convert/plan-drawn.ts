import { ReelmillError } from "../../base/errors.ts";
import { listFeatures } from "../../ffmpeg/features.ts";
import { metricFilter } from "../../ffmpeg/score.ts";
import type { EncodedVideo, PlannedEncoder } from "./conversion.ts";
import type { ConvertSettings } from "./options.ts";
import { planEncoder } from "./plan-encoder.ts";
import type { SearchContext, Unsearched } from "./plan-search.ts";
import { trySamples } from "./sample-trial.ts";
import { cutSamples, GLANCES } from "./samples.ts";

const ENCODER = "libsvtav1";
/** Footage comes to less, encoded as usual. */
const MIN_SSIM = 0.998;
/** Of footage, tools for screens save 1 or 2 %. */
const MAX_BYTES_SHARE = 0.95;
/** Longer recordings whose samples hold no picture, as time lapses, are not encoded as a whole for it. */
const MAX_WHOLE_SECONDS = 5;
/** 10 takes up to 58 % more bytes, 7 half as long again. */
const PRESET = "8";
/** How drawn pictures are encoded, the smallest way first: qualities in the terms of a wish, and the SSIM that each may lose by samples. */
const WAYS = [
  { quality: 44, maxLostSsim: 0.001 },
  { quality: 36, maxLostSsim: 0.002 },
];

/** What samples came to. */
interface Tried {
  /** The mean SSIM of their pictures. */
  readonly score: number;
  readonly bytes: number;
}

interface Tuned {
  readonly video: EncodedVideo;
  readonly findings: readonly string[];
}

/**
 * Screens, slides of text and other pictures with hard edges, which AV1 has tools for, where neither a quality nor a preset was asked for: if samples say
 * that pictures are such, the plan with these tools, and a finding. A trial that fails leaves the plan as it is: encoding the whole will tell why.
 * Measured: docs/decisions/0036-drawn-pictures.md. Throws FFMPEG_MISSING, ABORTED.
 */
export async function planDrawn(
  planned: Unsearched,
  settings: Pick<ConvertSettings, "preset" | "quality">,
  context: SearchContext,
): Promise<Tuned> {
  const asPlanned = { video: planned.video, findings: [] };
  if (!mayBeTuned(planned.video, settings)) return asPlanned;
  if (!(await listFeatures(context.tools, "filters", context.signal)).has(metricFilter("ssim"))) return asPlanned;
  try {
    return (await tuneByTrials(planned, context)) ?? asPlanned;
  } catch (error) {
    if (context.signal.aborted || !(error instanceof ReelmillError)) throw error;
    return { ...asPlanned, findings: [`Whether pictures are drawn could not be tried: ${error.message}`] };
  }
}

/** Without their times, a second may hold no picture, or be found by reading all; burnt subtitles are read anew for each sample. */
function mayBeTuned(
  { encoder: { name, wish }, packedTicks, burntSubtitle }: EncodedVideo,
  { preset, quality }: Pick<ConvertSettings, "preset" | "quality">,
): boolean {
  const isAsked = preset !== undefined || quality !== undefined;
  return name === ENCODER && !isAsked && wish.bitDepth === 8 && packedTicks !== null && burntSubtitle === null;
}

async function tuneByTrials(
  { inputPath, video, stream, times, manifest }: Unsearched,
  { tools, signal, workFolder, clock, onProgress }: SearchContext,
): Promise<Tuned | undefined> {
  const samples = cutSamples(video, { times, stream, manifest }, GLANCES);
  const isWhole = samples.factor === 1;
  if (isWhole && samples.sampledSeconds > MAX_WHOLE_SECONDS) return undefined;
  const source = { inputPath, samples, folder: await workFolder() };
  const hooks = { tools, signal, monotonicMs: clock.monotonicMs, onProgress: () => onProgress(0, "looking") };
  const tried = async (encoder: PlannedEncoder): Promise<Tried> => {
    const { score, bytes } = await trySamples(source, { ...video, encoder }, "ssim", hooks);
    return { score: score ?? 0, bytes };
  };
  const usual = await tried(video.encoder);
  if (usual.score < MIN_SSIM) return undefined;
  for (const { quality, maxLostSsim } of WAYS) {
    const encoder = forDrawn(video.encoder, quality, true);
    const drawn = await tried(encoder);
    if (drawn.score < usual.score - maxLostSsim) continue;
    const withoutTools = { ...video, encoder: forDrawn(video.encoder, quality, false) };
    const maxBytes = MAX_BYTES_SHARE * (await trySamples(source, withoutTools, null, hooks)).bytes;
    if (drawn.bytes > maxBytes || drawn.bytes >= usual.bytes) return undefined;
    return { video: { ...video, encoder }, findings: [describe(usual, drawn, isWhole)] };
  }
  return undefined;
}

/** What was tried, in a sentence. */
function describe(usual: Tried, drawn: Tried, isWhole: boolean): string {
  const percent = Math.round((100 * drawn.bytes) / usual.bytes);
  const lost = Math.max(0, usual.score - drawn.score).toFixed(4);
  const tried = isWhole ? "tried, this" : "samples";
  return `The pictures look drawn, as screens are, and are encoded with AV1's tools for such: ${tried} took ${percent} % of the bytes, at ${lost} less SSIM.`;
}

function forDrawn({ name, wish, threads }: PlannedEncoder, quality: number, hasScreenTools: boolean): PlannedEncoder {
  return planEncoder(name, { ...wish, preset: PRESET, quality, hasScreenTools }, threads, null);
}
