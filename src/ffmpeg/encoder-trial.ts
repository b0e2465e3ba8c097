import { stat } from "node:fs/promises";
import { ReelmillError } from "../base/errors.ts";
import { COMMON_ARGUMENTS } from "./arguments.ts";
import type { EncoderCandidate } from "./encoder-wish.ts";
import { runProcess } from "./process.ts";
import { splitComplaints } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

/** A driver that hangs must not hold up the job; the first use of a device may take seconds. */
const TRIAL_TIMEOUT_MS = 15_000;
const MAX_REASON_LENGTH = 160;

/** The first line is the cause, those after it what ffmpeg could not do because of it. x265 and SVT-AV1 print notes of their own. */
function shortReason(errorTail: string): string {
  const complaints = splitComplaints(errorTail).filter((line) => !/^(x265|Svt) ?\[(info|warn)/i.test(line));
  const cause = complaints[0]?.replace(/^\[[^\]]*\] */, "").replace(/[\s.:-]+$/, "") ?? "";
  // Followed by a number that tells nobody anything.
  if (cause.startsWith("Device creation failed")) return "its device cannot be opened";
  if (cause === "") return "it gave no reason";
  return cause.length > MAX_REASON_LENGTH ? `${cause.slice(0, MAX_REASON_LENGTH - 1)}…` : cause;
}

/** Whether a reason of `tryEncoder` is that ffmpeg was built without the encoder; one that cannot open a device does not come to say so. */
export function isUnknownEncoder(reason: string): boolean {
  return /^Unknown encoder/i.test(reason);
}

/** Software encoders that worked in this process: unlike a device, a library that did goes on doing so, as long as the program is the same. */
const proven = new Set<string>();

/** What a trial hangs on; undefined where the program is not to be had. */
async function trialKey(path: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(path);
    return [dev, ino, size, mtimeMs, ...args].join("\0");
  } catch {
    return undefined;
  }
}

/**
 * Encodes one picture, thrown away; a software encoder that did so before in this process with the same options is not tried again. Gives
 * undefined when that worked, else why not, in ffmpeg's words, short. Throws FFMPEG_MISSING and ABORTED.
 */
export async function tryEncoder(
  tools: FfmpegTools,
  candidate: EncoderCandidate,
  signal: AbortSignal,
): Promise<string | undefined> {
  const args = [
    ...[...COMMON_ARGUMENTS, "-v", "error", ...candidate.globalArguments],
    ...["-f", "lavfi", "-i", "color=color=gray:size=320x240:rate=25", "-frames:v", "1"],
    ...["-vf", candidate.filter, ...candidate.arguments, "-f", "null", "-"],
  ];
  const key = candidate.hardware === null ? await trialKey(tools.ffmpegPath, args) : undefined;
  if (key !== undefined && proven.has(key)) return undefined;
  const timeoutMs = Math.min(tools.timeoutMs, TRIAL_TIMEOUT_MS);
  try {
    const { exitCode, errorTail } = await runProcess(tools.ffmpegPath, args, { timeoutMs, signal });
    if (exitCode !== 0) return shortReason(errorTail);
    if (key !== undefined) proven.add(key);
    return undefined;
  } catch (error) {
    const isEncodersFault =
      error instanceof ReelmillError && ["FFMPEG_FAILED", "FFMPEG_TIMEOUT", "PROGRAM_KILLED"].includes(error.code);
    if (!isEncodersFault) throw error;
    return error.problem.replace(/\.$/, "");
  }
}
