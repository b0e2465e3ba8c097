import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { commonDuration, isSteady, samplesOf, steadyDuration } from "./durations.ts";
import { followingVideo } from "./following-video.ts";
import { createFrameClock } from "./frame-clock.ts";
import { createLostPictures } from "./kept-sound.ts";
import { areGapsHabitual, clockAfterGap, type MasterClock, masterClockAt, runLeads } from "./master-clock.ts";
import { countedClock, lostByPictures, placePictures } from "./picture-clock.ts";
import { orderPictures, type PresentationOrder } from "./presentation.ts";
import { type CountedTrack, lostBefore, type Stretch, splitStretches } from "./stretches.ts";
import type { Timeline } from "./times.ts";

/** Times for every track that has packets. `assigned` names each packet's track. */
export function buildTimelines(log: PacketLog, assigned: Uint8Array, profile: RecordingProfile): Timeline[] {
  const packets = packetsByTrack(log, assigned, profile.tracks.length);
  const orders = profile.tracks.map((track, index) =>
    track.kind === "video"
      ? orderPictures(log, packets[index] as Uint32Array, createLostPictures(log, packets, profile, index))
      : undefined,
  );
  const counted = countedTrack(packets, orders);
  const stretches = splitStretches(log, packets, profile, counted);
  const master = chooseMaster(profile, packets);
  const timelines: Timeline[] = [];
  let clock: MasterClock | undefined;
  if (master >= 0) {
    const timeline = masterTimeline(
      log,
      master,
      packets[master] as Uint32Array,
      profile,
      stretches,
      orders[master],
      counted,
    );
    timelines.push(timeline);
    const usualTicks = steadyDuration(profile.tracks[master] as TrackProfile);
    clock = { timeline, track: master, timescale: timescaleOf(profile, master), usualTicks };
  }
  const isHabit = clock !== undefined && areGapsHabitual(log, clock, profile, packets);
  profile.tracks.forEach((_, track) => {
    const own = packets[track] as Uint32Array;
    if (track === master || own.length === 0) return;
    timelines.push(followerTimeline(log, track, own, profile, stretches, { clock, isHabit }, orders[track]));
  });
  return timelines.sort((a, b) => a.track - b.track);
}

/** The first video track whose pictures are counted. */
function countedTrack(
  packets: readonly Uint32Array[],
  orders: readonly (PresentationOrder | undefined)[],
): CountedTrack | undefined {
  const track = orders.findIndex((order, index) => order?.isCounted && (packets[index]?.length ?? 0) > 0);
  const order = orders[track];
  return order && { track, packets: packets[track] as Uint32Array, order };
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
  order: PresentationOrder | undefined,
  counted: CountedTrack | undefined,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  const steady = isSteady(own);
  const ticks = steadyDuration(own);
  const perSecond = own.track.timescale / ticks;
  if (order) {
    const source = steady ? "constant-rate" : "reference-histogram";
    return placePictures(track, packets, own, order, createFrameClock(own, ticks), source);
  }
  const pictures = counted && countedClock(counted, profile);
  const decodeTicks = new Float64Array(packets.length + 1);
  let clock = 0;
  packets.forEach((packet, position) => {
    const lost = lostBefore(stretches, track, packets, position);
    if (lost > 0) {
      const seconds = pictures && lostByPictures(log, track, packets, position, profile, pictures, decodeTicks);
      clock += Math.round((seconds ?? lost) * perSecond) * ticks;
    }
    decodeTicks[position] = Math.round(clock);
    clock += samplesOf(log, own, packet) * ticks;
  });
  decodeTicks[packets.length] = Math.round(clock);
  return { track, packets, decodeTicks, source: steady ? "packet-durations" : "reference-histogram" };
}

/** A track whose clock is held against the master's at every run. */
function followerTimeline(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  stretches: readonly Stretch[],
  { clock, isHabit }: { readonly clock: MasterClock | undefined; readonly isHabit: boolean },
  order: PresentationOrder | undefined,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  if (order && clock) return followingVideo(log, track, packets, profile, stretches, clock, order);
  if (!isSteady(own) && clock) return sparseTimeline(log, track, packets, profile, clock);
  const ticks = steadyDuration(own);
  const decodeTicks = new Float64Array(packets.length + 1);
  let now = 0;
  for (let position = 0; position < packets.length; position++) {
    const packet = packets[position] as number;
    const lostSeconds = lostBefore(stretches, track, packets, position);
    if (lostSeconds > 0 || (position === 0 && packet > 0 && log.isAfterGap(0))) {
      const wanted = clock ? clockAfterGap(log, track, packets, position, profile, clock) : undefined;
      const nowSeconds = now / own.track.timescale;
      const isBetweenOthers = isHabit || !isBesideGap(log, packets, position);
      // A gap among another track's packets alone took none of this one's, if the clocks allow it: by half a run, as the
      // reference's few runs do not show how far leads range.
      const slack = ((own.runSamples[0]?.value ?? 1) * ticks) / own.track.timescale / 2;
      const keeps = isBetweenOthers && wanted && nowSeconds >= wanted.min - slack && nowSeconds <= wanted.max + slack;
      const targetSeconds = wanted?.likely ?? nowSeconds + lostSeconds;
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

/** Samples of no steady duration (text, events): the last of a run plays when it was written, those before it earlier by what the reference showed. */
function sparseTimeline(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  clock: MasterClock,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  const { first, last } = runLeads(profile, track, clock.track);
  const decodeTicks = new Float64Array(packets.length + 1);
  let now = 0;
  packets.forEach((packet, position) => {
    const seconds = masterClockAt(log, clock, packet, true);
    const lead = packets[position + 1] === packet + 1 ? first : last;
    if (position > 0 && seconds !== undefined)
      now = Math.max(now + 1, Math.round((seconds + lead) * own.track.timescale));
    else if (position > 0) now += commonDuration(own);
    decodeTicks[position] = now;
  });
  decodeTicks[packets.length] = now + commonDuration(own);
  return { track, packets, decodeTicks, source: "other-clock" };
}
