import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import type { MediaPlace } from "../../ffmpeg/arguments.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { DecodeCheck } from "../../ffmpeg/verify.ts";
import type { RepairReport } from "../../repair/report.ts";
import type { Check } from "./result.ts";

/** Enough for the first pictures; the whole first group of pictures would take seconds at high resolutions. */
const QUICK_SECONDS = 0.2;
/** Tried once more over this much where nothing came out at first: a track may begin late. */
const SECOND_LOOK_SECONDS = 10;
/** The quick check must not hold a repair up. */
const QUICK_TIMEOUT_MS = 20_000;
const SHOWN_COMPLAINTS = 2;

/** What a build of ffmpeg says of a codec that it cannot decode; this tells nothing about the file. */
const NO_DECODER = /decoder .*not found|unknown (decoder|codec)|decoder \(codec|not currently supported|experimental/i;

/** How a check by decoding is made. */
export interface DecodeOptions {
  readonly level: "quick" | "full";
  /** Undefined where ffmpeg is not installed. */
  readonly tools: FfmpegTools | undefined;
  readonly signal: AbortSignal;
  /** Hears from 0 to 1 how far a full check has come. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * Lets ffmpeg decode the output: its first pictures, or all of it. Fails only where packets were found and nothing at all
 * can be decoded, as with the wrong parameter sets; lost packets rightly make a decoder complain. Throws ABORTED, and PROGRAM_KILLED where all of
 * it was to be decoded.
 */
export async function checkDecode(media: MediaPlace, report: RepairReport, options: DecodeOptions): Promise<Check> {
  const { tools, signal, level } = options;
  if (tools === undefined) return skip("ffmpeg is not installed");
  const isWanted = report.tracks.some((track) => track.kind !== "other" && track.packets > 0);
  if (!isWanted) return skip("there is neither video nor audio to decode");
  const { verifyDecodes } = await import("../../ffmpeg/verify.ts");
  try {
    if (level === "full") {
      const onFrame = options.onProgress && createFrameMeter(report, options.onProgress);
      return judge(await verifyDecodes(tools, media, { onFrame, signal }), report, "everything");
    }
    const quick = { ...tools, timeoutMs: Math.min(tools.timeoutMs, QUICK_TIMEOUT_MS) };
    const first = await verifyDecodes(quick, media, { maxSeconds: QUICK_SECONDS, signal });
    if (hasExpectedFrames(first, report)) return judge(first, report, "the beginning");
    const second = await verifyDecodes(quick, media, { maxSeconds: SECOND_LOOK_SECONDS, signal });
    return judge(second, report, `the first ${SECOND_LOOK_SECONDS} s`);
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
    // Who wants every picture checked is not content with those before that.
    if (level === "full" && error.code === "PROGRAM_KILLED") throw error;
    return skip(error.message);
  }
}

/** Makes of the times of frames the share of the longest track that has been decoded; it never goes back. */
function createFrameMeter({ tracks }: RepairReport, onProgress: (fraction: number) => void): (seconds: number) => void {
  const longest = Math.max(0, ...tracks.map(({ durationSeconds }) => durationSeconds));
  let reached = 0;
  return (seconds) => {
    // Also where there is no time, or no length.
    if (!(seconds > reached)) return;
    reached = seconds;
    onProgress(Math.min(1, reached / longest));
  };
}

function skip(detail: string): Check {
  return { name: "decode", status: "skipped", detail };
}

function hasTrack(report: RepairReport, kind: "video" | "audio"): boolean {
  return report.tracks.some((track) => track.kind === kind && track.packets > 0);
}

function hasExpectedFrames(check: DecodeCheck, report: RepairReport): boolean {
  return hasTrack(report, "video") ? check.videoFrames > 0 : check.audioFrames > 0;
}

function judge(check: DecodeCheck, report: RepairReport, extent: string): Check {
  const { videoFrames, audioFrames, complaints } = check;
  if (!hasExpectedFrames(check, report)) {
    const complaint = complaints.slice(-SHOWN_COMPLAINTS).join(" · ") || "it gave no reason";
    if (complaints.some((line) => NO_DECODER.test(line))) return skip(`ffmpeg has no decoder for it: ${complaint}`);
    return { name: "decode", status: "failed", detail: `nothing can be decoded of ${extent}: ${complaint}` };
  }
  const frames = `${formatCount(videoFrames, "picture")} and ${formatCount(audioFrames, "sound frame")} of ${extent} decoded`;
  if (check.isClean) return { name: "decode", status: "passed", detail: `${frames} without a complaint` };
  const shown = complaints.slice(-SHOWN_COMPLAINTS).join(" · ");
  return {
    name: "decode",
    status: "warning",
    detail: `${frames}; the decoder complained ${complaints.length === 1 ? "once" : `${complaints.length} times`}: ${shown}`,
  };
}
