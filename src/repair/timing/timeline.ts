import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { commonDuration, isSteady, samplesOf, steadyDuration } from "./durations.ts";
import { followingVideo } from "./following-video.ts";
import { createFrameClock, type FrameClock } from "./frame-clock.ts";
import { clockAfterGap, leadOn, type MasterClock, masterClockAt } from "./master-clock.ts";
import { orderPictures } from "./presentation.ts";
import { lostBefore, type Stretch, splitStretches } from "./stretches.ts";
import type { Timeline, TimingSource } from "./times.ts";

/** Times for every track that has packets. `assigned` names each packet's track. */
export function buildTimelines(log: PacketLog, assigned: Uint8Array, profile: RecordingProfile): Timeline[] {
  const packets = packetsByTrack(log, assigned, profile.tracks.length);
  const stretches = splitStretches(log, packets, profile);
  const master = chooseMaster(profile, packets);
  const timelines: Timeline[] = [];
  let clock: MasterClock | undefined;
  if (master >= 0) {
    const timeline = masterTimeline(log, master, packets[master] as Uint32Array, profile, stretches);
    timelines.push(timeline);
    clock = { timeline, track: master, timescale: timescaleOf(profile, master) };
  }
  profile.tracks.forEach((_, track) => {
    const own = packets[track] as Uint32Array;
    if (track === master || own.length === 0) return;
    timelines.push(followerTimeline(log, track, own, profile, stretches, clock));
  });
  return timelines.sort((a, b) => a.track - b.track);
}

function packetsByTrack(log: PacketLog, assigned: Uint8Array, trackCount: number): Uint32Array[] {
  const counts = new Uint32Array(trackCount);
  for (let index = 0; index < log.count; index++)
    counts[assigned[index] as number] = (counts[assigned[index] as number] ?? 0) + 1;
  const lists = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(trackCount);
  for (let index = 0; index < log.count; index++) {
    const track = assigned[index] as number;
    const list = lists[track] as Uint32Array;
    list[filled[track] as number] = index;
    filled[track] = (filled[track] as number) + 1;
  }
  return lists;
}

/** Constant-rate video leads; else audio, whose packets state their length; else video by the reference's durations. */
function chooseMaster(profile: RecordingProfile, packets: readonly Uint32Array[]): number {
  const has = (track: number): boolean => (packets[track]?.length ?? 0) > 0;
  const find = (test: (track: TrackProfile) => boolean): number =>
    profile.tracks.findIndex((track, index) => has(index) && test(track));
  const steadyVideo = find((track) => track.kind === "video" && isSteady(track));
  if (steadyVideo >= 0) return steadyVideo;
  const audio = find((track) => track.kind === "audio" && isSteady(track));
  if (audio >= 0) return audio;
  const video = find((track) => track.kind === "video");
  return video >= 0 ? video : find(() => true);
}

function timescaleOf(profile: RecordingProfile, track: number): number {
  return (profile.tracks[track] as TrackProfile).track.timescale;
}

/** The clock that the other tracks keep to. */
function masterTimeline(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  stretches: readonly Stretch[],
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  const steady = isSteady(own);
  const ticks = steadyDuration(own);
  const perSecond = own.track.timescale / ticks;
  if (own.kind === "video") {
    const order = orderPictures(log, packets);
    const source = steady ? "constant-rate" : "reference-histogram";
    return placePictures(
      track,
      packets,
      own,
      order.displayIndexes,
      order.lostFrames,
      createFrameClock(own, ticks),
      source,
    );
  }
  const decodeTicks = new Float64Array(packets.length + 1);
  let clock = 0;
  packets.forEach((packet, position) => {
    const lost = lostBefore(stretches, packets, position);
    if (lost > 0) clock += Math.round(lost * perSecond) * ticks;
    decodeTicks[position] = Math.round(clock);
    clock += samplesOf(log, own, packet) * ticks;
  });
  decodeTicks[packets.length] = Math.round(clock);
  return { track, packets, decodeTicks, source: steady ? "packet-durations" : "reference-histogram" };
}

function placePictures(
  track: number,
  packets: Uint32Array,
  own: TrackProfile,
  displayIndexes: Float64Array,
  lostFrames: ReadonlyMap<number, number>,
  clock: FrameClock,
  source: TimingSource,
): Timeline {
  const decodeTicks = new Float64Array(packets.length + 1);
  const presentationTicks = new Float64Array(packets.length);
  let frames = 0;
  for (let position = 0; position < packets.length; position++) {
    frames += lostFrames.get(position) ?? 0;
    decodeTicks[position] = clock.decodeTicks(frames);
    presentationTicks[position] = clock.displayTicks(displayIndexes[position] as number) + own.presentationDelayTicks;
    frames++;
  }
  decodeTicks[packets.length] = clock.decodeTicks(frames);
  return { track, packets, decodeTicks, presentationTicks, source };
}

/** A track whose clock is held against the master's at every run. */
function followerTimeline(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  stretches: readonly Stretch[],
  clock: MasterClock | undefined,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  if (own.kind === "video" && clock) return followingVideo(log, track, packets, profile, stretches, clock);
  if (!isSteady(own) && clock) return sparseTimeline(log, track, packets, profile, clock);
  const ticks = steadyDuration(own);
  const decodeTicks = new Float64Array(packets.length + 1);
  let now = 0;
  for (let position = 0; position < packets.length; position++) {
    const packet = packets[position] as number;
    const lostSeconds = lostBefore(stretches, packets, position);
    if (lostSeconds > 0 || (position === 0 && packet > 0 && log.isAfterGap(0))) {
      const wanted = clock ? clockAfterGap(log, track, packets, position, profile, clock) : undefined;
      const nowSeconds = now / own.track.timescale;
      const isBetweenOthers = !isBesideGap(log, packets, position);
      // A gap among another track's packets alone took none of this one's, if the clocks allow it: by half a run, as the
      // reference's few runs do not show how far leads range.
      const slack = ((own.runSamples[0]?.value ?? 1) * ticks) / own.track.timescale / 2;
      const keeps = isBetweenOthers && wanted && nowSeconds >= wanted.min - slack && nowSeconds <= wanted.max + slack;
      const targetSeconds = wanted ? (wanted.min + wanted.max) / 2 : nowSeconds + lostSeconds;
      if (!keeps) now += Math.max(0, Math.round(((targetSeconds - nowSeconds) * own.track.timescale) / ticks)) * ticks;
    }
    decodeTicks[position] = Math.round(now);
    now += samplesOf(log, own, packet) * ticks;
  }
  decodeTicks[packets.length] = Math.round(now);
  return { track, packets, decodeTicks, source: own.kind === "audio" ? "packet-durations" : "reference-histogram" };
}

/** Whether the packet at `position`, or the one before it, stands directly at a gap between the two. */
function isBesideGap(log: PacketLog, packets: Uint32Array, position: number): boolean {
  const packet = packets[position] as number;
  return log.isAfterGap(packet) || (position > 0 && log.isAfterGap((packets[position - 1] as number) + 1));
}

/** Samples of no steady duration (text, events): each plays when its run was written. */
function sparseTimeline(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  clock: MasterClock,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  const lead = leadOn(profile, track, clock.track)?.median ?? 0;
  const decodeTicks = new Float64Array(packets.length + 1);
  let now = 0;
  packets.forEach((packet, position) => {
    const seconds = masterClockAt(log, clock, packet, true);
    if (position > 0 && seconds !== undefined)
      now = Math.max(now + 1, Math.round((seconds + lead) * own.track.timescale));
    else if (position > 0) now += commonDuration(own);
    decodeTicks[position] = now;
  });
  decodeTicks[packets.length] = now + commonDuration(own);
  return { track, packets, decodeTicks, source: "other-clock" };
}
