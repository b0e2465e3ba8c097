import type { Interleave, Range, RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { hasGap } from "./loss.ts";
import { orderPictures, type PresentationOrder } from "./presentation.ts";
import { createFrameClock, type FrameClock } from "./frame-clock.ts";
import { fitDurations, type TimeBound } from "./variable-rate.ts";

/** Where a track's times come from, by falling trust. */
export type TimingSource = "index" | "container" | "constant-rate" | "packet-durations" | "other-clock" | "picture-order" | "reference-histogram";

/** When the packets of one track decode and show. */
export interface Timeline {
  /** Index of the reference's track. */
  readonly track: number;
  /** Places in the log, in decode order. */
  readonly packets: Uint32Array;
  /** Decode time of each packet in media ticks, and after them the end of the last one. */
  readonly decodeTicks: Float64Array;
  /** Presentation time of each packet in media ticks; undefined where it is the decode time. */
  readonly presentationTicks?: Float64Array;
  readonly source: TimingSource;
}

/** Nearly all samples have one duration: the others are slips. */
const CONSTANT_SHARE = 0.995;
/** Durations of a steady track may waver by this share of their mean, but for one in fifty. */
const JITTER = 0.12;
const JITTER_SHARE = 0.98;
/** Runs after a gap that vote on how a track's clock goes on. */
const VOTES = 64;
/** Pictures at a cut end whose neighbours in presentation may be missing. */
const REORDERED_TAIL = 8;
/** The reference's own pattern of durations is kept while it misses the other clock by no more than this beyond the best fit. */
const SLACK_SECONDS = 0.02;
/** Clocks of two timescales agree to this. */
const EPSILON_SECONDS = 0.0005;

/** One stretch of the log between gaps. */
interface Stretch {
  readonly first: number;
  readonly end: number;
  /** Estimated seconds lost directly before it. */
  readonly lostSeconds: number;
}

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

interface MasterClock {
  readonly timeline: Timeline;
  readonly track: number;
  readonly timescale: number;
}

function packetsByTrack(log: PacketLog, assigned: Uint8Array, trackCount: number): Uint32Array[] {
  const counts = new Uint32Array(trackCount);
  for (let index = 0; index < log.count; index++) counts[assigned[index] as number] = (counts[assigned[index] as number] ?? 0) + 1;
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

/** Whether samples last one time each, give or take: audio by its nature, others by what the reference shows. */
function isSteady(track: TrackProfile): boolean {
  if (track.kind === "audio" || track.durations.length <= 1) return true;
  const mean = meanDuration(track);
  let [near, total] = [0, 0];
  for (const share of track.durations) {
    total += share.count;
    if (Math.abs(share.value - mean) <= mean * JITTER) near += share.count;
  }
  return near >= total * JITTER_SHARE;
}

function timescaleOf(profile: RecordingProfile, track: number): number {
  return (profile.tracks[track] as TrackProfile).track.timescale;
}

/**
 * Ticks of one sample, a fraction where the reference's durations waver around a mean (times taken from a clock of
 * another rate): the commonest duration where it stands for nearly all.
 */
function steadyDuration(profile: TrackProfile): number {
  const common = commonDuration(profile);
  const total = profile.durations.reduce((sum, share) => sum + share.count, 0);
  return (profile.durations[0]?.count ?? 0) >= total * CONSTANT_SHARE ? common : meanDuration(profile);
}

function commonDuration(profile: TrackProfile): number {
  return Math.max(1, profile.durations[0]?.value ?? 1);
}

/** Samples a log entry stands for: PCM runs hold many. */
function samplesOf(log: PacketLog, profile: TrackProfile, packet: number): number {
  const frameBytes = profile.track.samples.constantSizeBytes;
  return frameBytes > 0 ? log.size(packet) / frameBytes : 1;
}

function splitStretches(log: PacketLog, packets: readonly Uint32Array[], profile: RecordingProfile): Stretch[] {
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

function meanDuration(profile: TrackProfile): number {
  let [sum, count] = [0, 0];
  for (const share of profile.durations) {
    sum += share.value * share.count;
    count += share.count;
  }
  return count > 0 ? sum / count : 1;
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
    return placePictures(track, packets, own, order.displayIndexes, order.lostFrames, createFrameClock(own, ticks), source);
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

/** Seconds lost between a track's packet and the one before it. */
function lostBefore(stretches: readonly Stretch[], packets: Uint32Array, position: number): number {
  const to = packets[position] as number;
  const from = position > 0 ? (packets[position - 1] as number) : -1;
  let seconds = 0;
  for (const stretch of stretches) if (stretch.first > from && stretch.first <= to) seconds += stretch.lostSeconds;
  return seconds;
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
      const target = wanted === undefined ? now + lostSeconds * own.track.timescale : wanted * own.track.timescale;
      now += Math.max(0, Math.round((target - now) / ticks)) * ticks;
    }
    decodeTicks[position] = Math.round(now);
    now += samplesOf(log, own, packet) * ticks;
  }
  decodeTicks[packets.length] = Math.round(now);
  return { track, packets, decodeTicks, source: own.kind === "audio" ? "packet-durations" : "reference-histogram" };
}

/**
 * Seconds at which the packet at `position`, the first after a gap, decodes: where the runs that follow it keep best to
 * the range of leads on the master that the reference showed.
 */
function clockAfterGap(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  position: number,
  profile: RecordingProfile,
  clock: MasterClock,
): number | undefined {
  const own = profile.tracks[track] as TrackProfile;
  const lead = leadOn(profile, track, clock.track);
  const lag = profile.interleave.lags[track];
  if (lead === undefined) return undefined;
  const spans: { readonly min: number; readonly max: number }[] = [];
  let relativeTicks = 0;
  for (let at = position; at < packets.length && spans.length < VOTES; at++) {
    const packet = packets[at] as number;
    if (at > position && hasGap(log, packets[at - 1] as number, packet)) break;
    const isRunStart = at === position || (packets[at - 1] as number) !== packet - 1;
    const masterSeconds = isRunStart ? masterClockAt(log, clock, packet, at === position) : undefined;
    if (masterSeconds !== undefined) {
      const start = masterSeconds - relativeTicks / own.track.timescale;
      spans.push({ min: start + lead.min, max: start + lead.max });
    }
    relativeTicks += samplesOf(log, own, packet) * steadyDuration(own);
    const next = lowerBound(clock.timeline.packets, packet);
    if (lag && clock.timeline.packets[next] === packet + 1 && !log.isAfterGap(packet + 1)) {
      const start = (clock.timeline.decodeTicks[next] as number) / clock.timescale - relativeTicks / own.track.timescale;
      spans.push({ min: start + lag.min, max: start + lag.max });
    }
  }
  return bestCovered(spans);
}

/** The middle of the stretch that most intervals cover. */
function bestCovered(spans: readonly { readonly min: number; readonly max: number }[]): number | undefined {
  const edges = spans.flatMap((span) => [
    { at: span.min - EPSILON_SECONDS, step: 1 },
    { at: span.max + EPSILON_SECONDS, step: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at || b.step - a.step);
  let [depth, deepest, best] = [0, 0, undefined as number | undefined];
  edges.forEach((edge, index) => {
    depth += edge.step;
    if (depth <= deepest) return;
    deepest = depth;
    best = (edge.at + (edges[index + 1]?.at ?? edge.at)) / 2;
  });
  return best;
}

/** Master seconds written before a log entry: the decode time of the master's next packet. */
function masterClockAt(log: PacketLog, clock: MasterClock, packet: number, mayFollowGap: boolean): number | undefined {
  const { packets, decodeTicks } = clock.timeline;
  const next = lowerBound(packets, packet);
  if (mayFollowGap && next > 0 && hasGap(log, packets[next - 1] as number, packet)) {
    return next < packets.length ? (decodeTicks[next] as number) / clock.timescale : undefined;
  }
  // Not the next packet's own time: frames may be lost between the two.
  if (next > 0 && next < packets.length && hasGap(log, packets[next - 1] as number, packets[next] as number)) return undefined;
  return (decodeTicks[next] as number) / clock.timescale;
}

/** First position whose value is ≥ `value`. */
function lowerBound(sorted: Uint32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How a track leads another at the starts of its runs, from what the reference showed against its first video. */
function leadOn(profile: RecordingProfile, track: number, master: number): Range | undefined {
  const video = profile.tracks.findIndex((candidate) => candidate.kind === "video");
  return master === video ? profile.interleave.leads[track] : undefined;
}

/** Video of variable rate beside a steady audio clock: the audio written so far bounds when each picture decodes. */
function followingVideo(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  stretches: readonly Stretch[],
  clock: MasterClock,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  const order = orderPictures(log, packets);
  const counted = timesOfCounts(track, packets, own, order);
  if (counted) return counted;
  const decodeTicks = new Float64Array(packets.length + 1);
  let from = 0;
  let now = 0;
  while (from < packets.length) {
    let end = from + 1;
    while (end < packets.length && !hasGap(log, packets[end - 1] as number, packets[end] as number)) end++;
    const bounds = audioBounds(log, clock, packets, from, end, profile.interleave);
    const start = from === 0 ? 0 : startAfterGap(bounds, own, now + lostBefore(stretches, packets, from) * own.track.timescale);
    const relative = bounds.map((bound) => ({
      sample: bound.sample,
      minSeconds: bound.minSeconds - start / own.track.timescale,
      maxSeconds: bound.maxSeconds - start / own.track.timescale,
    }));
    const pattern = from === 0 ? patternTimes(own, end - from) : undefined;
    const fitted = fitDurations(end - from, own.durations, own.track.timescale, relative);
    const keepsPattern = pattern && beyondBounds(pattern, relative, own) <= beyondBounds(fitted, relative, own) + SLACK_SECONDS;
    const times = keepsPattern ? pattern : fitted;
    if (keepsPattern && end === packets.length) {
      const shown = createFrameClock(own, meanDuration(own));
      const presentationTicks = order.displayIndexes.map((frame) => shown.displayTicks(frame) + own.presentationDelayTicks);
      const lastTicks = (times[end - 1] as number) + commonDuration(own);
      return { track, packets, decodeTicks: withEnd(times, lastTicks), presentationTicks, source: "other-clock" };
    }
    for (let index = from; index < end; index++) decodeTicks[index] = start + (times[index - from] as number);
    now = (decodeTicks[end - 1] as number) + commonDuration(own);
    from = end;
  }
  decodeTicks[packets.length] = now;
  return { track, packets, decodeTicks, ...presented(order.displayIndexes, decodeTicks, own), source: "other-clock" };
}

function withEnd(times: Float64Array, endTicks: number): Float64Array {
  const whole = new Float64Array(times.length + 1);
  whole.set(times);
  whole[times.length] = endTicks;
  return whole;
}

/**
 * Order counts that leave places free although nothing was lost: the recorder dropped those frames, and the count keeps
 * time for it. Undefined where counts run through, or where bytes were lost.
 */
function timesOfCounts(track: number, packets: Uint32Array, own: TrackProfile, order: PresentationOrder): Timeline | undefined {
  const sorted = order.displayIndexes.toSorted();
  const settled = sorted.length - REORDERED_TAIL;
  const holes = settled > 0 ? (sorted[settled - 1] as number) - (sorted[0] as number) + 1 - settled : 0;
  if (order.lostFrames.size > 0 || holes <= 0) return undefined;
  const ticks = commonDuration(own);
  const first = sorted[0] as number;
  const presentationTicks = order.displayIndexes.map((index) => (index - first) * ticks + own.presentationDelayTicks);
  const decodeTicks = withEnd(sorted.map((index) => (index - first) * ticks), ((sorted.at(-1) as number) + 1 - first) * ticks);
  return { track, packets, decodeTicks, presentationTicks, source: "picture-order" };
}

/** Decode times as the reference's went. */
function patternTimes(own: TrackProfile, count: number): Float64Array {
  const clock = createFrameClock(own, meanDuration(own));
  return Float64Array.from({ length: count }, (_, frame) => clock.decodeTicks(frame));
}

/** Seconds by which times miss their bounds, all together. */
function beyondBounds(times: Float64Array, bounds: readonly TimeBound[], own: TrackProfile): number {
  return bounds.reduce((sum, bound) => {
    const seconds = (times[bound.sample] ?? 0) / own.track.timescale;
    return sum + Math.max(0, bound.minSeconds - seconds, seconds - bound.maxSeconds);
  }, 0);
}

/** The nth picture shown shows when the nth picture decodes, plus the constant delay. */
function presented(displayIndexes: Float64Array, decodeTicks: Float64Array, own: TrackProfile): { presentationTicks: Float64Array } {
  const count = displayIndexes.length;
  const byDisplay = Uint32Array.from({ length: count }, (_, index) => index);
  byDisplay.sort((a, b) => (displayIndexes[a] as number) - (displayIndexes[b] as number) || a - b);
  const presentationTicks = new Float64Array(count);
  byDisplay.forEach((position, rank) => {
    presentationTicks[position] = (decodeTicks[rank] as number) + own.presentationDelayTicks;
  });
  return { presentationTicks };
}

/** Ticks at which the first picture after a gap decodes: where most of the bounds on it and its followers agree. */
function startAfterGap(bounds: readonly TimeBound[], own: TrackProfile, fallbackTicks: number): number {
  const secondsPerSample = meanDuration(own) / own.track.timescale;
  const spans = bounds.slice(0, VOTES).map((bound) => ({
    min: bound.minSeconds - bound.sample * secondsPerSample,
    max: bound.maxSeconds - bound.sample * secondsPerSample,
  }));
  const seconds = bestCovered(spans);
  return Math.round(seconds === undefined ? fallbackTicks : seconds * own.track.timescale);
}

/**
 * When each picture behind an audio packet decodes at the earliest and latest: the audio written so far lags and leads
 * the video as the reference showed.
 */
function audioBounds(
  log: PacketLog,
  clock: MasterClock,
  packets: Uint32Array,
  from: number,
  end: number,
  interleave: Interleave,
): TimeBound[] {
  const bounds: TimeBound[] = [];
  const [lead, lag] = [interleave.leads[clock.track], interleave.lags[clock.track]];
  const audio = clock.timeline;
  const seconds = (position: number): number => (audio.decodeTicks[position] as number) / clock.timescale;
  for (let index = Math.max(1, from); index < end; index++) {
    const packet = packets[index] as number;
    const next = lowerBound(audio.packets, packet);
    if (next === 0 || audio.packets[next - 1] !== packet - 1 || log.isAfterGap(packet)) continue;
    let runStart = next - 1;
    while (runStart > 0 && audio.packets[runStart - 1] === (audio.packets[runStart] as number) - 1) runStart--;
    const sample = index - from;
    if (lead) bounds.push({ sample, minSeconds: seconds(runStart) - lead.max, maxSeconds: seconds(runStart) - lead.min });
    if (lag) bounds.push({ sample, minSeconds: seconds(next) - lag.max, maxSeconds: seconds(next) - lag.min });
  }
  return bounds;
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
    if (position > 0 && seconds !== undefined) now = Math.max(now + 1, Math.round((seconds + lead) * own.track.timescale));
    else if (position > 0) now += commonDuration(own);
    decodeTicks[position] = now;
  });
  decodeTicks[packets.length] = now + commonDuration(own);
  return { track, packets, decodeTicks, source: "other-clock" };
}
