import { z } from "zod";
import { ReelmillError } from "../base/errors.ts";
import { runFfprobeJson } from "./probe.ts";
import type { FfmpegTools } from "./tools.ts";

const COUNT_SCHEMA = z.object({ streams: z.array(z.object({ nb_read_frames: z.coerce.number() })) });

/**
 * Decodes one stream and counts its frames; `stream` is a specifier such as `v:0`. Throws FFMPEG_FAILED when the file cannot
 * be opened or has no such stream, FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function countFrames(
  tools: FfmpegTools,
  path: string,
  stream: string,
  signal?: AbortSignal,
): Promise<number> {
  const options = ["-count_frames", "-select_streams", stream, "-show_entries", "stream=nb_read_frames"];
  const json = await runFfprobeJson(tools, path, options, { timeoutMs: tools.timeoutMs, signal });
  const frames = COUNT_SCHEMA.safeParse(json).data?.streams[0]?.nb_read_frames;
  if (frames === undefined) throw new ReelmillError("FFMPEG_FAILED", `${path} has no stream ${stream} to count.`);
  return frames;
}
