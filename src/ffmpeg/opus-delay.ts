import { ReelmillError } from "../base/errors.ts";
import { COMMON_ARGUMENTS } from "./arguments.ts";
import { runProcess } from "./process.ts";
import { requireSuccess } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

/** What Opus needs to get going, as encoders have it: 312 samples at 48 kHz. */
const DELAY_SECONDS = 312 / 48_000;
const TRIAL_TIMEOUT_MS = 15_000;
/** When the trial's sound begins; times before 0 would be moved. */
const START_MS = 1000;
/** Matroska's Cluster, its Timestamp with a length of two bytes, and what follows that: a SimpleBlock (RFC 9559 §5.1.3). */
const CLUSTER = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);
const TIMESTAMP = Buffer.from([0xe7, 0x82]);
const SIMPLE_BLOCK = 0xa3;

/**
 * By how many seconds Opus has to be late for this ffmpeg to write it to WebM at its own time. WebM tells players to take what Opus needs to get going off
 * the times of blocks (CodecDelay). ffmpeg 5.1 writes the field, but the times of packets as they are; 7.1 adds as much to the times. So a frame
 * of silence is written and looked at. Throws FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function findOpusDelay(tools: FfmpegTools, signal: AbortSignal): Promise<number> {
  const args = [
    ...[...COMMON_ARGUMENTS, "-v", "error", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-frames:a", "1"],
    ...["-c:a", "opus", "-strict", "experimental", "-output_ts_offset", `${START_MS / 1000}`, "-f", "webm", "-"],
  ];
  const timeoutMs = Math.min(tools.timeoutMs, TRIAL_TIMEOUT_MS);
  const result = await runProcess(tools.ffmpegPath, args, { timeoutMs, signal });
  requireSuccess("ffmpeg", result);
  return firstBlockMs(result.output) < START_MS ? DELAY_SECONDS : 0;
}

/** When the first block of a file of one cluster begins. Throws FFMPEG_FAILED. */
function firstBlockMs(webm: Buffer): number {
  const cluster = webm.indexOf(CLUSTER);
  const timestamp = cluster === -1 ? -1 : webm.indexOf(TIMESTAMP, cluster) + TIMESTAMP.length;
  const block = timestamp + 2;
  // The first byte of a length tells by its leading zeros how many follow.
  const track = block + 2 + Math.clz32((webm[block + 1] ?? 0) << 24);
  if (timestamp < TIMESTAMP.length || webm[block] !== SIMPLE_BLOCK || track + 3 > webm.length) {
    throw new ReelmillError("FFMPEG_FAILED", "ffmpeg wrote a WebM whose sound cannot be found.");
  }
  return webm.readUInt16BE(timestamp) + webm.readInt16BE(track + 1);
}
