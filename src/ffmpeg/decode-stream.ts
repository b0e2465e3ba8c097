import { COMMON_ARGUMENTS } from "./arguments.ts";
import { inputDescriptor, runProcess } from "./process.ts";
import { splitComplaints } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

/** What came of decoding bare video streams. */
export interface StreamDecode {
  /** Of each stream a digest of each picture that came out, in order of presentation. */
  readonly pictures: readonly (readonly string[])[];
  /** What ffmpeg complained of; at most the last 16 KiB. */
  readonly complaints: readonly string[];
}

/**
 * Decodes video streams without a container, handed over piece by piece, in one run, each by a decoder of its own. `format` is ffmpeg's
 * name of theirs. That one cannot be decoded is no error of this function, but ffmpeg then gives none of the others either.
 * Throws FFMPEG_MISSING, FFMPEG_TIMEOUT, FFMPEG_FAILED where there is too much output, ABORTED, and what `inputs` throw.
 */
export async function decodeStreams(
  tools: FfmpegTools,
  format: string,
  inputs: readonly Iterable<Uint8Array>[],
  signal: AbortSignal,
): Promise<StreamDecode> {
  const args = [
    ...[...COMMON_ARGUMENTS, "-v", "error", "-nostats"],
    ...inputs.flatMap((_, index) => [
      ...["-threads", "1", "-protocol_whitelist", "pipe", "-f", format, "-i", `pipe:${inputDescriptor(index)}`],
    ]),
    ...inputs.flatMap((_, index) => ["-map", `${index}:v`]),
    ...["-fps_mode", "passthrough", "-f", "framehash", "-hash", "adler32", "pipe:1"],
  ];
  const result = await runProcess(tools.ffmpegPath, args, { timeoutMs: tools.timeoutMs, signal, inputs });
  const pictures = inputs.map((): string[] => []);
  for (const line of result.output.toString("latin1").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const fields = line.split(",");
    pictures[Number(fields[0])]?.push(fields.at(-1)?.trim() ?? "");
  }
  return { pictures, complaints: splitComplaints(result.errorTail) };
}
