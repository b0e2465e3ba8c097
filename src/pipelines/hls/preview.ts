import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { detectFeatures } from "../../ffmpeg/features.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import { verifyDecodes } from "../../ffmpeg/verify.ts";
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
const FRAMES_PER_SECOND = 15;
const WEBP_ENCODER = "libwebp_anim";

/** What a preview is encoded with; a build of ffmpeg without animated WebP makes the MP4 alone. Throws as `chooseRungEncoders`. */
export async function planPreview(
  { preview, speed }: Pick<HlsSettings, "preview" | "speed">,
  hooks: Pick<PackageHooks, "tools" | "signal">,
): Promise<{ readonly preview: PreviewPlan | null; readonly findings: readonly string[] }> {
  if (!preview) return { preview: null, findings: [] };
  const { encoders } = await chooseRungEncoders({ codecs: ["h264"], speed, preset: undefined, hardware: "off" }, hooks);
  const [encoder] = encoders;
  if (encoder === undefined) throw new ReelmillError("ENCODER_MISSING", "No encoder was chosen for the preview.");
  const hasWebp = (await detectFeatures(hooks.tools, hooks.signal)).encoders.has(WEBP_ENCODER);
  const findings = hasWebp ? [] : [`The preview is MP4 alone: this ffmpeg has no ${WEBP_ENCODER}.`];
  return { preview: { encoder, hasWebp }, findings };
}

/** Where the pieces begin, in seconds: spread evenly; of short recordings all is one piece. */
export function previewPieces(
  durationSeconds: number,
): readonly { readonly startSeconds: number; readonly lengthSeconds: number }[] {
  const allSeconds = PIECES * PIECE_SECONDS;
  if (durationSeconds <= allSeconds) return [{ startSeconds: 0, lengthSeconds: durationSeconds }];
  return Array.from({ length: PIECES }, (_, index) => ({
    startSeconds: ((index + 0.5) / PIECES) * durationSeconds - PIECE_SECONDS / 2,
    lengthSeconds: PIECE_SECONDS,
  }));
}

/**
 * Writes a short clip without sound of the smallest rung that is as wide, as MP4 and, where that can be, as a WebP that repeats. Throws
 * OUTPUT_NOT_VERIFIED where they do not last as long, and as `runFfmpeg`.
 */
export async function writePreview(
  { encoder, hasWebp }: PreviewPlan,
  rungs: readonly PictureSource[],
  packageFolder: string,
  durationSeconds: number,
  { tools, signal }: Pick<PackageHooks, "tools" | "signal">,
): Promise<void> {
  const source = rungs.findLast(({ rung }) => rung.widthPixels >= WIDTH_PIXELS) ?? rungs[0];
  if (source === undefined) return;
  const folder = join(packageFolder, PREVIEW_FOLDER);
  mkdirSync(folder);
  const pieces = previewPieces(durationSeconds);
  const mp4 = join(folder, PREVIEW_MP4);
  const webp = join(folder, PREVIEW_WEBP);
  await runFfmpeg(tools, {
    inputs: pieces.map(({ startSeconds, lengthSeconds }) => ({
      path: source.path,
      options: ["-ss", startSeconds.toFixed(3), "-t", lengthSeconds.toFixed(3)],
    })),
    outputArguments: [
      ...["-filter_complex", previewGraph(source, pieces.length, hasWebp)],
      ...["-map", "[mp4]", "-c:v", encoder.name, "-preset", encoder.preset, "-crf", "26", "-pix_fmt", "yuv420p"],
      ...["-movflags", "+faststart", "-f", "mp4", fileArgument(mp4)],
      ...(hasWebp
        ? ["-map", "[webp]", "-c:v", WEBP_ENCODER, "-quality", "60", "-loop", "0", "-f", "webp", fileArgument(webp)]
        : []),
    ],
    signal,
  });
  const { isClean, videoFrames, complaints } = await verifyDecodes(tools, mp4, { signal });
  const seconds = videoFrames / FRAMES_PER_SECOND;
  const shown = hasWebp ? readWebpAnimation(readFileSync(webp)) : { seconds };
  // How long the last picture lasts is not told, and nothing where all are the same.
  const isSame = shown !== undefined && Math.abs((shown.seconds ?? seconds) - seconds) <= 2 / FRAMES_PER_SECOND;
  if (isClean && videoFrames > 0 && isSame) return;
  const found = `${seconds.toFixed(2)} s as MP4, ${shown?.seconds?.toFixed(2) ?? "none"} as WebP`;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The preview is not right: ${complaints.at(-1) ?? found}.`);
}

function previewGraph({ rung }: PictureSource, pieces: number, hasWebp: boolean): string {
  const scale = Math.min(1, WIDTH_PIXELS / rung.widthPixels);
  const even = (side: number): number => Math.max(2, 2 * Math.round((side * scale) / 2));
  const inputs = Array.from({ length: pieces }, (_, index) => `[${index}:v:0]`).join("");
  const size = `scale=${even(rung.widthPixels)}:${even(rung.heightPixels)}`;
  const common = `${inputs}concat=n=${pieces},fps=${FRAMES_PER_SECOND},${size},format=yuv420p`;
  return hasWebp ? `${common},split[mp4][webp]` : `${common}[mp4]`;
}

/**
 * What an animated WebP that repeats for ever shows; undefined where it is none. ffmpeg's decoder passes over animations, so that their chunks
 * are read here (RFC 9649 §2.5, §2.7). Pictures that are the same as the one before are part of that; where all are, there is a single picture, which
 * lasts for no time told.
 */
export function readWebpAnimation(
  bytes: Uint8Array,
): { readonly pictures: number; readonly seconds: number | undefined } | undefined {
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
