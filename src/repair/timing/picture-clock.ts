import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { meanDuration, samplesOf, steadyDuration } from "./durations.ts";
import { createFrameClock, type FrameClock } from "./frame-clock.ts";
import { hasGap } from "./loss.ts";
import { clockAfterGap, type MasterClock, VOTES } from "./master-clock.ts";
import type { PresentationOrder } from "./presentation.ts";
import type { CountedTrack } from "./stretches.ts";
import type { Timeline, TimingSource } from "./times.ts";

/** Leads that leave more open than this tell less of a gap than its frames and bytes do. */
const MAX_DOUBT_SECONDS = 0.04;

/** Times of pictures in order by a clock of frames. */
export function placePictures(
  track: number,
  packets: Uint32Array,
  own: TrackProfile,
  { displayIndexes, decodeIndexes }: PresentationOrder,
  clock: FrameClock,
  source: TimingSource,
): Timeline {
  const endTicks = clock.decodeTicks((decodeIndexes.at(-1) ?? -1) + 1);
  const decodeTicks = new Float64Array(packets.length + 1).fill(endTicks);
  decodeIndexes.forEach((index, position) => {
    decodeTicks[position] = clock.decodeTicks(index);
  });
  const presentationTicks = displayIndexes.map((index) => clock.displayTicks(index) + own.presentationDelayTicks);
  return { track, packets, decodeTicks, presentationTicks, source };
}

/** A clock of counted pictures as the reference's went, good enough for a few seconds around a gap. */
export function countedClock({ track, packets, order }: CountedTrack, profile: RecordingProfile): MasterClock {
  const own = profile.tracks[track] as TrackProfile;
  const clock = createFrameClock(own, meanDuration(own));
  const timeline = placePictures(track, packets, own, order, clock, "picture-order");
  return { timeline, track, timescale: own.track.timescale, usualTicks: meanDuration(own) };
}

/** Seconds that a gap before `position` took of an audio track, as it keeps its lead on counted pictures. */
export function lostByPictures(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  position: number,
  profile: RecordingProfile,
  pictures: MasterClock,
  decodeTicks: Float64Array,
): number | undefined {
  let start = position - 1;
  const isNear = (at: number): boolean =>
    position - at < VOTES && !hasGap(log, packets[at - 1] as number, packets[at] as number);
  while (start > 0 && isNear(start)) start--;
  if (position === 0) return undefined;
  const before = clockAfterGap(log, track, packets, start, profile, pictures);
  const after = clockAfterGap(log, track, packets, position, profile, pictures);
  if (!before || !after || after.max - after.min + before.max - before.min > MAX_DOUBT_SECONDS) return undefined;
  const own = profile.tracks[track] as TrackProfile;
  const last = samplesOf(log, own, packets[position - 1] as number) * steadyDuration(own);
  const found = ((decodeTicks[position - 1] as number) + last - (decodeTicks[start] as number)) / own.track.timescale;
  return Math.max(0, (after.min + after.max - before.min - before.max) / 2 - found);
}
