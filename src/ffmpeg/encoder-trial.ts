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

/**
 * Encodes one picture, thrown away. Gives undefined when that worked, else why not, in ffmpeg's words, short.
 * Throws FFMPEG_MISSING and ABORTED.
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
  const timeoutMs = Math.min(tools.timeoutMs, TRIAL_TIMEOUT_MS);
  try {
    const { exitCode, errorTail } = await runProcess(tools.ffmpegPath, args, { timeoutMs, signal });
    return exitCode === 0 ? undefined : shortReason(errorTail);
  } catch (error) {
    const isEncodersFault =
      error instanceof ReelmillError && ["FFMPEG_FAILED", "FFMPEG_TIMEOUT", "PROGRAM_KILLED"].includes(error.code);
    if (!isEncodersFault) throw error;
    return error.problem.replace(/\.$/, "");
  }
}
