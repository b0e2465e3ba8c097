import { z } from "zod";
import { ReelmillError } from "../base/errors.ts";
import { type FfmpegInput, inputArguments, PROBE_ARGUMENTS } from "./arguments.ts";
import { type ProcessOptions, runProcess } from "./process.ts";
import { requireSuccess } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

const PROBE_TIMEOUT_MS = 60_000;
const MAX_PROBE_BYTES = 8 * 1024 * 1024;

/** One stream as ffprobe describes it. */
export interface ProbedStream {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly kind: "video" | "audio" | "subtitle" | "data" | "attachment" | "unknown";
  /** ffmpeg's name of the codec; `unknown` where it has none. */
  readonly codec: string;
  /** By the container, in seconds; undefined where it does not say. */
  readonly durationSeconds: number | undefined;
  /** By the container; undefined where it does not say. */
  readonly frames: number | undefined;
  /** Video alone, in pixels. */
  readonly width: number | undefined;
  /** Video alone, in pixels. */
  readonly height: number | undefined;
  /** Audio alone, in Hz. */
  readonly sampleRate: number | undefined;
  /** Audio alone. */
  readonly channels: number | undefined;
}

/** A file as ffprobe describes it, without decoding. */
export interface ProbedMedia {
  /** ffmpeg's names of the container, comma-separated. */
  readonly format: string;
  /** In seconds; undefined where the container does not say. */
  readonly durationSeconds: number | undefined;
  readonly streams: readonly ProbedStream[];
}

const numeric = z.coerce.number().optional().catch(undefined);

const STREAM_SCHEMA = z.object({
  index: z.number(),
  codec_type: z.enum(["video", "audio", "subtitle", "data", "attachment"]).or(z.literal("unknown")).catch("unknown"),
  codec_name: z.string().catch("unknown"),
  duration: numeric,
  nb_frames: numeric,
  width: numeric,
  height: numeric,
  sample_rate: numeric,
  channels: numeric,
});

const PROBE_SCHEMA = z.object({
  format: z.object({ format_name: z.string().catch("unknown"), duration: numeric }),
  streams: z.array(STREAM_SCHEMA).catch([]),
});

/** Runs ffprobe on a file and gives its JSON output, by default at most 8 MiB of it. Throws as `probeMedia`. */
export async function runFfprobeJson(
  tools: FfmpegTools,
  path: string,
  options: readonly string[],
  bounds: Pick<ProcessOptions, "timeoutMs" | "signal" | "maxOutputBytes"> & Pick<FfmpegInput, "isRecording">,
): Promise<unknown> {
  const input = inputArguments({ path, isRecording: bounds.isRecording });
  const args = [...PROBE_ARGUMENTS, "-of", "json", ...options, ...input];
  const result = await runProcess(tools.ffprobePath, args, { maxOutputBytes: MAX_PROBE_BYTES, ...bounds });
  requireSuccess("ffprobe", result);
  try {
    return JSON.parse(result.output.toString("utf8"));
  } catch (error) {
    throw new ReelmillError("FFMPEG_FAILED", "ffprobe printed something that is not JSON.", { cause: error });
  }
}

/**
 * Describes a file by its headers, in at most a minute. Throws FFMPEG_FAILED when ffprobe cannot open the file,
 * FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function probeMedia(tools: FfmpegTools, path: string, signal?: AbortSignal): Promise<ProbedMedia> {
  const timeoutMs = Math.min(tools.timeoutMs, PROBE_TIMEOUT_MS);
  const json = await runFfprobeJson(tools, path, ["-show_format", "-show_streams"], { timeoutMs, signal });
  const parsed = PROBE_SCHEMA.safeParse(json);
  if (!parsed.success) {
    throw new ReelmillError("FFMPEG_FAILED", "ffprobe's output lacks the format.", { cause: parsed.error });
  }
  const { format, streams } = parsed.data;
  return {
    format: format.format_name,
    durationSeconds: format.duration,
    streams: streams.map((stream) => ({
      index: stream.index,
      kind: stream.codec_type,
      codec: stream.codec_name,
      durationSeconds: stream.duration,
      frames: stream.nb_frames,
      width: stream.width,
      height: stream.height,
      sampleRate: stream.sample_rate,
      channels: stream.channels,
    })),
  };
}
