import type { Interleave, RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { commonDuration, meanDuration } from "./durations.ts";
import { paceEvenly } from "./even-pace.ts";
import { createFrameClock } from "./frame-clock.ts";
import { hasGap } from "./loss.ts";
import { bestCovered, lowerBound, type MasterClock, VOTES } from "./master-clock.ts";
import type { PresentationOrder } from "./presentation.ts";
import { lostBefore, type Stretch } from "./stretches.ts";
import type { Timeline } from "./times.ts";
import { fitDurations, type TimeBound } from "./variable-rate.ts";

/** Pictures at a cut end whose neighbours in presentation may be missing. */
const REORDERED_TAIL = 8;

/** What the reference's own pattern of durations may miss the other clock by beyond the best fit. */
const SLACK_SECONDS = 0.02;
/** Counted losses beyond this are not fitted frame by frame. */
const MAX_LOST_FRAMES = 100_000;
/** Frames off the likeliest start after a gap that are tried, likeliest first. */
const TRIED_FRAMES = [0, -1, 1, -2, 2] as const;

/** Video of variable rate beside a steady audio clock: the audio written so far bounds when each picture decodes. */
export function followingVideo(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  stretches: readonly Stretch[],
  clock: MasterClock,
  order: PresentationOrder,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  const counted = timesOfCounts(track, packets, own, order);
  if (counted) return counted;
  const lost = framesLost(order);
  const isFew = lost < packets.length + MAX_LOST_FRAMES && lastShown(order) < 2 * packets.length + MAX_LOST_FRAMES;
  if (isFew && (lost === 0 || order.isCounted)) {
    return onFrameGrid(log, track, packets, profile, clock, order);
  }
  const decodeTicks = new Float64Array(packets.length + 1);
  let from = 0;
  let now = 0;
  while (from < packets.length) {
    let end = from + 1;
    while (end < packets.length && !hasGap(log, packets[end - 1] as number, packets[end] as number)) end++;
    const bounds = audioBounds(log, clock, packets, from, end, profile.interleave);
    const start = from === 0 ? 0 : startAfterGap(bounds, own, now, lostBefore(stretches, track, packets, from));
    const relative = shiftBounds(bounds, start / own.track.timescale);
    const pattern = from === 0 ? patternTimes(own, end - from) : undefined;
    const times = fitted(pattern, end - from, relative, own);
    for (let index = from; index < end; index++) decodeTicks[index] = start + (times[index - from] as number);
    now = (decodeTicks[end - 1] as number) + commonDuration(own);
    from = end;
  }
  decodeTicks[packets.length] = now;
  return { track, packets, decodeTicks, ...presented(order.displayIndexes, decodeTicks, own), source: "other-clock" };
}

function lastShown({ displayIndexes }: PresentationOrder): number {
  return displayIndexes.reduce((last, index) => Math.max(last, index), 0);
}

function framesLost({ decodeIndexes }: PresentationOrder): number {
  return (decodeIndexes.at(-1) ?? 0) + 1 - decodeIndexes.length;
}

/** Lost pictures are counted: all frames have their times fitted as one, and the nth shown shows when the nth decodes. */
function onFrameGrid(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  profile: RecordingProfile,
  clock: MasterClock,
  order: PresentationOrder,
): Timeline {
  const own = profile.tracks[track] as TrackProfile;
  const { displayIndexes, decodeIndexes } = order;
  const bounds = audioBounds(log, clock, packets, 0, packets.length, profile.interleave).map((bound) => ({
    ...bound,
    sample: decodeIndexes[bound.sample] as number,
  }));
  const total = Math.max(decodeIndexes.at(-1) ?? 0, lastShown(order));
  const pattern = patternTimes(own, total + 1);
  const grid = fitted(pattern, total + 1, bounds, own);
  const keepsPattern = grid === pattern;
  const decodeTicks = decodeIndexes.map((frame) => grid[frame] as number);
  const shown = createFrameClock(own, meanDuration(own));
  const presentationTicks = displayIndexes.map(
    (frame) => (keepsPattern ? shown.displayTicks(frame) : (grid[frame] as number)) + own.presentationDelayTicks,
  );
  const endTicks = (decodeTicks.at(-1) ?? 0) + commonDuration(own);
  return { track, packets, decodeTicks: withEnd(decodeTicks, endTicks), presentationTicks, source: "other-clock" };
}

/** The likeliest times of frames: the reference's own pattern, where it misses the other clock hardly more than the best fit. */
function fitted(
  pattern: Float64Array | undefined,
  count: number,
  bounds: readonly TimeBound[],
  own: TrackProfile,
): Float64Array {
  if (own.isPaceUnknown) return evenTimes(count, bounds, own);
  const missed = pattern ? beyondBounds(pattern, bounds, own) : Number.POSITIVE_INFINITY;
  if (pattern && missed <= SLACK_SECONDS) return pattern;
  const best = fitDurations(count, own.durations, own.track.timescale, bounds);
  return pattern && missed <= beyondBounds(best, bounds, own) + SLACK_SECONDS ? pattern : best;
}

/** Rising by a tick at the least. */
function evenTimes(count: number, bounds: readonly TimeBound[], own: TrackProfile): Float64Array {
  const { timescale } = own.track;
  let least = 0;
  return paceEvenly(count, bounds, meanDuration(own) / timescale).map((seconds) => {
    const ticks = Math.max(least, Math.round(seconds * timescale));
    least = ticks + 1;
    return ticks;
  });
}

function withEnd(times: Float64Array, endTicks: number): Float64Array {
  const whole = new Float64Array(times.length + 1);
  whole.set(times);
  whole[times.length] = endTicks;
  return whole;
}

/**
 * Order counts that leave more places free than gaps took: the recorder dropped those frames, and the count keeps time for
 * it. Undefined where counts run through.
 */
function timesOfCounts(
  track: number,
  packets: Uint32Array,
  own: TrackProfile,
  order: PresentationOrder,
): Timeline | undefined {
  const sorted = order.displayIndexes.toSorted();
  const settled = sorted.length - REORDERED_TAIL;
  const holes = settled > 0 ? (sorted[settled - 1] as number) - (sorted[0] as number) + 1 - settled : 0;
  if (!order.isCounted || holes - framesLost(order) <= 0) return undefined;
  const ticks = commonDuration(own);
  const first = sorted[0] as number;
  const presentationTicks = order.displayIndexes.map((index) => (index - first) * ticks + own.presentationDelayTicks);
  const decodeTicks = withEnd(
    sorted.map((index) => (index - first) * ticks),
    ((sorted.at(-1) as number) + 1 - first) * ticks,
  );
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
function presented(
  displayIndexes: Float64Array,
  decodeTicks: Float64Array,
  own: TrackProfile,
): { presentationTicks: Float64Array } {
  const count = displayIndexes.length;
  const byDisplay = Uint32Array.from({ length: count }, (_, index) => index);
  byDisplay.sort((a, b) => (displayIndexes[a] as number) - (displayIndexes[b] as number) || a - b);
  const presentationTicks = new Float64Array(count);
  byDisplay.forEach((position, rank) => {
    presentationTicks[position] = (decodeTicks[rank] as number) + own.presentationDelayTicks;
  });
  return { presentationTicks };
}

/**
 * Ticks at which the first picture after a gap decodes: whole frames after `endTicks`, where the picture before it ends, so
 * that it and its followers keep best to their bounds; without bounds, `lostSeconds` on. Never before that one decodes.
 */
function startAfterGap(bounds: readonly TimeBound[], own: TrackProfile, endTicks: number, lostSeconds: number): number {
  const { timescale } = own.track;
  const ticks = commonDuration(own);
  const near = bounds.slice(0, VOTES);
  const secondsPerSample = meanDuration(own) / timescale;
  const covered = bestCovered(
    near.map((bound) => ({
      min: bound.minSeconds - bound.sample * secondsPerSample,
      max: bound.maxSeconds - bound.sample * secondsPerSample,
    })),
  );
  const least = endTicks - ticks + 1;
  if (covered === undefined) return Math.max(least, Math.round(endTicks + lostSeconds * timescale));
  const middle = Math.round((((covered.min + covered.max) / 2) * timescale - endTicks) / ticks);
  const count = (near.at(-1)?.sample ?? 0) + 1;
  const starts = TRIED_FRAMES.map((frames) => endTicks + (middle + frames) * ticks).filter((start) => start >= least);
  const misses = starts.map((start) => {
    const relative = shiftBounds(near, start / timescale);
    return beyondBounds(fitDurations(count, own.durations, timescale, relative), relative, own);
  });
  const best = misses.indexOf(Math.min(...misses));
  return starts[best] ?? Math.max(least, endTicks);
}

function shiftBounds(bounds: readonly TimeBound[], bySeconds: number): TimeBound[] {
  return bounds.map(({ sample, minSeconds, maxSeconds }) => ({
    sample,
    minSeconds: minSeconds - bySeconds,
    maxSeconds: maxSeconds - bySeconds,
  }));
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
    if (lead)
      bounds.push({ sample, minSeconds: seconds(runStart) - lead.max, maxSeconds: seconds(runStart) - lead.min });
    if (lag) bounds.push({ sample, minSeconds: seconds(next) - lag.max, maxSeconds: seconds(next) - lag.min });
  }
  return bounds;
}
