import { COMMON_ARGUMENTS, inputArguments, PROBE_ARGUMENTS } from "./arguments.ts";
import { createLineReader } from "./lines.ts";
import { runProcess } from "./process.ts";
import { type FfmpegRun, requireSuccess } from "./run.ts";
import { type FfmpegTools, patient } from "./tools.ts";

/** Enough for a day of 120 pictures a second. */
const MAX_LIST_BYTES = 512 * 1024 * 1024;

/** Filters that have ffmpeg tell of each picture that comes to them: only those of which something is known are printed. */
export const PRINTING_FILTERS: readonly string[] = [
  "metadata=mode=add:key=shown:value=1",
  "metadata=mode=print:file=-",
];

/** A picture as filters see it. */
export interface FilteredPicture {
  /** Counted from 0 by filters, which begin anew where the size or the format of pictures changes. */
  readonly place: number;
  /** NaN where the decoder does not know. */
  readonly ticks: number;
}

/**
 * Lists when the pictures are shown that come to the PRINTING_FILTERS of a run without another output, in ticks of the time base there, in that order.
 * Behind packets that were lost they may go back. Throws FFMPEG_FAILED, FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function listFiltered(
  tools: FfmpegTools,
  { globalArguments = [], inputs, outputArguments }: Pick<FfmpegRun, "globalArguments" | "inputs" | "outputArguments">,
  signal: AbortSignal,
): Promise<readonly FilteredPicture[]> {
  const pictures: FilteredPicture[] = [];
  const lines = createLineReader("ffmpeg", (line) => {
    const [, place, time] = /^frame:(\d+) +pts:(-?\d+|NOPTS)/.exec(line) ?? [];
    if (place !== undefined) pictures.push({ place: Number(place), ticks: Number(time) });
  });
  const reading = [...globalArguments, ...inputs.flatMap(inputArguments)];
  const args = [...COMMON_ARGUMENTS, "-v", "error", "-nostats", ...reading, ...outputArguments];
  const { timeoutMs } = patient(tools);
  const bounds = { timeoutMs, signal, maxOutputBytes: MAX_LIST_BYTES, onOutput: lines.feed };
  const result = await runProcess(tools.ffmpegPath, args, bounds);
  lines.end();
  requireSuccess("ffmpeg", result);
  return pictures;
}

/** What to decode. */
export interface DecodedTimesOptions {
  /** Only so many packets from the start, ≥ 1; default: everything. */
  readonly maxPackets?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lists when the pictures that really decode are shown, in ticks of the stream's time base, in the order in which the decoder gives them
 * out; one without a time stands as far behind the one before as that does behind its own, which is what ffmpeg does with it. For files
 * whose packets do not tell their times, and beginnings that may not decode. Throws FFMPEG_FAILED when ffprobe cannot open the file,
 * FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function listDecodedTimes(
  tools: FfmpegTools,
  path: string,
  streamIndex: number,
  { maxPackets, signal }: DecodedTimesOptions,
): Promise<readonly number[]> {
  const ticks: number[] = [];
  const lines = createLineReader("ffprobe", (line) => {
    const time = /^(-?\d+|N\/A)/.exec(line)?.[1];
    if (time === undefined) return;
    const last = ticks.at(-1) ?? 0;
    ticks.push(time === "N/A" ? last + Math.max(1, last - (ticks.at(-2) ?? last)) : Number(time));
  });
  const args = [
    ...PROBE_ARGUMENTS,
    ...["-select_streams", String(streamIndex)],
    ...(maxPackets === undefined ? [] : ["-read_intervals", `%+#${maxPackets}`]),
    ...["-show_entries", "frame=best_effort_timestamp", "-of", "csv=p=0"],
    ...inputArguments({ path, isRecording: true }),
  ];
  const result = await runProcess(tools.ffprobePath, args, {
    timeoutMs: (maxPackets === undefined ? patient(tools) : tools).timeoutMs,
    signal,
    maxOutputBytes: MAX_LIST_BYTES,
    onOutput: lines.feed,
  });
  lines.end();
  requireSuccess("ffprobe", result);
  return ticks;
}
