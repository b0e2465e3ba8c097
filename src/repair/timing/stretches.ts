import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { meanDuration, samplesOf } from "./durations.ts";
import { createFrameClock } from "./frame-clock.ts";
import { lostBytes } from "./loss.ts";
import { lowerBound } from "./master-clock.ts";
import { framesLostBefore, type PresentationOrder } from "./presentation.ts";

/** One stretch of the log between gaps. */
export interface Stretch {
  readonly first: number;
  readonly end: number;
  /** Estimated seconds lost directly before it. */
  readonly lostSeconds: number;
  /** The one track that lost anything, where the gap lies inside a run of it; undefined: all may have. */
  readonly onlyTrack: number | undefined;
}

/** A track whose order counts tell what gaps took of it. */
export interface CountedTrack {
  readonly track: number;
  /** Places of its packets in the log. */
  readonly packets: Uint32Array;
  readonly order: PresentationOrder;
}

/** Rows of packets whose sizes are compared. */
const MAX_WINDOWS = 256;
const MIN_WINDOWS = 8;
/** A length of runs is usual if the reference shows it this often. */
const USUAL_RUN_SHARE = 0.1;

/**
 * The stretches of the whole log, in file order. `packets` are each track's places in it. What gaps took is judged by the
 * frames that a counted track lost, else by bytes.
 */
export function splitStretches(
  log: PacketLog,
  packets: readonly Uint32Array[],
  profile: RecordingProfile,
  counted: CountedTrack | undefined,
): Stretch[] {
  const bytesPerSecond = meanBytesPerSecond(log, packets, profile);
  const starts: number[] = [0];
  for (let index = 1; index < log.count; index++) if (log.isAfterGap(index)) starts.push(index);
  return starts.map((first, index) => {
    const end = starts[index + 1] ?? log.count;
    if (first === 0) return { first, end, lostSeconds: 0, onlyTrack: undefined };
    const bytes = gapBytes(log, first);
    const byBytes = bytes / bytesPerSecond;
    const byFrames = counted && countedLoss(log, first, profile, counted);
    const lostSeconds = byFrames ? weigh(byFrames, byBytes, byBytes * byFrames.sizeVariation) : byBytes;
    return { first, end, lostSeconds, onlyTrack: byFrames?.onlyTrack };
  });
}

function gapBytes(log: PacketLog, first: number): number {
  return log.offset(first) - (log.offset(first - 1) + log.size(first - 1));
}

/** What lost frames say of a gap. */
interface FrameLoss {
  readonly seconds: number;
  /** How far off that may be, in seconds, as the frames' durations vary. */
  readonly deviation: number;
  /** By what share of its mean the size of so many frames varies. */
  readonly sizeVariation: number;
  readonly onlyTrack: number | undefined;
}

/** What lost frames and lost bytes say together: each counts for the less the further off it may be. */
function weigh({ seconds, deviation }: FrameLoss, byBytes: number, bytesDeviation: number): number {
  const variance = deviation ** 2 + bytesDeviation ** 2;
  return variance > 0 ? (seconds * bytesDeviation ** 2 + byBytes * deviation ** 2) / variance : seconds;
}

/** What the frames lost before the counted track's next packet say of a gap; undefined where they say nothing of it. */
function countedLoss(
  log: PacketLog,
  first: number,
  profile: RecordingProfile,
  { track, packets, order }: CountedTrack,
): FrameLoss | undefined {
  const position = lowerBound(packets, first);
  const before = packets[position - 1];
  if (before === undefined || position === packets.length) return undefined;
  const frames = framesLostBefore(order, position);
  if (frames === 0) return undefined;
  const own = profile.tracks[track] as TrackProfile;
  const clock = createFrameClock(own, meanDuration(own));
  const next = order.decodeIndexes[position] as number;
  const ticks = clock.decodeTicks(next) - clock.decodeTicks(next - frames);
  // Gaps between the same two pictures share what was lost.
  const share = gapBytes(log, first) / lostBytes(log, before, packets[position] as number);
  const deviation = (Math.sqrt(frames) * durationDeviation(own)) / own.track.timescale;
  const isInside = before === first - 1 && packets[position] === first;
  const run = isInside ? runAround(packets, position) + frames : 0;
  const seconds = (ticks / own.track.timescale) * share;
  const sizeVariation = variationOfSizes(log, packets, frames);
  return { seconds, deviation, sizeVariation, onlyTrack: isUsualRun(own, run) ? track : undefined };
}

/** Deviation of the size of `count` packets in a row as a share of its mean; 1 where too few are there to tell. */
function variationOfSizes(log: PacketLog, packets: Uint32Array, count: number): number {
  const windows = Math.min(MAX_WINDOWS, Math.floor(packets.length / count));
  if (windows < MIN_WINDOWS) return 1;
  let [sum, squares] = [0, 0];
  for (let window = 0; window < windows; window++) {
    let bytes = 0;
    for (let at = window * count; at < (window + 1) * count; at++) bytes += log.size(packets[at] as number);
    sum += bytes;
    squares += bytes * bytes;
  }
  const mean = sum / windows;
  return Math.sqrt(Math.max(0, squares / windows - mean * mean)) / mean;
}

function durationDeviation(profile: TrackProfile): number {
  const mean = meanDuration(profile);
  let [sum, total] = [0, 0];
  for (const { value, count } of profile.durations) {
    sum += count * (value - mean) ** 2;
    total += count;
  }
  return Math.sqrt(sum / Math.max(1, total));
}

/** Packets of a track that stand side by side around the one at `position`. */
function runAround(packets: Uint32Array, position: number): number {
  let [from, to] = [position, position + 1];
  while (from > 0 && packets[from - 1] === (packets[from] as number) - 1) from--;
  while (to < packets.length && packets[to] === (packets[to - 1] as number) + 1) to++;
  return to - from;
}

function isUsualRun({ runSamples }: TrackProfile, length: number): boolean {
  const total = runSamples.reduce((sum, share) => sum + share.count, 0);
  return runSamples.some(({ value, count }) => value === length && count >= total * USUAL_RUN_SHARE);
}

function meanBytesPerSecond(log: PacketLog, packets: readonly Uint32Array[], profile: RecordingProfile): number {
  let bytes = 0;
  for (let index = 0; index < log.count; index++) bytes += log.size(index);
  const seconds = profile.tracks.map((track, index) => {
    let samples = 0;
    for (const packet of packets[index] as Uint32Array) samples += samplesOf(log, track, packet);
    return track.kind === "other" ? 0 : (samples * meanDuration(track)) / track.track.timescale;
  });
  return bytes / Math.max(1e-3, ...seconds) || 1;
}

/** Seconds that a track lost between a packet and the one before it. */
export function lostBefore(
  stretches: readonly Stretch[],
  track: number,
  packets: Uint32Array,
  position: number,
): number {
  const to = packets[position] as number;
  const from = position > 0 ? (packets[position - 1] as number) : -1;
  let seconds = 0;
  for (let index = firstAfter(stretches, from); index < stretches.length; index++) {
    const stretch = stretches[index] as Stretch;
    if (stretch.first > to) break;
    if (stretch.onlyTrack === undefined || stretch.onlyTrack === track) seconds += stretch.lostSeconds;
  }
  return seconds;
}

/** By halving: it is asked for every packet, and a file damaged all over has as many stretches. */
function firstAfter(stretches: readonly Stretch[], packet: number): number {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((stretches[middle] as Stretch).first <= packet) low = middle + 1;
    else high = middle;
  }
  return low;
}
