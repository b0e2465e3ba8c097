import { firstIndexWhere } from "../../base/first-index.ts";
import { formatElapsedMs } from "../../base/units.ts";
import { formatScore, type ScoredPictures, scorePictures } from "../../ffmpeg/score.ts";
import { seekOptions } from "../../spans/encode-span.ts";
import type { ConversionCheck, ConversionPlan, EncodedVideo, MeasuredScore } from "./conversion.ts";
import { chooseSamples, LEAD_SECONDS } from "./samples.ts";
import type { ExpectedPictures } from "./verify.ts";
import { type ConvertHooks, describeCut } from "./work.ts";

interface ScoredFiles {
  readonly inputPath: string;
  readonly outputPath: string;
  /** Whether pictures were fitted into the planned shape. */
  readonly isFitted: boolean;
}

/**
 * Compares samples of the output with the source's pictures, on which the same filters were used. Null where nothing is to be compared, or the two do not pair. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function scoreOutput(
  plan: ConversionPlan,
  expected: ExpectedPictures | undefined,
  { inputPath, outputPath, isFitted }: ScoredFiles,
  hooks: Pick<ConvertHooks, "tools" | "signal">,
): Promise<MeasuredScore | null> {
  const { comparison, video, originSeconds } = plan;
  if (comparison === null || video.kind === "copy" || expected === undefined || expected.count === 0) return null;
  const { metric } = comparison;
  let sum = 0;
  let pictures = 0;
  const stretches = listStretches(listSeconds(expected));
  for (const stretch of stretches) {
    const score = async (leadSeconds: number): Promise<{ readonly score: number; readonly pictures: number }> => {
      const made = readStretch(stretch, leadSeconds, 0, outputPath, { streamIndex: 0, context: [], picture: [] });
      const filters = filtersOf(video, inputPath, isFitted);
      const source = readStretch(stretch, leadSeconds, originSeconds, inputPath, filters);
      return await scorePictures(hooks.tools, metric, made, source, video.pixelFormat, hooks.signal);
    };
    let compared = await score(LEAD_SECONDS);
    if (compared.pictures !== stretch.count) compared = await score(Number.POSITIVE_INFINITY);
    if (compared.pictures !== stretch.count) return null;
    sum += compared.score * compared.pictures;
    pictures += compared.pictures;
  }
  const sampledSeconds = stretches.reduce((total, { lengthSeconds }) => total + lengthSeconds, 0);
  return { metric, value: sum / pictures, sampledSeconds };
}

interface Stretch {
  /** Between pictures, where rounding moves none across; null: the beginning and the end. */
  readonly fromSeconds: number | null;
  readonly toSeconds: number | null;
  readonly count: number;
  readonly lengthSeconds: number;
}

function listSeconds({ count, seconds }: ExpectedPictures): Float64Array {
  const all = new Float64Array(count);
  let at = 0;
  for (const piece of seconds()) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Samples that have a picture; without any the whole. */
function listStretches(seconds: Float64Array): readonly Stretch[] {
  const [first = 0, last = 0] = [seconds[0], seconds.at(-1)];
  const indexOf = (at: number): number => firstIndexWhere(seconds.length, (index) => (seconds[index] as number) >= at);
  const before = (index: number): number | null =>
    index === 0 || index === seconds.length ? null : ((seconds[index - 1] as number) + (seconds[index] as number)) / 2;
  const stretches = (chooseSamples(last - first) ?? []).map(({ startSeconds, endSeconds }) => {
    const [start, end] = [indexOf(first + startSeconds), indexOf(first + endSeconds)];
    const lengthSeconds = endSeconds - startSeconds;
    return { fromSeconds: before(start), toSeconds: before(end), count: end - start, lengthSeconds };
  });
  const filled = stretches.filter(({ count }) => count > 0);
  if (filled.length > 0) return filled;
  return [{ fromSeconds: null, toSeconds: null, count: seconds.length, lengthSeconds: last - first }];
}

interface StretchFilters {
  readonly streamIndex: number;
  readonly context: readonly string[];
  readonly picture: readonly string[];
}

function filtersOf(video: EncodedVideo, inputPath: string, isFitted: boolean): StretchFilters {
  const whole = { startTicks: null, endTicks: null, seekSeconds: null, pictures: 0 };
  const { streamIndex, contextFilters, pictureFilters } = describeCut(video, whole, inputPath, isFitted);
  return { streamIndex, context: contextFilters, picture: pictureFilters };
}

function readStretch(
  { fromSeconds, toSeconds }: Stretch,
  leadSeconds: number,
  originSeconds: number,
  path: string,
  { streamIndex, context, picture }: StretchFilters,
): ScoredPictures {
  const bounds = [
    ...(fromSeconds === null ? [] : [`start=${(fromSeconds + originSeconds).toFixed(6)}`]),
    ...(toSeconds === null ? [] : [`end=${(toSeconds + originSeconds).toFixed(6)}`]),
  ];
  const isSought = fromSeconds !== null && fromSeconds > leadSeconds;
  const options = seekOptions(isSought ? fromSeconds - leadSeconds + originSeconds : null);
  const trim = bounds.length === 0 ? [] : [`trim=${bounds.join(":")}`];
  return { path, options, streamIndex, filters: [...context, ...trim, ...picture] };
}

/** What was measured as a check; undefined where nothing was to be compared. */
export function judgeScore(
  { comparison, video }: ConversionPlan,
  score: MeasuredScore | null,
): ConversionCheck | undefined {
  if (comparison === null) return undefined;
  if (video.kind === "copy") return { name: "score", status: "skipped", detail: "the pictures are the source's own" };
  const { metric, wanted } = comparison;
  if (score === null) {
    return { name: "score", status: "skipped", detail: "the source's pictures cannot be paired with the output's" };
  }
  const found = `${formatScore(metric, score.value)} on ${formatElapsedMs(score.sampledSeconds * 1000)} of it`;
  if (wanted === null) return { name: "score", status: "passed", detail: found };
  const detail = `${found}, ${formatScore(metric, wanted)} was asked for`;
  return { name: "score", status: score.value >= wanted ? "passed" : "warning", detail };
}
