import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import { formatBytes, formatCount, formatMediaSeconds } from "../../base/units.ts";
import { MAX_PACKET_TICKS } from "../../ffmpeg/arguments.ts";
import { describeChange } from "../../ffmpeg/held-shape.ts";
import type { Ratio } from "../../ffmpeg/manifest.ts";
import { DAMAGED_PICTURES } from "../../ffmpeg/source-damage.ts";
import { hdrBoxes } from "../../spans/hdr-boxes.ts";
import { type EncodedSpan, joinSpans, readSpan } from "../../spans/join-spans.ts";
import { matchTicks } from "../../spans/match-ticks.ts";
import { packTicks, unpackTicks } from "../../spans/packed-ticks.ts";
import type { ConversionCheck, ConversionPlan, ConversionReport, EncodedVideo, PlannedSearch } from "./conversion.ts";
import {
  encodeAgain,
  encodeCopiedSound,
  type FinishHooks,
  isSoundUncopiable,
  type United,
  uniteSpans,
} from "./encode-again.ts";
import { flattenSubtitles } from "./flatten-subtitles.ts";
import { type ConversionParts, type JoinedPictures, muxOutput } from "./mux.ts";
import { judgeScore, scoreOutput } from "./score-output.ts";
import { shrinkPlan } from "./shrink-plan.ts";
import { checkConversion, type ExpectedPictures } from "./verify.ts";

/**
 * Joins spans, sound and what the source has besides into the output, and checks it. Where a device failed at some spans, the others are encoded
 * again as those were; where the file became larger than it may, all are, at a lower quality. Throws OUTPUT_NOT_VERIFIED, TARGET_UNREACHABLE,
 * FFMPEG_FAILED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED; the file is then still there.
 */
export async function finishConversion(
  plan: ConversionPlan,
  parts: ConversionParts,
  outputPath: string,
  verify: "none" | "quick" | "full",
  hooks: FinishHooks,
): Promise<ConversionReport> {
  let made = await assemble(await uniteSpans(plan, parts, hooks), outputPath, hooks);
  const smaller = shrinkPlan(made.plan, statSync(outputPath).size, made.joined?.pictureBytes ?? 0);
  if (smaller !== undefined) {
    const spans = await encodeAgain(smaller.plan, parts.inputPath, "smaller", () => true, hooks);
    made = await assemble(await uniteSpans(smaller.plan, { ...made.parts, spans }, hooks), outputPath, hooks);
  }
  const { plan: final, joined } = made;
  const checks = [
    ...(await checkConversion(final, joined?.expected, parts.inputPath, outputPath, verify, hooks)),
    ...checkSize(plan, outputPath),
  ];
  const failed = checks.filter(({ status }) => status === "failed");
  if (failed.length > 0) {
    const reasons = failed.map(({ detail }) => detail).join("; ");
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The result did not pass its checks: ${reasons}.`);
  }
  const { inputPath } = parts;
  const isFitted = made.parts.spans.some(({ change }) => change === "shape");
  const score = await scoreOutput(final, joined?.expected, { inputPath, outputPath, isFitted }, hooks);
  const scored = judgeScore(plan, score);
  const damage = describeDamage(made.parts);
  const outcome = { joined, damage, checks: scored === undefined ? checks : [...checks, scored], score };
  return describeReport(final, smaller?.quality ?? null, outcome, { input: parts.inputPath, output: outputPath });
}

/** What an output was made of. */
interface Assembled extends United {
  readonly joined: Join | undefined;
}

async function assemble(united: United, outputPath: string, hooks: FinishHooks): Promise<Assembled> {
  try {
    return { ...united, joined: await mux(united, outputPath, hooks) };
  } catch (error) {
    if (!isSoundUncopiable(united.plan, error)) throw error;
    const encoded = await encodeCopiedSound(united.plan, united.parts, hooks);
    return { ...encoded, joined: await mux(encoded, outputPath, hooks) };
  }
}

async function mux({ plan, parts }: United, outputPath: string, hooks: FinishHooks): Promise<Join | undefined> {
  const sources: FileSource[] = [];
  try {
    const open = (path: string): FileSource => {
      const source = openFileSource(path);
      sources.push(source);
      return source;
    };
    const spans = parts.spans.map(({ path }) => open(path));
    const joined = plan.video.kind === "encode" ? describeJoin(plan.video, plan, spans) : undefined;
    const flattened = await flattenSubtitles(plan, parts.inputPath, hooks);
    await muxOutput(plan, { ...parts, flattened }, joined, outputPath, hooks);
    return joined;
  } finally {
    for (const source of sources) source.close();
  }
}

function checkSize({ maxBytes }: ConversionPlan, outputPath: string): readonly ConversionCheck[] {
  if (maxBytes === null) return [];
  const { size } = statSync(outputPath);
  const detail = `${formatBytes(size)}, at most ${formatBytes(maxBytes)} asked for`;
  return [{ name: "size", status: size <= maxBytes ? "passed" : "failed", detail }];
}

const FINEST_TIMESCALE = 1_000_000;

interface Join extends JoinedPictures {
  readonly pictureBytes: number;
  readonly expected: ExpectedPictures;
  readonly findings: readonly string[];
}

/** Which picture is shown when: by the source's list, or, where only decoding told, by the encoder's clock. */
function describeJoin(
  video: EncodedVideo,
  { originSeconds, container }: ConversionPlan,
  sources: readonly FileSource[],
): Join {
  const { timescale, factor } = joinedClock(video.outputTimeBase);
  const listed = video.packedTicks === null ? undefined : unpackTicks(video.packedTicks);
  const findings: string[] = [];
  let [count, pictureBytes] = [0, 0];
  let [firstTicks, lastTicks] = [0, 0];
  const spans = sources.map((source, index): EncodedSpan => {
    const { ownSeconds, totalBytes } = readSpan(source);
    const span = video.spans[index];
    const expected = span && listed?.subarray(span.start, span.end).map((ticks) => Math.round(ticks * factor));
    const { ticks, finding } = placePictures(ownSeconds, expected, timescale, `span ${index + 1}`);
    if (finding !== undefined) findings.push(finding);
    if (index === 0) firstTicks = ticks[0] ?? 0;
    lastTicks = ticks[ticks.length - 1] ?? lastTicks;
    count += ticks.length;
    pictureBytes += totalBytes;
    return { source, packedTicks: packTicks(ticks) };
  });
  const origin = Math.min(firstTicks, Math.round(originSeconds * timescale));
  const meanTicks = Math.max(1, Math.round((lastTicks - firstTicks) / Math.max(1, count - 1)));
  const lastListed = listed?.at(-1);
  const end = lastListed === undefined ? lastTicks + meanTicks : (lastListed + video.lastDurationTicks) * factor;
  const last = holdLast(lastTicks, Math.round(end), timescale);
  findings.push(...last.findings);
  const secondsOf = (ticks: number): number => (ticks - origin) / timescale;
  const [lastSeconds, endSeconds] = [secondsOf(lastTicks), secondsOf(lastTicks + last.durationTicks)];
  const extra = hdrBoxes(video.masteringDisplay, video.contentLight);
  const digest = createHash("md5");
  const onMedia = (piece: Uint8Array): void => void digest.update(piece);
  const times = { timescale, originTicks: origin, lastDurationTicks: last.durationTicks };
  const joined = container === "mp4" ? { spans, times } : inMilliseconds(spans, secondsOf, endSeconds);
  return {
    pieces: joinSpans(joined.spans, joined.times, { extra, onMedia }),
    ...{ timescale: joined.times.timescale, lastSeconds, endSeconds, pictureBytes },
    expected: {
      ...{ count, lastSeconds, endSeconds },
      firstSeconds: secondsOf(firstTicks),
      packetDigest: video.decodesSpans ? () => digest.copy().digest("hex") : null,
      seconds: () => spans.values().map(({ packedTicks }) => unpackTicks(packedTicks).map(secondsOf)),
      due: listed?.length ?? video.evenPictures,
      isOfSource: listed !== undefined,
    },
    findings,
  };
}

/**
 * The same, from the beginning of the output on, in the ticks that WebM counts in: ffmpeg asks how long packets last in those of the output up to some version
 * behind 5.1, then in those of what it copies.
 */
function inMilliseconds(spans: readonly EncodedSpan[], secondsOf: (ticks: number) => number, endSeconds: number) {
  let last = -1;
  const rounded = spans.map(({ source, packedTicks }): EncodedSpan => {
    const ticks = unpackTicks(packedTicks).map((tick) => {
      last = Math.max(last + 1, Math.round(secondsOf(tick) * 1000));
      return last;
    });
    return { source, packedTicks: packTicks(ticks) };
  });
  const lastDurationTicks = Math.max(1, Math.round(endSeconds * 1000) - last);
  return { spans: rounded, times: { timescale: 1000, originTicks: 0, lastDurationTicks } };
}

/** How long the last picture that came out is shown: up to the end of those that the recording has, of which the last ones may not decode. */
function holdLast(lastTicks: number, endTicks: number, timescale: number) {
  const wished = Math.max(1, endTicks - lastTicks);
  const durationTicks = Math.min(wished, MAX_PACKET_TICKS);
  const lost = formatMediaSeconds((wished - durationTicks) / timescale);
  const finding = `The last picture is shown for ${lost} less than in the recording: MP4 can tell no more.`;
  return { durationTicks, findings: durationTicks < wished ? [finding] : [] };
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
  const matched = ownSeconds.length < expected.length ? matchTicks(ownSeconds, expected, timescale) : undefined;
  if (matched === undefined) {
    const message = `${formatCount(ownSeconds.length, "picture")} came out of ${name}, not ${expected.length}, and which they are cannot be told.`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  const { ticks, guessed } = matched;
  const lost = formatCount(expected.length - ticks.length, "picture");
  const guess =
    guessed === 0 ? "" : ` Which they are is a guess: ${formatCount(guessed, "picture")} came with another's time.`;
  return { ticks, finding: `${lost} of ${name} could not be decoded from the source.${guess}` };
}

/** Ticks that are counted in 32 bits, and seldom more than some seconds from picture to picture: finer clocks are made coarser. */
function joinedClock({ numerator, denominator }: Ratio): { readonly timescale: number; readonly factor: number } {
  if (denominator <= FINEST_TIMESCALE) return { timescale: denominator, factor: numerator };
  return { timescale: FINEST_TIMESCALE, factor: (numerator * FINEST_TIMESCALE) / denominator };
}

/** What changes in the source, and what is wrong with it where it came out all the same. */
function describeDamage({ spans, isSoundDamaged }: ConversionParts): readonly string[] {
  return [
    ...describeChange(spans.map(({ change }) => change)),
    ...(spans.some(({ isDamaged }) => isDamaged) ? [DAMAGED_PICTURES] : []),
    ...(isSoundDamaged ? ["Some of the sound does not decode from the source: it is missing there."] : []),
  ];
}

interface Outcome extends Pick<ConversionReport, "checks" | "score"> {
  readonly joined: Join | undefined;
  readonly damage: readonly string[];
}

function describeReport(
  { video, look, findings, durationSeconds, search }: ConversionPlan,
  correctedQuality: number | null,
  { joined, damage, checks, score }: Outcome,
  paths: { readonly input: string; readonly output: string },
): ConversionReport {
  const corrected =
    correctedQuality === null ? [] : [`It became too large and was encoded once more, at quality ${correctedQuality}.`];
  const isTurned = look.rotationDegrees % 180 !== 0;
  return {
    pictures: joined?.expected.count ?? (video.packedTicks === null ? null : unpackTicks(video.packedTicks).length),
    spans: video.kind === "encode" ? video.spans.length : 0,
    encoder: video.kind === "encode" ? `${video.encoder.name}, ${video.encoder.settings}` : "copy",
    checks,
    findings: [...findings, ...(joined?.findings ?? []), ...damage, ...corrected],
    inputBytes: statSync(paths.input).size,
    outputBytes: statSync(paths.output).size,
    durationSeconds: joined?.expected.endSeconds ?? durationSeconds,
    widthPixels: isTurned ? look.heightPixels : look.widthPixels,
    heightPixels: isTurned ? look.widthPixels : look.heightPixels,
    search: search === null ? null : describeSearched(search, correctedQuality),
    score,
  };
}

function describeSearched(
  { sizeLogPerQuality: _slope, ...report }: PlannedSearch,
  correctedQuality: number | null,
): ConversionReport["search"] {
  return { ...report, correctedQuality };
}
