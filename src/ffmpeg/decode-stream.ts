import { COMMON_ARGUMENTS } from "./arguments.ts";
import { runProcess } from "./process.ts";
import { splitComplaints } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

/** What came of decoding a bare video stream. */
export interface StreamDecode {
  /** A digest of each picture that came out, in order of presentation. */
  readonly pictures: readonly string[];
  /** What ffmpeg complained of; at most the last 16 KiB. */
  readonly complaints: readonly string[];
}

/**
 * Decodes a video stream without a container, handed over piece by piece. `format` is ffmpeg's name of it. That it cannot
 * be decoded is no error of this function. Throws FFMPEG_MISSING, FFMPEG_TIMEOUT, FFMPEG_FAILED where there is too much
 * output, ABORTED, and what `input` throws.
 */
export async function decodeStream(
  tools: FfmpegTools,
  format: string,
  input: Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<StreamDecode> {
  const args = [
    ...[...COMMON_ARGUMENTS, "-v", "error", "-nostats", "-threads", "1"],
    ...["-protocol_whitelist", "pipe", "-f", format, "-i", "pipe:0"],
    ...["-map", "0:v", "-fps_mode", "passthrough", "-f", "framehash", "-hash", "adler32", "pipe:1"],
  ];
  const result = await runProcess(tools.ffmpegPath, args, { timeoutMs: tools.timeoutMs, signal, input });
  const lines = result.output.toString("latin1").split("\n");
  const pictures = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return {
    pictures: pictures.map((line) => line.slice(line.lastIndexOf(",") + 1).trim()),
    complaints: splitComplaints(result.errorTail),
  };
}
