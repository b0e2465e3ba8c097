import { createLineReader } from "./lines.ts";

/** How far an ffmpeg run has come, as `-progress` reports it about twice a second. */
export interface FfmpegProgress {
  /** Video frames written so far. */
  readonly frames: number;
  /** Time written so far, in seconds; 0 before the first packet. */
  readonly outputSeconds: number;
  /** Bytes written so far; 0 where the output has no size. */
  readonly outputBytes: number;
  /** Frames that the output rate made ffmpeg repeat. */
  readonly duplicatedFrames: number;
  /** Frames that the output rate made ffmpeg leave out. */
  readonly droppedFrames: number;
  /** Whether this is the last report. */
  readonly isLast: boolean;
}

function numberOf(values: ReadonlyMap<string, string>, key: string): number {
  const value = Number(values.get(key));
  return Number.isFinite(value) ? value : 0;
}

/**
 * Splits the output of `-progress pipe:1` into reports. Feed it pieces as they come, cut anywhere; it keeps at most the one
 * report that is incomplete.
 */
export function createProgressParser(onProgress: (progress: FfmpegProgress) => void): (piece: Buffer) => void {
  let values = new Map<string, string>();
  const lines = createLineReader("ffmpeg", (line) => {
    const equals = line.indexOf("=");
    if (equals < 0) return;
    const key = line.slice(0, equals).trim();
    values.set(key, line.slice(equals + 1).trim());
    if (key !== "progress") return;
    onProgress({
      frames: numberOf(values, "frame"),
      outputSeconds: Math.max(0, numberOf(values, "out_time_us") / 1e6),
      outputBytes: numberOf(values, "total_size"),
      duplicatedFrames: numberOf(values, "dup_frames"),
      droppedFrames: numberOf(values, "drop_frames"),
      isLast: values.get("progress") === "end",
    });
    values = new Map();
  });
  return lines.feed;
}
