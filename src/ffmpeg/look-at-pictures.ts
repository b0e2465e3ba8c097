import { ReelmillError } from "../base/errors.ts";
import { inputArguments, PROBE_ARGUMENTS } from "./arguments.ts";
import { listFiltered, PRINTING_FILTERS } from "./decoded-times.ts";
import { createLineReader } from "./lines.ts";
import type { MediaManifest, Scan, VideoStream } from "./manifest.ts";
import { runProcess } from "./process.ts";
import type { FfmpegTools } from "./tools.ts";

/** What the container tells of the file. */
type FileHead = Pick<MediaManifest, "format" | "startSeconds" | "durationSeconds">;

/**
 * A stream of a file as some of its pictures show it, where headers do not tell or tell of the first ones alone: 1200 packets at most, in twelve places, and
 * 100 pictures for transparency. Throws FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function lookAtPictures(
  tools: FfmpegTools,
  path: string,
  file: FileHead,
  video: VideoStream,
  signal: AbortSignal,
): Promise<VideoStream> {
  return {
    ...video,
    scan: mayBeOtherwise(video, file) ? await seeScan(tools, path, file, video, signal) : video.scan,
    hasTransparency: video.hasTransparency && (await seeTransparency(tools, path, video, signal)),
  };
}

/** Codecs in which each picture says whether it is interlaced, so that broadcasts change it on the way; headers tell what the first ones say. */
const CHANGING: ReadonlySet<string> = new Set(["mpeg2video", "mpeg4", "h264", "vc1", "wmv3", "cavs"]);
/** Codecs of cameras and studios that code each picture by itself: interlaced throughout or not at all. */
const STEADY: ReadonlySet<string> = new Set(["dvvideo", "mjpeg", "prores", "dnxhd", "ffv1", "utvideo"]);

/** MP4 and QuickTime with H.264 that begins with whole pictures are what phones and screens record: not worth another process. */
function mayBeOtherwise({ codec, scan }: VideoStream, { format }: FileHead): boolean {
  if (scan === "unknown") return CHANGING.has(codec) || STEADY.has(codec);
  return scan === "progressive" && CHANGING.has(codec) && !(codec === "h264" && format.startsWith("mov,"));
}

/** Places of a file that are looked at, at most; of shorter ones, one for each stretch. */
const MAX_PLACES = 12;
const STRETCH_SECONDS = 4;
/** Of codecs whose pictures refer to others, so many packets have one among them that does not, of which alone is asked. */
const CHANGING_PACKETS = 100;
const STEADY_PACKETS = 4;

async function seeScan(
  tools: FfmpegTools,
  path: string,
  file: FileHead,
  video: VideoStream,
  signal: AbortSignal,
): Promise<Scan> {
  const { index, codec } = video;
  const seen = { interlaced: 0, whole: 0 };
  const lines = createLineReader("ffprobe", (line) => {
    if (line.startsWith("1")) seen.interlaced++;
    if (line.startsWith("0")) seen.whole++;
  });
  const args = [
    ...PROBE_ARGUMENTS,
    ...["-select_streams", String(index), "-read_intervals", placesOf(file, video)],
    // Of H.264, key pictures are those that begin anew alone, which some broadcasts have none of.
    ...["-skip_frame", codec === "h264" ? "nointra" : "nokey"],
    ...["-show_entries", "frame=interlaced_frame", "-of", "csv=p=0"],
    ...inputArguments({ path, isRecording: true }),
  ];
  // ffprobe gives up at a place that it cannot find: what it saw before counts all the same.
  await runProcess(tools.ffprobePath, args, { timeoutMs: tools.timeoutMs, signal, onOutput: lines.feed });
  lines.end();
  if (seen.interlaced === 0) return "progressive";
  return seen.whole === 0 ? "interlaced" : "mixed";
}

/** As ffprobe takes them. Raw streams tell no times, and of how long they are only a guess: of these it is the beginning alone. */
function placesOf(
  { startSeconds, durationSeconds }: FileHead,
  { codec, startSeconds: firstSeconds }: VideoStream,
): string {
  const packets = CHANGING.has(codec) ? CHANGING_PACKETS : STEADY_PACKETS;
  if (durationSeconds === undefined || firstSeconds === undefined) return `%+#${MAX_PLACES * packets}`;
  const count = Math.min(MAX_PLACES, Math.max(1, Math.ceil(durationSeconds / STRETCH_SECONDS)));
  const places = Array.from({ length: count }, (_, index) => startSeconds + (index * durationSeconds) / count);
  return places.map((seconds, index) => `${index === 0 ? "" : seconds.toFixed(3)}%+#${packets}`).join(",");
}

/** So many pictures are looked at until one lets something through. */
const TRANSPARENCY_PICTURES = 100;
/** Smallest values of the fourth channel as samples of limited range: 235 is opaque. */
const SHOWING_THROUGH = "metadata=mode=select:key=lavfi.signalstats.YMIN:value=234.5:function=less";

/** Whether the fourth channel lets anything through; many files have one that is opaque. What ffmpeg does not decode with it counts as told. */
async function seeTransparency(
  tools: FfmpegTools,
  path: string,
  { index, hasAlphaSamples }: VideoStream,
  signal: AbortSignal,
): Promise<boolean> {
  if (!hasAlphaSamples) return true;
  const alpha = ["alphaextract", "format=gray", "scale=out_range=tv", "format=yuv420p", "signalstats"];
  const filters = [`trim=end_frame=${TRANSPARENCY_PICTURES}`, ...alpha, SHOWING_THROUGH, ...PRINTING_FILTERS];
  const outputArguments = ["-map", `0:${index}`, "-vf", filters.join(","), "-frames:v", "1", "-f", "null", "-"];
  try {
    return (await listFiltered(tools, { inputs: [{ path, isRecording: true }], outputArguments }, signal)).length > 0;
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "FFMPEG_FAILED") return true;
    throw error;
  }
}
