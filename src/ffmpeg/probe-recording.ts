import { ReelmillError } from "../base/errors.ts";
import { openFileSource } from "../base/file-source.ts";
import { chooseVideo } from "./choose-streams.ts";
import { listDecodedTimes } from "./decoded-times.ts";
import { lookAtPictures } from "./look-at-pictures.ts";
import { type MediaManifest, probeManifest } from "./manifest.ts";
import type { FfmpegTools } from "./tools.ts";

/**
 * As `probeManifest`, of a file that somebody wants something made of: throws INPUT_NOT_VIDEO where ffprobe cannot open it, not
 * FFMPEG_FAILED, and where there is no picture that decodes. What headers do not tell of the pictures that are shown, some of these do.
 */
export async function probeRecording(tools: FfmpegTools, path: string, signal: AbortSignal): Promise<MediaManifest> {
  const manifest = await openRecording(tools, path, signal);
  const [video] = manifest.video;
  // A stream whose first megabytes tell no format has no decoder, no data, or begins late: decoding tells.
  const isKnown = video === undefined || manifest.video.some(({ pixelFormat }) => pixelFormat !== "unknown");
  if (isKnown || (await hasPicture(tools, path, video.index, signal))) {
    return await look(tools, path, manifest, signal);
  }
  const problem = `No picture of ${path} could be read: its headers tell of ${video.codec}, but nothing of it decodes.`;
  throw new ReelmillError("INPUT_NOT_VIDEO", problem, { advice: adviceFor(path) });
}

async function look(
  tools: FfmpegTools,
  path: string,
  manifest: MediaManifest,
  signal: AbortSignal,
): Promise<MediaManifest> {
  const chosen = chooseVideo(manifest);
  if (chosen === undefined) return manifest;
  const seen = await lookAtPictures(tools, path, manifest, chosen, signal);
  return { ...manifest, video: manifest.video.map((stream) => (stream === chosen ? seen : stream)) };
}

async function openRecording(tools: FfmpegTools, path: string, signal: AbortSignal): Promise<MediaManifest> {
  try {
    return await probeManifest(tools, path, signal);
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code !== "FFMPEG_FAILED") throw error;
    const isForeign = error.problem.includes("Format not on whitelist");
    const reason = isForeign ? "playlists, subtitles, pictures and the like are none." : error.problem;
    const message = `${path} is no recording that ffmpeg can open: ${reason.replace(/[\s.]+$/, "")}.`;
    throw new ReelmillError("INPUT_NOT_VIDEO", message, { cause: error, advice: isForeign ? "" : adviceFor(path) });
  }
}

/** So many packets are decoded to see whether there is a picture: beginnings that lack what they refer to are shorter. */
const FIRST_PACKETS = 60;

async function hasPicture(
  tools: FfmpegTools,
  path: string,
  streamIndex: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await listDecodedTimes(tools, path, streamIndex, { maxPackets: FIRST_PACKETS, signal })).length > 0;
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "FFMPEG_FAILED") return false;
    throw error;
  }
}

const MP4_NAME = /\.(mp4|m4v|mov|qt|3gp|3g2)$/i;
const MP4_BOXES: readonly string[] = ["ftyp", "moov", "mdat", "wide", "free", "skip"];

/** Recordings that were cut short are MP4 or QuickTime for the most part, by their name or by the type of their first box. */
function adviceFor(path: string): string {
  const isRepairable = MP4_NAME.test(path) || MP4_BOXES.includes(firstBoxOf(path));
  return isRepairable ? `If it was cut short or is damaged, \`reelmill repair ${path}\` may mend it.` : "";
}

function firstBoxOf(path: string): string {
  const source = openFileSource(path);
  try {
    const head = new Uint8Array(8);
    return source.read(0, head) === head.length ? Buffer.from(head.subarray(4)).toString("latin1") : "";
  } finally {
    source.close();
  }
}
