import type { RecordingProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { meanDuration, samplesOf } from "./durations.ts";

/** One stretch of the log between gaps. */
export interface Stretch {
  readonly first: number;
  readonly end: number;
  /** Estimated seconds lost directly before it. */
  readonly lostSeconds: number;
}

/** The stretches of the whole log, in file order. `packets` are each track's places in it. */
export function splitStretches(log: PacketLog, packets: readonly Uint32Array[], profile: RecordingProfile): Stretch[] {
  const bytesPerSecond = meanBytesPerSecond(log, packets, profile);
  const starts: number[] = [0];
  for (let index = 1; index < log.count; index++) if (log.isAfterGap(index)) starts.push(index);
  return starts.map((first, index) => {
    const lostBytes = first === 0 ? 0 : log.offset(first) - (log.offset(first - 1) + log.size(first - 1));
    return { first, end: starts[index + 1] ?? log.count, lostSeconds: lostBytes / bytesPerSecond };
  });
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

/** Seconds lost between a track's packet and the one before it. */
export function lostBefore(stretches: readonly Stretch[], packets: Uint32Array, position: number): number {
  const to = packets[position] as number;
  const from = position > 0 ? (packets[position - 1] as number) : -1;
  let seconds = 0;
  for (let index = firstAfter(stretches, from); index < stretches.length; index++) {
    const stretch = stretches[index] as Stretch;
    if (stretch.first > to) break;
    seconds += stretch.lostSeconds;
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
