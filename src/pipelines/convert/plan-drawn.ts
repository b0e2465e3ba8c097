import { listFeatures } from "../../ffmpeg/features.ts";
import { formatScore, metricFilter } from "../../ffmpeg/score.ts";
import { qualityRange, resolveQuality } from "../../ffmpeg/software-encoders.ts";
import type { EncodedVideo, PlannedEncoder } from "./conversion.ts";
import type { ConvertSettings } from "./options.ts";
import { planEncoder } from "./plan-encoder.ts";
import type { SearchContext, Unsearched } from "./plan-search.ts";
import { trySamples } from "./sample-trial.ts";
import { cutSamples, GLANCE_SECONDS } from "./samples.ts";

const ENCODER = "libsvtav1";
/** Footage comes to less, encoded as usual. */
const MIN_SSIM = 0.998;
/** So much less is the same, as for all that is encoded fast; short samples lose more than the whole does. */
const MAX_LOST_SSIM = 0.002;
/** Of footage, tools for screens save 1 or 2 %. */
const MAX_BYTES_SHARE = 0.95;
/** How drawn pictures are encoded: so many steps of quality less than others, at this preset. */
const DRAWN = { qualitySteps: 20, preset: "8" } as const;

/**
 * Screens, slides and other pictures with hard edges, which AV1 has tools for, encoded fast: where samples say that pictures are such, the plan with these
 * tools, and a finding. Measured: docs/decisions/0036-drawn-pictures.md. Throws what encoding and comparing samples throw.
 */
export async function planDrawn(
  { inputPath, video, stream, times, manifest }: Omit<Unsearched, "audio">,
  { preset }: Pick<ConvertSettings, "preset">,
  { tools, signal, workFolder, clock, onProgress }: SearchContext,
): Promise<{ readonly video: EncodedVideo; readonly findings: readonly string[] }> {
  const asPlanned = { video, findings: [] };
  if (video.encoder.name !== ENCODER || preset !== undefined) return asPlanned;
  if (!(await listFeatures(tools, "filters", signal)).has(metricFilter("ssim"))) return asPlanned;
  const { startSeconds, durationSeconds } = manifest;
  const cuts = { times, timeBase: stream.timeBase, startSeconds, durationSeconds };
  const samples = cutSamples(video, cuts, GLANCE_SECONDS);
  const source = { inputPath, samples, folder: await workFolder() };
  const tried = async (encoder: PlannedEncoder) => {
    const hooks = { tools, signal, monotonicMs: clock.monotonicMs, onProgress: () => onProgress(0, "looking") };
    const { score, bytes } = await trySamples(source, { ...video, encoder }, "ssim", hooks);
    return { score: score ?? 0, bytes };
  };
  const usual = await tried(video.encoder);
  if (usual.score < MIN_SSIM) return asPlanned;
  const encoder = forDrawn(video.encoder, true);
  const drawn = await tried(encoder);
  if (drawn.score < usual.score - MAX_LOST_SSIM || drawn.bytes > usual.bytes) return asPlanned;
  const { bytes: plainBytes } = await tried(forDrawn(video.encoder, false));
  if (drawn.bytes > MAX_BYTES_SHARE * plainBytes) return asPlanned;
  const percent = Math.round((100 * drawn.bytes) / usual.bytes);
  const [before, now] = [formatScore("ssim", usual.score), formatScore("ssim", drawn.score)];
  const finding = `The pictures look drawn, as screens are, and are encoded with AV1's tools for such: samples took ${percent} % of the bytes (${now}, otherwise ${before}).`;
  return { video: { ...video, encoder }, findings: [finding] };
}

function forDrawn({ name, wish, threads }: PlannedEncoder, hasScreenTools: boolean): PlannedEncoder {
  const quality = Math.min(qualityRange(wish.codec).last, resolveQuality(wish) + DRAWN.qualitySteps);
  return planEncoder(name, { ...wish, quality, preset: DRAWN.preset, hasScreenTools }, threads, null);
}
