import { listDecodedTimes } from "../../ffmpeg/decoded-times.ts";
import {
  type FrameTimes,
  lastDurationOf,
  listFrameTimes,
  meanStep,
  requireContinuous,
} from "../../ffmpeg/frame-times.ts";
import { type MediaManifest, secondsOf, ticksOf, type VideoStream } from "../../ffmpeg/manifest.ts";
import { describeMended } from "../../ffmpeg/mended-times.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { HlsSettings } from "./options.ts";
import { KEY_FRAME_SECONDS, SEGMENT_SECONDS } from "./packaging.ts";
import { type SoundStretch, TOLD_SECONDS } from "./sound-cuts.ts";

/** So many packets are decoded to find the first picture; where none does, as of captures that begin in the middle of a long group, ten times as many. */
const FIRST_PACKETS = 60;
const MORE_PACKETS = 10;
/** No group is longer, of which the rest would decode: some minutes. */
const MAX_FIRST_PACKETS = 6000;
/** A last picture that is shown for longer than so many mean steps is one that is held. */
const HELD_STEPS = 1.5;
/** A picture that is held is a segment as long, which players load whole; a time that is wrong would make no end of it. */
const MAX_HELD_SECONDS = 3600;
/** For the sound's sake it is held for no longer than what is left of a segment behind its group of pictures: long segments tell players too low a bit rate. */
const MAX_SOUND_SECONDS = SEGMENT_SECONDS - KEY_FRAME_SECONDS;

/** As `FrameTimes`, with the time of the first picture that decodes. */
export interface PictureTimes extends Pick<FrameTimes, "ticks" | "mended" | "lastDurationTicks" | "isComplete"> {
  readonly originTicks: number;
  /** Of the pictures that decoding can begin at; empty where only decoding tells. */
  readonly keys: readonly number[];
}

/** When a recording's pictures are shown, as far as a package with such segments can tell it, and what is to be said of the rest. */
export async function listPictureTimes(
  path: string,
  video: VideoStream,
  { segments }: Pick<HlsSettings, "segments">,
  context: { readonly tools: FfmpegTools; readonly signal: AbortSignal },
): Promise<{ readonly times: PictureTimes; readonly findings: readonly string[] }> {
  const listed = await listTimes(path, video, context);
  const told = lastDurationOf(listed, video);
  const lastDurationTicks = Math.min(
    segments === "ts" ? unheld(told, meanStep(listed.ticks)) : told,
    Math.round(ticksOf(MAX_HELD_SECONDS, video.timeBase)),
  );
  const lost = secondsOf(told - lastDurationTicks, video.timeBase);
  const why = segments === "ts" ? "MPEG-TS tells no picture's length" : `${MAX_HELD_SECONDS} s are the longest`;
  const finding = `The last picture is shown for ${lost.toFixed(2)} s less than in the recording: ${why}.`;
  const findings = [...describeMended(listed.mended), ...(lost > TOLD_SECONDS ? [finding] : [])];
  return { times: { ...listed, lastDurationTicks }, findings };
}

/**
 * The same with the last picture held until the last sound ends, which would be lost otherwise: all streams of a package last as long. Not of
 * tracks that sound on for longer than a segment leaves room, nor in MPEG-TS.
 */
export function holdForSound(
  times: PictureTimes,
  video: VideoStream,
  sounds: readonly SoundStretch[],
  { segments }: Pick<HlsSettings, "segments">,
): { readonly times: PictureTimes; readonly findings: readonly string[] } {
  const { lastDurationTicks } = times;
  const end = endOf(times, video) ?? Number.POSITIVE_INFINITY;
  const late = sounds.map(({ endSeconds }) => endSeconds - end).filter((seconds) => seconds <= MAX_SOUND_SECONDS);
  const lateSeconds = Math.max(0, ...late);
  if (segments === "ts" || lateSeconds <= TOLD_SECONDS) return { times, findings: [] };
  const heldTicks = Math.ceil(ticksOf(lateSeconds, video.timeBase));
  const heldSeconds = secondsOf(heldTicks, video.timeBase).toFixed(2);
  const finding = `The last picture is held for ${heldSeconds} s more than in the recording, until the sound ends.`;
  return { times: { ...times, lastDurationTicks: lastDurationTicks + heldTicks }, findings: [finding] };
}

/** When the last picture ends, in the source's times; undefined where nothing tells. */
export function endOf(times: PictureTimes, video: VideoStream): number | undefined {
  const last = times.ticks.at(-1);
  return last === undefined ? undefined : secondsOf(last + times.lastDurationTicks, video.timeBase);
}

/** In MPEG-TS pictures last until the next one; players take the last one to last as long as the others. */
function unheld(durationTicks: number, step: number): number {
  return step === 0 || durationTicks <= HELD_STEPS * step ? durationTicks : step;
}

/** By the packets, which costs no decoding, where they tell; what becomes 0 is the first picture that there really is. */
async function listTimes(
  path: string,
  video: VideoStream,
  { tools, signal }: { readonly tools: FfmpegTools; readonly signal: AbortSignal },
): Promise<PictureTimes> {
  const listed = await listFrameTimes(tools, path, video.index, signal);
  requireContinuous(listed, path, video.timeBase);
  if (listed.isComplete) {
    let shown: number | undefined;
    for (let maxPackets = FIRST_PACKETS; shown === undefined; maxPackets *= MORE_PACKETS) {
      const decoded = await listDecodedTimes(tools, path, video.index, { maxPackets, signal });
      const first = new Set(listed.ticks.subarray(0, 2 * maxPackets));
      shown = decoded.find((at) => first.has(at));
      if (maxPackets >= Math.min(listed.ticks.length, MAX_FIRST_PACKETS)) break;
    }
    return { ...listed, originTicks: shown ?? listed.ticks[0] ?? 0 };
  }
  const decoded = await listDecodedTimes(tools, path, video.index, { signal });
  const ticks = Float64Array.from(decoded);
  const isComplete = ticks.length > 0 && ticks.every((at, index) => index === 0 || at > (ticks[index - 1] as number));
  const { lastDurationTicks } = listed;
  return { ticks, mended: [], keys: [], lastDurationTicks, isComplete, originTicks: ticks[0] ?? 0 };
}

/** Pictures per second; 0 where nothing tells. */
export function meanRate(times: Pick<PictureTimes, "ticks">, { timeBase, frameRate }: VideoStream): number {
  const step = secondsOf(meanStep(times.ticks), timeBase);
  if (step > 0) return 1 / step;
  return frameRate === undefined ? 0 : frameRate.numerator / frameRate.denominator;
}

/** How long the pictures last from the first that decodes to the end of the last, in seconds. */
export function durationOf(times: PictureTimes, video: VideoStream, manifest: MediaManifest): number {
  const last = times.ticks.at(-1);
  if (last === undefined) return video.durationSeconds ?? manifest.durationSeconds ?? 0;
  return secondsOf(last - times.originTicks + times.lastDurationTicks, video.timeBase);
}
