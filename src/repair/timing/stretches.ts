import { firstIndexWhere } from "../../base/first-index.ts";
import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { meanDuration } from "./durations.ts";
import { createFrameClock } from "./frame-clock.ts";
import { lostBytes, meanBytesPerSecond } from "./loss.ts";
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
/** Runs are followed this far. */
const MAX_RUN = 4096;
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
  const frameLossBefore = counted && createFrameLoss(log, profile, counted);
  return starts.map((first, index) => {
    const end = starts[index + 1] ?? log.count;
    if (first === 0) return { first, end, lostSeconds: 0, onlyTrack: undefined };
    const byBytes = lostBytes(log, first - 1, first) / bytesPerSecond;
    const byFrames = frameLossBefore?.(first);
    const lostSeconds = byFrames ? weigh(byFrames, byBytes, byBytes * byFrames.sizeVariation) : byBytes;
    return { first, end, lostSeconds, onlyTrack: byFrames?.onlyTrack };
  });
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

/** Tells of the gap before a place in the log what lost frames say of it; undefined where they say nothing. */
function createFrameLoss(
  log: PacketLog,
  profile: RecordingProfile,
  { track, packets, order }: CountedTrack,
): (first: number) => FrameLoss | undefined {
  const own = profile.tracks[track] as TrackProfile;
  const clock = createFrameClock(own, meanDuration(own));
  const variations = new Map<number, number>();
  const variationOf = (frames: number): number => {
    const known = variations.get(frames) ?? variationOfSizes(log, packets, frames);
    variations.set(frames, known);
    return known;
  };
  let shared = { position: -1, bytes: 0 };
  return (first) => {
    const position = lowerBound(packets, first);
    const before = packets[position - 1];
    if (before === undefined || position === packets.length) return undefined;
    const frames = framesLostBefore(order, position);
    if (frames === 0) return undefined;
    // Gaps between the same two pictures share what was lost.
    if (shared.position !== position) shared = { position, bytes: lostBytes(log, before, packets[position] as number) };
    const next = order.decodeIndexes[position] as number;
    const seconds = (clock.decodeTicks(next) - clock.decodeTicks(next - frames)) / own.track.timescale;
    const isInside = before === first - 1 && packets[position] === first;
    const isRun = isInside && isUsualRun(own, runAround(log, packets, position, frames));
    return {
      seconds: seconds * (lostBytes(log, first - 1, first) / shared.bytes),
      deviation: (Math.sqrt(frames) * durationDeviation(own)) / own.track.timescale,
      sizeVariation: variationOf(frames),
      onlyTrack: isRun ? track : undefined,
    };
  };
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

/** Length of the run around a gap before `position` in which so many frames were lost: up to other tracks or gaps. */
function runAround(log: PacketLog, packets: Uint32Array, position: number, lostFrames: number): number {
  const joins = (at: number): boolean =>
    packets[at - 1] === (packets[at] as number) - 1 && !log.isAfterGap(packets[at] as number);
  let [from, to] = [position - 1, position + 1];
  while (from > 0 && to - from < MAX_RUN && joins(from)) from--;
  while (to < packets.length && to - from < MAX_RUN && joins(to)) to++;
  return to - from + lostFrames;
}

function isUsualRun({ runSamples }: TrackProfile, length: number): boolean {
  const total = runSamples.reduce((sum, share) => sum + share.count, 0);
  return runSamples.some(({ value, count }) => value === length && count >= total * USUAL_RUN_SHARE);
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
  return firstIndexWhere(stretches.length, (index) => (stretches[index] as Stretch).first > packet);
}
