import { ReelmillError } from "../base/errors.ts";
import { createGrowingList } from "../base/growing-list.ts";
import { inputArguments, PROBE_ARGUMENTS } from "./arguments.ts";
import { createLineReader } from "./lines.ts";
import { type Ratio, secondsOf, type VideoStream } from "./manifest.ts";
import { type MendedTime, mendTimes } from "./mended-times.ts";
import { runProcess } from "./process.ts";
import { requireSuccess } from "./run.ts";
import { type FfmpegTools, patient } from "./tools.ts";

/** Enough for a day of 120 pictures a second. */
const MAX_LIST_BYTES = 512 * 1024 * 1024;

/** As many as are listed: 38 hours of 120 pictures a second. */
export const MAX_PICTURES = 2 ** 24;

/** A last picture of which no more than this share of the shortest step is told: who wrote the file did not know. */
const UNTOLD_SHARE = 0.1;
/** The length of a picture at 250 a second: where the container stores lengths, what is as long was meant, however long those before it stand. */
const MEANT_SECONDS = 0.004;

/** When the pictures of a stream are shown, by its packets. */
export interface FrameTimes {
  /** Presentation times in ticks of the stream's time base, rising; wrong ones as they are mended. */
  readonly ticks: Float64Array;
  /** Times that packets tell wrongly, as decoders give them to their pictures. */
  readonly mended: readonly MendedTime[];
  /** Indexes into `ticks` of the pictures that decoding can begin at, rising. */
  readonly keys: readonly number[];
  /** How long the last picture shown lasts, in ticks; 0 where it is not told. */
  readonly lastDurationTicks: number;
  /** Pictures that an edit list hides. */
  readonly hiddenCount: number;
  /** By how much packets that are shown are decoded before those in front of them in the file, at most, in ticks: no whole recording has that. */
  readonly backTicks: number;
  /** Whether each packet tells its time, and no two the same; otherwise only decoding tells. */
  readonly isComplete: boolean;
}

/**
 * Lists when each picture is shown without decoding; those that an edit list hides are left out. Reads the whole file. `onBytes` hears how
 * large each packet is, in the order of the file, as many as there are `ticks`. Throws
 * FFMPEG_FAILED when ffprobe cannot open the file, FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function listFrameTimes(
  tools: FfmpegTools,
  path: string,
  streamIndex: number,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<FrameTimes> {
  const collector = createCollector(onBytes);
  const args = [
    ...PROBE_ARGUMENTS,
    ...["-select_streams", String(streamIndex), "-show_entries", "packet=pts,dts,duration,size,flags"],
    ...["-of", "compact=p=0:nk=0", ...inputArguments({ path, isRecording: true })],
  ];
  const result = await runProcess(tools.ffprobePath, args, {
    timeoutMs: patient(tools).timeoutMs,
    signal,
    onOutput: collector.feed,
    maxOutputBytes: MAX_LIST_BYTES,
  });
  requireSuccess("ffprobe", result);
  return collector.finish();
}

/** What a file may jump back by, for its clock's sake. */
const MAX_BACK_SECONDS = 1;

/** Throws INPUT_DISCONTINUOUS where the times of a recording begin anew within it: pictures would be shown over each other. */
export function requireContinuous({ backTicks }: Pick<FrameTimes, "backTicks">, path: string, timeBase: Ratio): void {
  const seconds = secondsOf(backTicks, timeBase);
  if (seconds <= MAX_BACK_SECONDS) return;
  const problem = `The times of ${path} jump back by ${seconds.toFixed(2)} s in the middle, as where recordings were joined byte by byte.`;
  const advice = "Write it anew, so that its times go on, such as by `ffmpeg -i joined.ts -map 0 -c copy whole.mkv`.";
  throw new ReelmillError("INPUT_DISCONTINUOUS", problem, { advice });
}

/** The mean distance of times that rise, in ticks; 0 of fewer than two. */
export function meanStep(ticks: Float64Array): number {
  return ticks.length > 1 ? ((ticks.at(-1) ?? 0) - (ticks[0] ?? 0)) / (ticks.length - 1) : 0;
}

/** How long the last picture lasts, in ticks of the stream: as it is told, else a mean step; 0 of a single one of which nothing is told. */
export function lastDurationOf(
  { ticks, lastDurationTicks }: Pick<FrameTimes, "ticks" | "lastDurationTicks">,
  { timeBase, tellsDurations }: Pick<VideoStream, "timeBase" | "tellsDurations">,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (let index = 1; index < ticks.length; index++) {
    least = Math.min(least, (ticks[index] as number) - (ticks[index - 1] as number));
  }
  const isMeant = tellsDurations && secondsOf(lastDurationTicks, timeBase) >= MEANT_SECONDS;
  const isTold = lastDurationTicks > (ticks.length > 1 ? UNTOLD_SHARE * least : 0);
  return isMeant || isTold ? lastDurationTicks : meanStep(ticks);
}

/** The middle one of three. */
function medianOf(a = 0, b = 0, c = 0): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Measures by how much times fall back and stay there: of three packets each, for single ones may tell a wrong time. */
function createFallBack(): { readonly take: (ticks: number) => void; readonly ticks: () => number } {
  const last: number[] = [];
  let most = 0;
  return {
    take: (ticks) => {
      if (last.push(ticks) < 6) return;
      most = Math.max(most, medianOf(last[0], last[1], last[2]) - medianOf(last[3], last[4], last[5]));
      last.shift();
    },
    ticks: () => most,
  };
}

interface Collector {
  readonly feed: (piece: Buffer) => void;
  readonly finish: () => FrameTimes;
}

function createCollector(onBytes: ((bytes: number) => void) | undefined): Collector {
  const times = createGrowingList(Float64Array, MAX_PICTURES);
  let hiddenCount = 0;
  let lacksTimes = false;
  let last = Number.NEGATIVE_INFINITY;
  let lastDurationTicks = 0;
  const fallBack = createFallBack();
  const keyTimes: number[] = [];
  const groupStarts: number[] = [];
  const takeLine = (line: string): void => {
    const flags = /(?:^|\|)flags=(\S{2})/.exec(line)?.[1];
    // Discarded packets are decoded, but what comes of them is not shown.
    if (flags === undefined) return;
    if (flags[1] === "D") {
      hiddenCount++;
      return;
    }
    const decoded = /(?:^|\|)dts=(-?\d+)/.exec(line)?.[1];
    if (decoded !== undefined) fallBack.take(Number(decoded));
    const time = /(?:^|\|)pts=(-?\d+)/.exec(line)?.[1];
    if (time === undefined) {
      lacksTimes = true;
      return;
    }
    if (times.length === MAX_PICTURES) {
      throw new ReelmillError(
        "FFMPEG_FAILED",
        `The stream has more than ${MAX_PICTURES} packets, more than can be listed.`,
      );
    }
    const ticks = Number(time);
    onBytes?.(Number(/(?:^|\|)size=(\d+)/.exec(line)?.[1] ?? 0));
    if (flags[0] === "K") {
      keyTimes.push(ticks);
      groupStarts.push(times.length);
    }
    times.push(ticks);
    if (ticks > last) {
      last = ticks;
      lastDurationTicks = Number(/(?:^|\|)duration=(\d+)/.exec(line)?.[1] ?? 0);
    }
  };
  const lines = createLineReader("ffprobe", takeLine);
  return {
    feed: lines.feed,
    finish: () => {
      lines.end();
      const { ticks, mended, isComplete } = settleTimes(times.finish(), groupStarts, lacksTimes);
      const mendOf = indexMended(mended);
      return {
        ticks,
        mended,
        keys: findKeys(
          ticks,
          keyTimes.map((at) => mendOf.get(at) ?? at).sort((a, b) => a - b),
        ),
        // What is told of a picture whose time is wrong is not what the last one lasts.
        lastDurationTicks: mendOf.has(last) ? 0 : lastDurationTicks,
        hiddenCount,
        backTicks: fallBack.ticks(),
        isComplete,
      };
    },
  };
}

/** Sorts times, which stand in the order of the file, in place, mended where they can be. */
function settleTimes(
  ticks: Float64Array,
  groupStarts: readonly number[],
  lacksTimes: boolean,
): Pick<FrameTimes, "ticks" | "mended" | "isComplete"> {
  // Where each picture is a group, as in ProRes, there are as many as pictures: most of those are in order.
  if (!rises(ticks)) sortGroups(ticks, groupStarts);
  const isComplete = !lacksTimes && ticks.length > 0;
  if (rises(ticks)) return { ticks, mended: [], isComplete };
  const inGroups = ticks.slice();
  const hasTwins = !rises(ticks.sort());
  if (hasTwins || lacksTimes) return { ticks, mended: [], isComplete: false };
  const mended = mendTimes(inGroups, groupStarts);
  const mendOf = indexMended(mended);
  const settled = ticks.map((at) => mendOf.get(at) ?? at).sort();
  // One that stays wrong may stand where another would be mended to.
  return rises(settled) ? { ticks: settled, mended, isComplete } : { ticks, mended: [], isComplete };
}

/** Sorts within each group of pictures, in place. */
function sortGroups(ticks: Float64Array, starts: readonly number[]): void {
  ticks.subarray(0, starts[0]).sort();
  for (const [index, start] of starts.entries()) ticks.subarray(start, starts[index + 1]).sort();
}

/** What each wrong time is mended to. */
function indexMended(mended: readonly MendedTime[]): ReadonlyMap<number, number> {
  return new Map(mended.map(({ fromTicks, toTicks }) => [fromTicks, toTicks]));
}

function rises(ticks: Float64Array): boolean {
  return ticks.every((at, place) => place === 0 || at > (ticks[place - 1] as number));
}

function findKeys(ticks: Float64Array, keyTimes: readonly number[]): readonly number[] {
  const keys: number[] = [];
  let at = 0;
  for (const time of keyTimes) {
    while (at < ticks.length && (ticks[at] as number) < time) at++;
    if (ticks[at] === time) keys.push(at);
  }
  return keys;
}
