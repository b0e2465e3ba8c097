import type { TrackProfile } from "../learn/profile.ts";

/** Times of a video track by frame, as the reference's went: its own pattern of durations, over and over. */
export interface FrameClock {
  /** Decode time of the nth frame in ticks, n counted from 0, lost frames included. */
  decodeTicks(frame: number): number;
  /** Presentation time of the nth picture shown, in ticks from the first one on. */
  displayTicks(frame: number): number;
}

/** `meanTicks` stands for the last sample's duration, which recorders make up. */
export function createFrameClock(profile: TrackProfile, meanTicks: number): FrameClock {
  return {
    decodeTicks: (frame) => tiled(profile.decodeTicks, frame, meanTicks),
    displayTicks: (frame) => tiled(profile.displayTicks, frame, meanTicks),
  };
}

function tiled(times: Float64Array, frame: number, meanTicks: number): number {
  const count = times.length;
  if (count === 0) return Math.round(frame * meanTicks);
  const turns = Math.floor(frame / count);
  const period = (times[count - 1] as number) + meanTicks;
  return Math.round(turns * period + (times[frame - turns * count] as number));
}
