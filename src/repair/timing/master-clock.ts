import { firstIndexWhere } from "../../base/first-index.ts";
import type { Range, RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { samplesOf, steadyDuration } from "./durations.ts";
import { hasGap } from "./loss.ts";
import type { Timeline } from "./times.ts";

/** Runs after a gap that vote on how a track's clock goes on. */
export const VOTES = 64;

/** Clocks of two timescales agree to this. */
const EPSILON_SECONDS = 0.0005;

export interface MasterClock {
  readonly timeline: Timeline;
  readonly track: number;
  readonly timescale: number;
  /** How long its packets usually last. */
  readonly usualTicks: number;
}

/** A step of the master's that is at most so many times as long as usual lost nothing. */
const THROUGH_STEP = 1.5;

/** Whether the master lost nothing before the packet at a position of its own, whatever stands between it and the one before. */
function isThrough({ timeline, usualTicks }: MasterClock, position: number): boolean {
  const { decodeTicks } = timeline;
  return (decodeTicks[position] as number) - (decodeTicks[position - 1] as number) <= THROUGH_STEP * usualTicks;
}

/** So many gaps, such a share of which took nothing of the master, are no accident. */
const HABITUAL = { gaps: 8, share: 0.8 } as const;

/** Of a track that cannot be parsed, less than this share of what the reference has beside its pictures is found. */
const MAX_FOUND = 0.5;
/** Of a track that has as few packets nothing can be said. */
const MIN_EXPECTED = 8;

/**
 * Whether gaps are a habit of the recorder: they take nothing of the master, again and again, and a track is hardly found,
 * which stands in them. `found` are the packets by track.
 */
export function areGapsHabitual(
  log: PacketLog,
  clock: MasterClock,
  { tracks }: RecordingProfile,
  found: readonly Uint32Array[],
): boolean {
  const scale = clock.timeline.packets.length / Math.max(1, tracks[clock.track]?.track.samples.sampleCount ?? 1);
  const isMissed = tracks.some(({ track: { samples } }, index) => {
    const expected = samples.constantSizeBytes > 0 ? 0 : samples.sampleCount * scale;
    return expected >= MIN_EXPECTED && (found[index]?.length ?? 0) < MAX_FOUND * expected;
  });
  if (!isMissed) return false;
  let [gaps, through] = [0, 0];
  for (let index = 1; index < log.count; index++) {
    if (!log.isAfterGap(index)) continue;
    const next = lowerBound(clock.timeline.packets, index);
    gaps++;
    if (next > 0 && next < clock.timeline.packets.length && isThrough(clock, next)) through++;
  }
  return gaps >= HABITUAL.gaps && through >= HABITUAL.share * gaps;
}

/**
 * When the packet at `position`, the first after a gap, decodes, in seconds: where the runs that follow it keep best to
 * the range of leads on the master that the reference showed; `likely` where they keep to the usual one.
 */
export function clockAfterGap(
  log: PacketLog,
  track: number,
  packets: Uint32Array,
  position: number,
  profile: RecordingProfile,
  clock: MasterClock,
): (Span & { readonly likely: number }) | undefined {
  const own = profile.tracks[track] as TrackProfile;
  const lead = leadOn(profile, track, clock.track);
  const lag = profile.interleave.lags[track];
  if (lead === undefined) return undefined;
  const spans: Span[] = [];
  // The ends of a range are what a recording's beginning and end made of it.
  const likelies: number[] = [];
  const add = (start: number, range: Range): void => {
    spans.push({ min: start + range.min, max: start + range.max });
    likelies.push(start + range.median);
  };
  let relativeTicks = 0;
  for (let at = position; at < packets.length && spans.length < VOTES; at++) {
    const packet = packets[at] as number;
    if (at > position && hasGap(log, packets[at - 1] as number, packet)) break;
    const isRunStart = at === position || (packets[at - 1] as number) !== packet - 1;
    const masterSeconds = isRunStart ? masterClockAt(log, clock, packet, at === position) : undefined;
    if (masterSeconds !== undefined) {
      add(masterSeconds - relativeTicks / own.track.timescale, lead);
    }
    relativeTicks += samplesOf(log, own, packet) * steadyDuration(own);
    const next = lowerBound(clock.timeline.packets, packet);
    if (lag && clock.timeline.packets[next] === packet + 1 && !log.isAfterGap(packet + 1)) {
      const start =
        (clock.timeline.decodeTicks[next] as number) / clock.timescale - relativeTicks / own.track.timescale;
      add(start, lag);
    }
  }
  const covered = bestCovered(spans);
  if (covered === undefined) return undefined;
  const likely = likelies.sort((a, b) => a - b)[likelies.length >> 1] as number;
  return { ...covered, likely: Math.min(covered.max, Math.max(covered.min, likely)) };
}

/** A stretch of time, in seconds. */
export interface Span {
  readonly min: number;
  readonly max: number;
}

/** The stretch that most intervals cover; the first of several. */
export function bestCovered(spans: readonly Span[]): Span | undefined {
  const edges = spans.flatMap((span) => [
    { at: span.min - EPSILON_SECONDS, step: 1 },
    { at: span.max + EPSILON_SECONDS, step: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at || b.step - a.step);
  let [depth, deepest, best] = [0, 0, undefined as Span | undefined];
  edges.forEach((edge, index) => {
    depth += edge.step;
    if (depth <= deepest) return;
    deepest = depth;
    best = { min: edge.at, max: edges[index + 1]?.at ?? edge.at };
  });
  return best;
}

/** Master seconds written before a log entry: the decode time of the master's next packet. */
export function masterClockAt(
  log: PacketLog,
  clock: MasterClock,
  packet: number,
  mayFollowGap: boolean,
): number | undefined {
  const { packets, decodeTicks } = clock.timeline;
  const next = lowerBound(packets, packet);
  if (mayFollowGap && next > 0 && hasGap(log, packets[next - 1] as number, packet)) {
    return next < packets.length ? (decodeTicks[next] as number) / clock.timescale : undefined;
  }
  // Not the next packet's own time where frames are lost between the two.
  const isGap = next > 0 && next < packets.length && hasGap(log, packets[next - 1] as number, packets[next] as number);
  if (isGap && !isThrough(clock, next)) return undefined;
  return (decodeTicks[next] as number) / clock.timescale;
}

/** First position whose value is ≥ `value`. */
export function lowerBound(sorted: Uint32Array, value: number): number {
  return firstIndexWhere(sorted.length, (index) => (sorted[index] as number) >= value);
}

/** As `leadOn`, in seconds: the usual lead of the first and of the last sample of a run; 0 where none is known. */
export function runLeads(profile: RecordingProfile, track: number, master: number): { first: number; last: number } {
  const first = leadOn(profile, track, master)?.median ?? 0;
  const isKnown = leadOn(profile, track, master) !== undefined;
  return { first, last: isKnown ? (profile.interleave.lastLeads[track]?.median ?? first) : first };
}

/** How a track leads another at the starts of its runs, from what the reference showed against its first video. */
export function leadOn(profile: RecordingProfile, track: number, master: number): Range | undefined {
  const video = profile.tracks.findIndex((candidate) => candidate.kind === "video");
  return master === video ? profile.interleave.leads[track] : undefined;
}
