import { LONGEST_TIMER_MS } from "../base/clock.ts";
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
  /** Takes standard error piece by piece, all of it. */
  readonly onErrorOutput?: ((piece: Uint8Array) => void) | undefined;
  /** What an input of `PIPE` reads. */
  readonly input?: Iterable<Uint8Array> | undefined;
  /** Stops the run. */
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds; default: the tools' bound. */
  readonly timeoutMs?: number | undefined;
  /** Whether that bounds how long the run may stand still, and not how long it takes: encoding takes as long as it takes. */
  readonly mayTakeLong?: boolean | undefined;
}

/** What ffmpeg did, by its own account; whether the output is right has to be checked on the output. */
export interface FfmpegRunResult {
  /** The last progress report; undefined when ffmpeg made none. */
  readonly lastProgress: FfmpegProgress | undefined;
  /** Lines of standard error (warnings and errors), the last 16 KiB of them. */
  readonly complaints: readonly string[];
}

/** Lines of a tail of standard error, empty ones left out; `[libx264 @ 0x55d1…]` becomes `[libx264]`, for the address tells nobody anything. */
export function splitComplaints(errorTail: string): readonly string[] {
  return errorTail
    .split(/[\r\n]+/)
    .map((line) => line.trim().replaceAll(/(\[[^\]]*) @ 0x[0-9a-f]+\]/gi, "$1]"))
    .filter((line) => line !== "");
}

const NO_SPACE = /: No space left on device$/;
/** ffmpeg ends well where it could not write the end of a file. */
const UNFINISHED = /Error (?:writing trailer of|closing file) /;

/** Throws FFMPEG_FAILED with the last complaint when the run did not exit with 0, NO_SPACE where it could not write all. */
export function requireSuccess(program: string, result: ProcessResult): void {
  const { exitCode, errorTail } = result;
  const complaints = splitComplaints(errorTail);
  const full = complaints.find((line) => NO_SPACE.test(line) && (exitCode !== 0 || UNFINISHED.test(line)));
  if (full !== undefined) {
    throw new ReelmillError("NO_SPACE", `The disk is full: ${program} could not write all (${full}).`);
  }
  if (exitCode === 0) return;
  const complaint = complaints.slice(-3).join(" · ") || "it gave no reason";
  throw new ReelmillError("FFMPEG_FAILED", `${program} stopped with status ${exitCode}: ${complaint}`);
}

/**
 * Runs ffmpeg to its end. Existing outputs are overwritten, so give temporary names. Throws FFMPEG_MISSING, FFMPEG_FAILED
 * with ffmpeg's last complaints, NO_SPACE, FFMPEG_TIMEOUT, ABORTED.
 */
export async function runFfmpeg(tools: FfmpegTools, run: FfmpegRun): Promise<FfmpegRunResult> {
  const timeoutMs = run.timeoutMs ?? tools.timeoutMs;
  const stall = createStallGuard(run.mayTakeLong ? timeoutMs : undefined, run.signal);
  let lastProgress: FfmpegProgress | undefined;
  const onOutput = createProgressParser((progress) => {
    if (hasAdvanced(lastProgress, progress)) stall.advance();
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
  try {
    const result = await runProcess(tools.ffmpegPath, args, {
      timeoutMs: run.mayTakeLong ? LONGEST_TIMER_MS : timeoutMs,
      signal: stall.signal,
      onOutput,
      onErrorOutput: run.onErrorOutput,
      inputs: run.input && [run.input],
    });
    requireSuccess("ffmpeg", result);
    return { lastProgress, complaints: splitComplaints(result.errorTail) };
  } catch (error) {
    throw stall.isStalled() ? stalled(timeoutMs, error) : error;
  } finally {
    stall.release();
  }
}

interface StallGuard {
  readonly signal: AbortSignal | undefined;
  readonly advance: () => void;
  readonly isStalled: () => boolean;
  readonly release: () => void;
}

/** Aborts where nothing advances for so long; without a bound it hands on the signal alone. */
function createStallGuard(boundMs: number | undefined, signal: AbortSignal | undefined): StallGuard {
  if (boundMs === undefined) {
    return { signal, advance: () => undefined, isStalled: () => false, release: () => undefined };
  }
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), boundMs);
  return {
    signal: signal === undefined ? stall.signal : AbortSignal.any([signal, stall.signal]),
    advance: () => timer.refresh(),
    isStalled: () => stall.signal.aborted,
    release: () => clearTimeout(timer),
  };
}

function hasAdvanced(before: FfmpegProgress | undefined, now: FfmpegProgress): boolean {
  if (before === undefined) return true;
  return now.frames > before.frames || now.outputSeconds > before.outputSeconds || now.outputBytes > before.outputBytes;
}

function stalled(boundMs: number, cause: unknown): ReelmillError {
  return new ReelmillError("FFMPEG_TIMEOUT", `ffmpeg got no further for ${boundMs / 1000} s and was stopped.`, {
    cause,
  });
}
