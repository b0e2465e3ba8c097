import { inputArguments, PROBE_ARGUMENTS } from "./arguments.ts";
import { createLineReader } from "./lines.ts";
import { runProcess } from "./process.ts";
import { requireSuccess } from "./run.ts";
import { type FfmpegTools, patient } from "./tools.ts";

/** When a sound track begins and ends, in seconds of the file's clock. */
export interface SoundEnds {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** How long its longest packet or frame lasts; 0 where none tells. */
  readonly longestSeconds: number;
}

/** Collects what lasts from one time to another. */
interface EndsCollector {
  readonly take: (seconds: number, durationSeconds: number) => void;
  readonly finish: () => SoundEnds | undefined;
}

/** What follows on, or not by more than this, is of one piece. */
const PIECE_SECONDS = 0.5;

/**
 * Packets and frames count in pieces of two or more, as far as there are any: single ones that stand apart tell a wrong time more often than that
 * they sound alone, by weeks at times.
 */
function collectEnds(): EndsCollector {
  const all = createStretch();
  const pieces = createStretch();
  let longest = 0;
  let last: { readonly from: number; readonly to: number } | undefined;
  return {
    take: (seconds, durationSeconds) => {
      if (!Number.isFinite(seconds)) return;
      const duration = Number.isFinite(durationSeconds) ? durationSeconds : 0;
      longest = Math.max(longest, duration);
      const taken = { from: seconds, to: seconds + duration };
      all.take(taken);
      if (last !== undefined && Math.abs(taken.from - last.to) <= PIECE_SECONDS) {
        pieces.take(last);
        pieces.take(taken);
      }
      last = taken;
    },
    finish: () => {
      const stretch = pieces.ends() ?? all.ends();
      return stretch === undefined ? undefined : { ...stretch, longestSeconds: longest };
    },
  };
}

function createStretch() {
  let [start, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return {
    take: ({ from, to }: { readonly from: number; readonly to: number }): void => {
      start = Math.min(start, from);
      end = Math.max(end, to);
    },
    ends: () => (start > end ? undefined : { startSeconds: start, endSeconds: end }),
  };
}

/**
 * When each sound track begins and ends by its packets, by the stream's index; those that an edit list hides do not count. Tracks whose packets
 * tell no times are left out. Reads the whole file. Throws FFMPEG_FAILED when ffprobe cannot open the file, FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function measureSounds(
  tools: FfmpegTools,
  path: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, SoundEnds>> {
  const tracks = new Map<number, EndsCollector>();
  const entries = ["-select_streams", "a", "-show_entries", "packet=stream_index,pts_time,duration_time,flags"];
  await readLines(tools, path, entries, signal, (line) => {
    const [index, pts, duration, flags = ""] = line.split("|");
    if (flags[1] === "D") return;
    const track = tracks.get(Number(index)) ?? collectEnds();
    tracks.set(Number(index), track);
    track.take(Number.parseFloat(pts ?? ""), Number.parseFloat(duration ?? ""));
  });
  const measured = new Map<number, SoundEnds>();
  for (const [index, track] of tracks) {
    const ends = track.finish();
    if (ends !== undefined) measured.set(index, ends);
  }
  return measured;
}

/** When what a decoder makes of a sound track begins and ends; undefined where it makes nothing. Decodes all of it. Throws as `measureSounds`. */
export async function measureDecodedSound(
  tools: FfmpegTools,
  path: string,
  { index, sampleRateHz }: { readonly index: number; readonly sampleRateHz: number },
  signal?: AbortSignal,
): Promise<SoundEnds | undefined> {
  const ends = collectEnds();
  const entries = ["-select_streams", String(index), "-show_entries", "frame=best_effort_timestamp_time,nb_samples"];
  await readLines(tools, path, entries, signal, (line) => {
    const [pts, samples] = line.split("|");
    ends.take(Number.parseFloat(pts ?? ""), Number(samples) / sampleRateHz);
  });
  return ends.finish();
}

/** Lines are told, not kept, however many there are. */
async function readLines(
  tools: FfmpegTools,
  path: string,
  entries: readonly string[],
  signal: AbortSignal | undefined,
  onLine: (line: string) => void,
): Promise<void> {
  const lines = createLineReader("ffprobe", onLine);
  const args = [
    ...PROBE_ARGUMENTS,
    ...entries,
    "-of",
    "compact=p=0:nk=1",
    ...inputArguments({ path, isRecording: true }),
  ];
  const result = await runProcess(tools.ffprobePath, args, {
    timeoutMs: patient(tools).timeoutMs,
    signal,
    onOutput: lines.feed,
    maxOutputBytes: Number.POSITIVE_INFINITY,
  });
  lines.end();
  requireSuccess("ffprobe", result);
}
