import { runBoth } from "../../base/run-both.ts";
import { formatCount } from "../../base/units.ts";
import { listDecodedTimes } from "../../ffmpeg/decoded-times.ts";
import { listFrameTimes } from "../../ffmpeg/frame-times.ts";
import { type MediaManifest, probeManifest, type VideoStream } from "../../ffmpeg/manifest.ts";
import { patient } from "../../ffmpeg/tools.ts";
import { type DecodeCheck, digestPackets, type VerifyOptions, verifyDecodes } from "../../ffmpeg/verify.ts";
import { unpackTicks } from "../../spans/packed-ticks.ts";
import { checkSoundEnds } from "./check-sound.ts";
import { checkStreams } from "./check-streams.ts";
import type { ConversionCheck, ConversionPlan } from "./conversion.ts";
import { type ConvertHooks, EVEN_SLACK_PICTURES } from "./work.ts";

/** When the output's pictures are to be shown. */
export interface ExpectedPictures {
  readonly count: number;
  /** How many there would be if all of the source's decoded, at an even rate about; null where that is not known. */
  readonly due: number | null;
  /** When the first and the last one begin, from the beginning of the output. */
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  /** When the last one ends; null: as it was copied. */
  readonly endSeconds: number | null;
  /** MD5 of their packets, each of which was decoded in its span, once they have been joined; null: they are decoded now. */
  readonly packetDigest: (() => string) | null;
  /** When they begin, rising, in pieces: those of a long recording take much memory. */
  readonly seconds: () => Iterable<Float64Array>;
  /** Whether the source's own list says so, and not the encoder alone. */
  readonly isOfSource: boolean;
}

/** WebM counts milliseconds; MP4 counts the source's own ticks, which microseconds of a command line may touch. */
const SLACK_SECONDS = { mp4: 0.000_01, webm: 0.000_6 } as const;
/** A WebM's pictures begin and end with whole milliseconds, and last one at least. */
const END_SLACK_SECONDS = { mp4: SLACK_SECONDS.mp4, webm: 0.001_6 } as const;
/** Where pictures lie in the output. */
const PICTURES_INDEX = 0;
/** Of pictures that were decoded already so much is decoded once more: the output's own description of them might be wrong. */
const HEAD_SECONDS = 1;
/** Times are compared so many at a time. */
const PIECE_PICTURES = 65_536;

/** Holds the output against what it was to become. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED. */
export async function checkConversion(
  plan: ConversionPlan,
  expected: ExpectedPictures | undefined,
  inputPath: string,
  outputPath: string,
  level: "none" | "quick" | "full",
  { tools, signal, onProgress }: ConvertHooks,
): Promise<readonly ConversionCheck[]> {
  if (level === "none") return [];
  const pictures = expected ?? copiedPictures(plan);
  const [checks, decoded] = await runBoth(
    signal,
    async (either) =>
      await checkContainer(plan, pictures, inputPath, outputPath, { tools: patient(tools), signal: either }),
    async (either) =>
      level === "quick"
        ? undefined
        : await decodeOutput(plan, pictures, outputPath, { tools: patient(tools), signal: either, onProgress }),
  );
  if (decoded === undefined) return checks;
  const isAsSource = await decodesAsSource(plan, decoded, pictures.count, inputPath, { tools, signal });
  return [...checks, judgeDecoding(plan, decoded, pictures.count, isAsSource)];
}

/** What needs no decoding. */
async function checkContainer(
  plan: ConversionPlan,
  pictures: ExpectedPictures,
  inputPath: string,
  outputPath: string,
  bounds: Bounds,
): Promise<readonly ConversionCheck[]> {
  const manifest = await probeManifest(bounds.tools, outputPath, bounds.signal);
  return [
    checkStreams(plan, manifest),
    ...(plan.audio.length > 0 ? [await checkSoundEnds(plan, manifest, { inputPath, outputPath }, bounds)] : []),
    ...(await checkPictures(plan, pictures, manifest, outputPath, bounds)),
  ];
}

type Bounds = Pick<ConvertHooks, "tools" | "signal">;

interface Decoded extends Pick<DecodeCheck, "isClean" | "videoFrames" | "complaints"> {
  /** Whether no complaint is of pictures that were encoded. */
  readonly isEncodedClean: boolean;
}

async function decodeOutput(
  plan: ConversionPlan,
  pictures: ExpectedPictures,
  outputPath: string,
  { tools, signal, onProgress }: ConvertHooks,
): Promise<Decoded> {
  const { packetDigest, lastSeconds } = pictures;
  const onFrame = (seconds: number): void =>
    onProgress(lastSeconds > 0 ? 0.5 + Math.min(0.5, Math.max(0, seconds) / lastSeconds / 2) : 0.5);
  if (packetDigest === null) return await decodeWhole(plan, outputPath, { tools, signal, onFrame });
  return await compareDecoded(plan, { ...pictures, packetDigest }, outputPath, { tools, signal, onFrame });
}

/** Of sound that was copied, a complaint may be: pictures that were encoded are then decoded once more, by themselves. */
async function decodeWhole(
  { video }: ConversionPlan,
  outputPath: string,
  { tools, signal, onFrame }: Bounds & Pick<VerifyOptions, "onFrame">,
): Promise<Decoded> {
  const skipsLoopFilter = video.kind === "encode";
  const whole = await verifyDecodes(tools, outputPath, { signal, onFrame, skipsLoopFilter });
  if (whole.isClean || video.kind === "copy") return { ...whole, isEncodedClean: true };
  const pictures = await verifyDecodes(tools, outputPath, { signal, streams: "video", skipsLoopFilter });
  const complaints = pictures.isClean ? whole.complaints : pictures.complaints;
  return { ...whole, complaints, isEncodedClean: pictures.isClean };
}

/** Decodes what no span held: the sound, and the beginning, as the output describes it; the rest must be byte for byte what was decoded before. */
async function compareDecoded(
  { audio }: ConversionPlan,
  { count, firstSeconds, packetDigest }: ExpectedPictures & { readonly packetDigest: () => string },
  outputPath: string,
  { tools, signal, onFrame }: Bounds & Pick<VerifyOptions, "onFrame">,
): Promise<Decoded> {
  const isSame = (await digestPackets(tools, outputPath, PICTURES_INDEX, signal)) === packetDigest();
  const complaints = ["the pictures are not those that were encoded"];
  if (!isSame) return { isClean: false, isEncodedClean: false, videoFrames: 0, complaints };
  const maxSeconds = firstSeconds + HEAD_SECONDS;
  const [head, sound] = await runBoth(
    signal,
    async (either) => await verifyDecodes(tools, outputPath, { maxSeconds, signal: either }),
    async (either) =>
      audio.length === 0
        ? undefined
        : await verifyDecodes(tools, outputPath, { streams: "audio", signal: either, onFrame }),
  );
  return {
    isClean: head.isClean && sound?.isClean !== false,
    // Each span was decoded, and these are their bytes.
    isEncodedClean: true,
    videoFrames: head.videoFrames === 0 ? 0 : count,
    complaints: [...head.complaints, ...(sound?.complaints ?? [])],
  };
}

/** Whether of pictures that were copied some do not decode, and as many of the source's own, as of captures with holes. */
async function decodesAsSource(
  { video }: ConversionPlan,
  { isClean, videoFrames }: Decoded,
  wanted: number,
  inputPath: string,
  { tools, signal }: Bounds,
): Promise<boolean> {
  if (video.kind !== "copy" || isClean || videoFrames === 0 || videoFrames === wanted) return false;
  return (await listDecodedTimes(tools, inputPath, video.streamIndex, { signal })).length === videoFrames;
}

/** What was copied keeps the faults that the source has, such as a last packet that was cut off. */
function judgeDecoding(
  { video, audio }: ConversionPlan,
  { isClean, isEncodedClean, videoFrames, complaints }: Decoded,
  wanted: number,
  isAsSource: boolean,
): ConversionCheck {
  const decoded = `${formatCount(videoFrames, "picture")} decoded${isAsSource ? ` of ${wanted}, as of the source` : ""}`;
  if (isClean && videoFrames === wanted) return { name: "decode", status: "passed", detail: decoded };
  const fault = complaints.at(-1) ?? `${wanted} were to come`;
  const hasCopies = video.kind === "copy" || audio.some(({ kind }) => kind === "copy");
  if ((videoFrames === wanted || isAsSource) && hasCopies && isEncodedClean) {
    return { name: "decode", status: "warning", detail: `${decoded}; of what was copied the decoder says: ${fault}` };
  }
  return { name: "decode", status: "failed", detail: `${decoded}: ${fault}` };
}

/** What a copied stream is held against: the source's own list. */
function copiedPictures({ video: { packedTicks, outputTimeBase }, originSeconds }: ConversionPlan): ExpectedPictures {
  const tick = outputTimeBase.numerator / outputTimeBase.denominator;
  const unpack = (): Float64Array => (packedTicks === null ? new Float64Array(0) : unpackTicks(packedTicks));
  const ticks = unpack();
  return {
    count: ticks.length,
    due: ticks.length,
    firstSeconds: (ticks[0] ?? 0) * tick - originSeconds,
    packetDigest: null,
    lastSeconds: (ticks.at(-1) ?? 0) * tick - originSeconds,
    endSeconds: null,
    *seconds() {
      const all = unpack();
      for (let start = 0; start < all.length; start += PIECE_PICTURES) {
        yield all.subarray(start, start + PIECE_PICTURES).map((at) => at * tick - originSeconds);
      }
    },
    isOfSource: true,
  };
}

async function checkPictures(
  { container }: ConversionPlan,
  expected: ExpectedPictures,
  manifest: MediaManifest,
  outputPath: string,
  { tools, signal }: Bounds,
): Promise<readonly ConversionCheck[]> {
  const stream = manifest.video[0];
  if (stream === undefined) return [{ name: "pictures", status: "failed", detail: "there are no pictures" }];
  const { ticks, mended } = await listFrameTimes(tools, outputPath, stream.index, signal);
  if (mended.length > 0) {
    return [
      { name: "times", status: "failed", detail: `${formatCount(mended.length, "picture")} stored with a wrong time` },
    ];
  }
  const tick = stream.timeBase.numerator / stream.timeBase.denominator;
  const count = formatCount(ticks.length, "picture");
  if (ticks.length !== expected.count) {
    return [{ name: "pictures", status: "failed", detail: `${count}, ${expected.count} were encoded` }];
  }
  let worst = 0;
  let index = 0;
  for (const piece of expected.seconds()) {
    for (const at of piece) worst = Math.max(worst, Math.abs((ticks[index++] as number) * tick - at));
  }
  const off = `their times are off by ${(worst * 1000).toFixed(3)} ms at most`;
  const [due, end] = [expected.endSeconds, endOf(manifest, stream)];
  const endsLate = due === null || end === undefined ? 0 : end - due;
  const isEndRight = Math.abs(endsLate) <= END_SLACK_SECONDS[container];
  const isRight = worst <= SLACK_SECONDS[container] && isEndRight;
  const wrong = `, the last one ends ${Math.abs(1000 * endsLate).toFixed(3)} ms ${endsLate < 0 ? "early" : "late"}`;
  const detail = isEndRight ? off : `${off}${wrong}`;
  return [judgeCount(expected, count), { name: "times", status: isRight ? "passed" : "failed", detail }];
}

/** When a stream of pictures ends; undefined where the container tells that of the longest stream alone. */
function endOf(manifest: MediaManifest, { startSeconds = 0, durationSeconds }: VideoStream): number | undefined {
  if (durationSeconds !== undefined) return startSeconds + durationSeconds;
  return manifest.audio.length + manifest.subtitles.length === 0 ? manifest.durationSeconds : undefined;
}

/** Pictures that the source's decoder lost are missing rightly, and yet they are missing. */
function judgeCount({ count, due, isOfSource }: ExpectedPictures, shown: string): ConversionCheck {
  if (due === null)
    return { name: "pictures", status: "skipped", detail: `${shown}; the source does not tell how many` };
  const isWhole = count >= due - (isOfSource ? 0 : EVEN_SLACK_PICTURES);
  if (!isWhole) return { name: "pictures", status: "warning", detail: `${shown} of ${due}: the others do not decode` };
  const what = isOfSource ? "as the source" : "as many as its time takes at this rate";
  return { name: "pictures", status: "passed", detail: `${shown}, ${what}` };
}
