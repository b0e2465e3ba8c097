import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { listFeatures } from "../../ffmpeg/features.ts";
import { stillMatrixFilter } from "../../ffmpeg/picture-filters.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import { verifyDecodes } from "../../ffmpeg/verify.ts";
import { HELD_GLOBAL_ARGUMENTS, type HeldPictures, heldFilters, heldInput } from "./held-pictures.ts";
import type { Rung } from "./ladder.ts";
import type { HlsSettings } from "./options.ts";
import type { PackageHooks, PreviewPlan } from "./packaging.ts";
import { chooseRungEncoders } from "./plan-encoders.ts";
import type { PictureSource } from "./thumbnails.ts";

/** Names within the package. */
export const PREVIEW_FOLDER = "preview";
export const PREVIEW_MP4 = "preview.mp4";
export const PREVIEW_WEBP = "preview.webp";

const PIECES = 6;
const PIECE_SECONDS = 0.5;
const WIDTH_PIXELS = 320;
/** So that half a second is a whole number of them. */
const FRAMES_PER_SECOND = 16;
const WEBP_ENCODER = "libwebp_anim";
const WEBP_ARGUMENTS = ["-c:v", WEBP_ENCODER, "-quality", "60", "-loop", "0"] as const;

/** What a preview is encoded with; a build of ffmpeg without animated WebP makes the MP4 alone. Throws as `chooseRungEncoders`. */
export async function planPreview(
  { preview, speed }: Pick<HlsSettings, "preview" | "speed">,
  hooks: Pick<PackageHooks, "tools" | "signal">,
): Promise<{ readonly preview: PreviewPlan | null; readonly findings: readonly string[] }> {
  if (!preview) return { preview: null, findings: [] };
  const wish = { codecs: ["h264" as const], speed, preset: undefined, hardware: "off" as const };
  const { encoders } = await chooseRungEncoders(wish, null, hooks);
  const [encoder] = encoders;
  if (encoder === undefined) throw new ReelmillError("ENCODER_MISSING", "No encoder was chosen for the preview.");
  const hasWebp = (await listFeatures(hooks.tools, "encoders", hooks.signal)).has(WEBP_ENCODER);
  const findings = hasWebp ? [] : [`The preview is MP4 alone: this ffmpeg has no ${WEBP_ENCODER}.`];
  return { preview: { encoder, hasWebp }, findings };
}

/** The pieces: spread evenly; of short recordings all is one piece. */
export function previewPieces(durationSeconds: number): readonly HeldPictures[] {
  const allSeconds = PIECES * PIECE_SECONDS;
  if (durationSeconds <= allSeconds) return [pieceOf(0, durationSeconds)];
  return Array.from({ length: PIECES }, (_, index) =>
    pieceOf(((index + 0.5) / PIECES) * durationSeconds - PIECE_SECONDS / 2, PIECE_SECONDS),
  );
}

function pieceOf(startSeconds: number, seconds: number): HeldPictures {
  const pictures = Math.max(1, Math.floor(seconds * FRAMES_PER_SECOND));
  return { startSeconds, pictures, framesPerSecond: FRAMES_PER_SECOND };
}

/**
 * Writes a short clip without sound of the smallest rung that is as wide, as MP4 and, where that can be, as a WebP that repeats. A preview that
 * cannot be made is left out: gives the sentences that say so. Throws ABORTED and what the system throws.
 */
export async function writePreview(
  plan: PreviewPlan,
  rungs: readonly PictureSource[],
  packageFolder: string,
  durationSeconds: number,
  hooks: Pick<PackageHooks, "tools" | "signal">,
): Promise<readonly string[]> {
  const source = rungs.findLast(({ rung }) => rung.widthPixels >= WIDTH_PIXELS) ?? rungs[0];
  if (source === undefined) return [];
  const folder = join(packageFolder, PREVIEW_FOLDER);
  mkdirSync(folder);
  try {
    await encodePreview(plan, source, folder, previewPieces(durationSeconds), hooks);
    return [];
  } catch (error) {
    // The recording plays without it.
    if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
    rmSync(folder, { recursive: true });
    return [`There is no preview: ${error.message}`];
  }
}

/** Throws OUTPUT_NOT_VERIFIED where what came out is not as long as the pieces, and as `runFfmpeg`. */
async function encodePreview(
  { encoder, hasWebp }: PreviewPlan,
  { path, rung }: PictureSource,
  folder: string,
  pieces: readonly HeldPictures[],
  { tools, signal }: Pick<PackageHooks, "tools" | "signal">,
): Promise<void> {
  const mp4 = join(folder, PREVIEW_MP4);
  const webp = join(folder, PREVIEW_WEBP);
  const times = ["-fps_mode", "passthrough", "-enc_time_base", `1:${FRAMES_PER_SECOND}`];
  await runFfmpeg(tools, {
    globalArguments: HELD_GLOBAL_ARGUMENTS,
    inputs: pieces.map(({ startSeconds }) => heldInput(path, startSeconds)),
    outputArguments: [
      ...["-filter_complex", previewGraph(rung, pieces, hasWebp)],
      ...[
        "-map",
        "[mp4]",
        ...times,
        "-c:v",
        encoder.name,
        "-preset",
        encoder.preset,
        "-crf",
        "26",
        "-pix_fmt",
        "yuv420p",
      ],
      ...["-movflags", "+faststart", "-f", "mp4", fileArgument(mp4)],
      ...(hasWebp ? ["-map", "[webp]", ...times, ...WEBP_ARGUMENTS, "-f", "webp", fileArgument(webp)] : []),
    ],
    signal,
  });
  const planned = pieces.reduce((sum, { pictures }) => sum + pictures, 0);
  const { isClean, videoFrames, complaints } = await verifyDecodes(tools, mp4, { signal });
  const shown = hasWebp ? readWebpAnimation(readFileSync(webp)) : undefined;
  if (isClean && videoFrames === planned && (!hasWebp || isAsLong(shown, planned / FRAMES_PER_SECOND))) return;
  const lengths = [planned, videoFrames].map((pictures) => (pictures / FRAMES_PER_SECOND).toFixed(2));
  const found = `${lengths[0]} s were planned, there are ${lengths[1]} as MP4, ${shown?.seconds?.toFixed(2) ?? "none"} as WebP`;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `it is not right: ${complaints.at(-1) ?? found}.`);
}

/** How long a WebP's last picture lasts is not told (libwebp takes the mean of the others), and nothing where all are the same. */
function isAsLong(shown: WebpAnimation | undefined, seconds: number): boolean {
  if (shown === undefined) return false;
  const slackSeconds = 2 / FRAMES_PER_SECOND + seconds / shown.pictures;
  return shown.seconds === undefined || Math.abs(shown.seconds - seconds) <= slackSeconds;
}

function previewGraph(rung: Rung, pieces: readonly HeldPictures[], hasWebp: boolean): string {
  const scale = Math.min(1, WIDTH_PIXELS / rung.widthPixels);
  const even = (side: number): number => Math.max(2, 2 * Math.round((side * scale) / 2));
  const held = pieces.map((piece, index) => `[${index}:v:0]${heldFilters(piece)}[piece${index}];`).join("");
  const inputs = pieces.map((_piece, index) => `[piece${index}]`).join("");
  const size = `scale=${even(rung.widthPixels)}:${even(rung.heightPixels)}`;
  const common = `${held}${inputs}concat=n=${pieces.length},settb=1/${FRAMES_PER_SECOND},setpts=N,${size},format=yuv420p`;
  const webp = `[still]${stillMatrixFilter("tv")},format=yuv420p[webp]`;
  return hasWebp ? `${common},split[mp4][still];${webp}` : `${common}[mp4]`;
}

/** What an animated WebP shows. */
interface WebpAnimation {
  readonly pictures: number;
  readonly seconds: number | undefined;
}

/**
 * What an animated WebP that repeats for ever shows; undefined where it is none. ffmpeg's decoder passes over animations, so that their chunks
 * are read here (RFC 9649 §2.5, §2.7). Pictures that are the same as the one before are part of that; where all are, there is a single picture, which
 * lasts for no time told.
 */
export function readWebpAnimation(bytes: Uint8Array): WebpAnimation | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nameAt = (index: number): string => String.fromCharCode(...bytes.subarray(index, index + 4));
  if (bytes.length < 12 || nameAt(0) !== "RIFF" || nameAt(8) !== "WEBP") return undefined;
  if (view.getUint32(4, true) !== bytes.length - 8) return undefined;
  let pictures = 0;
  let shownMs = 0;
  let isStill = false;
  let repeats: boolean | undefined;
  for (let index = 12; index < bytes.length; ) {
    if (index + 8 > bytes.length) return undefined;
    const sizeBytes = view.getUint32(index + 4, true);
    const endIndex = index + 8 + sizeBytes + (sizeBytes % 2);
    if (endIndex > bytes.length) return undefined;
    // Background colour, then how often it is played: 0 is for ever.
    if (nameAt(index) === "ANIM") repeats = sizeBytes >= 6 && view.getUint16(index + 12, true) === 0;
    if (nameAt(index) === "VP8 " || nameAt(index) === "VP8L") isStill = true;
    if (nameAt(index) === "ANMF" && sizeBytes >= 16) {
      pictures++;
      // 24 bits behind place and size.
      shownMs += view.getUint32(index + 20, true) & 0xff_ffff;
    }
    index = endIndex;
  }
  if (isStill && repeats === undefined && pictures === 0) return { pictures: 1, seconds: undefined };
  return repeats === true && pictures > 0 ? { pictures, seconds: shownMs / 1000 } : undefined;
}
