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

function collectEnds(): EndsCollector {
  let [start, end, longest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  return {
    take: (seconds, durationSeconds) => {
      if (!Number.isFinite(seconds)) return;
      const duration = Number.isFinite(durationSeconds) ? durationSeconds : 0;
      start = Math.min(start, seconds);
      end = Math.max(end, seconds + duration);
      longest = Math.max(longest, duration);
    },
    finish: () => (start > end ? undefined : { startSeconds: start, endSeconds: end, longestSeconds: longest }),
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
