import { ReelmillError } from "../base/errors.ts";
import { COMMON_ARGUMENTS, type FfmpegInput, inputArguments } from "./arguments.ts";
import { type ProcessResult, runProcess } from "./process.ts";
import { createProgressParser, type FfmpegProgress } from "./progress.ts";
import type { FfmpegTools } from "./tools.ts";

/** One ffmpeg run that writes files. */
export interface FfmpegRun {
  /** Stand before the inputs, such as a device to open. */
  readonly globalArguments?: readonly string[] | undefined;
  readonly inputs: readonly FfmpegInput[];
  /** All that follows the inputs: mapping, codecs, and the output, a path through `fileArgument`. */
  readonly outputArguments: readonly string[];
  readonly onProgress?: ((progress: FfmpegProgress) => void) | undefined;
  /** What an input of `PIPE` reads. */
  readonly input?: Iterable<Uint8Array> | undefined;
  /** Stops the run. */
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds; default: the tools' bound. */
  readonly timeoutMs?: number | undefined;
}

/** What ffmpeg did, by its own account; whether the output is right has to be checked on the output. */
export interface FfmpegRunResult {
  /** The last progress report; undefined when ffmpeg made none. */
  readonly lastProgress: FfmpegProgress | undefined;
  /** Lines of standard error (warnings and errors), the last 16 KiB of them. */
  readonly complaints: readonly string[];
}

/** Lines of a tail of standard error, empty ones left out. */
export function splitComplaints(errorTail: string): readonly string[] {
  return errorTail
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Throws FFMPEG_FAILED with the last complaint when the run did not exit with 0. */
export function requireSuccess(program: string, result: ProcessResult): void {
  if (result.exitCode === 0) return;
  const complaint = splitComplaints(result.errorTail).slice(-3).join(" · ") || "it gave no reason";
  throw new ReelmillError("FFMPEG_FAILED", `${program} stopped with status ${result.exitCode}: ${complaint}`);
}

/**
 * Runs ffmpeg to its end. Existing outputs are overwritten, so give temporary names. Throws FFMPEG_MISSING, FFMPEG_FAILED
 * with ffmpeg's last complaints, FFMPEG_TIMEOUT, ABORTED.
 */
export async function runFfmpeg(tools: FfmpegTools, run: FfmpegRun): Promise<FfmpegRunResult> {
  let lastProgress: FfmpegProgress | undefined;
  const onOutput = createProgressParser((progress) => {
    lastProgress = progress;
    run.onProgress?.(progress);
  });
  const args = [
    ...COMMON_ARGUMENTS,
    ...["-v", "warning", "-nostats", "-progress", "pipe:1", "-y"],
    ...(run.globalArguments ?? []),
    ...run.inputs.flatMap(inputArguments),
    ...run.outputArguments,
  ];
  const timeoutMs = run.timeoutMs ?? tools.timeoutMs;
  const result = await runProcess(tools.ffmpegPath, args, {
    timeoutMs,
    signal: run.signal,
    onOutput,
    input: run.input,
  });
  requireSuccess("ffmpeg", result);
  return { lastProgress, complaints: splitComplaints(result.errorTail) };
}
