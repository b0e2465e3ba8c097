import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { isSteady, samplesOf, steadyDuration } from "./durations.ts";
import { type LostPackets, lostBytes, meanBytesPerSecond } from "./loss.ts";
import { lowerBound } from "./master-clock.ts";

/** Runs on either side of a gap whose leads are compared; an even number, as runs may be long and short by turns. */
const MAX_RUNS = 16;
const MIN_RUNS = 4;

/**
 * What gaps took of steady pictures, as sound tells that lost nothing there: it stands to them behind the gap as it did
 * before. Sound was kept whole, for all one can see, if its packets stand away from the gap, and what it says is no
 * further from what was lost by bytes than half a run of it. `packets` are each track's places in the log.
 */
export function createLostPictures(
  log: PacketLog,
  packets: readonly Uint32Array[],
  profile: RecordingProfile,
  pictures: number,
): LostPackets {
  const shown = packets[pictures] as Uint32Array;
  const own = profile.tracks[pictures] as TrackProfile;
  const sounds = profile.tracks.flatMap((track, index) => (track.kind === "audio" && isSteady(track) ? [index] : []));
  if (sounds.length === 0 || !isSteady(own)) return () => undefined;
  const bytesPerSecond = meanBytesPerSecond(log, packets, profile);
  return (position) => {
    const [before, after] = [shown[position - 1], shown[position] as number];
    const gap = before === undefined ? undefined : log.gapFrom(before + 1);
    if (gap === undefined || gap > after || log.hasGapWithin(gap + 1, after)) return undefined;
    const byBytes = lostBytes(log, gap - 1, gap) / bytesPerSecond;
    const told = sounds.flatMap((track) => {
      if (isBeside(packets[track] as Uint32Array, gap)) return [];
      const from = meanLead(log, packets, profile, { track, pictures, gap, step: -1 });
      const to = meanLead(log, packets, profile, { track, pictures, gap, step: 1 });
      if (from === undefined || to === undefined) return [];
      const sound = profile.tracks[track] as TrackProfile;
      const runSeconds = (sound.runSamples[0]?.value ?? 1) * secondsOfOne(sound);
      return Math.abs(to - from - byBytes) <= runSeconds / 2 ? [to - from] : [];
    });
    return told.length > 0 ? Math.max(0, mean(told) / secondsOfOne(own)) : undefined;
  };
}

function isBeside(places: Uint32Array, first: number): boolean {
  const next = lowerBound(places, first);
  return next === 0 || next === places.length || places[next] === first || places[next - 1] === first - 1;
}

/** Which runs are looked at: a track's from a gap on, up to the next gap, backwards with a `step` of −1. */
interface Side {
  readonly track: number;
  readonly pictures: number;
  readonly gap: number;
  readonly step: number;
}

/** How far a track is ahead of the pictures at the starts of its runs, in seconds; both are counted from the gap. */
function meanLead(
  log: PacketLog,
  packets: readonly Uint32Array[],
  { tracks }: RecordingProfile,
  { track, pictures, gap, step }: Side,
): number | undefined {
  const [own, shown] = [packets[track] as Uint32Array, packets[pictures] as Uint32Array];
  const profile = tracks[track] as TrackProfile;
  const [sampleSeconds, pictureSeconds] = [secondsOfOne(profile), secondsOfOne(tracks[pictures] as TrackProfile)];
  const shownBefore = lowerBound(shown, gap);
  const leads: number[] = [];
  let samples = 0;
  for (let at = lowerBound(own, gap) + Math.min(0, step); leads.length < MAX_RUNS; at += step) {
    const packet = own[at];
    if (packet === undefined || log.hasGapWithin(Math.min(packet, gap) + 1, Math.max(packet, gap - 1))) break;
    if (step < 0) samples -= samplesOf(log, profile, packet);
    const isRunStart = own[at - 1] !== packet - 1 && !log.isAfterGap(packet);
    if (isRunStart) leads.push(samples * sampleSeconds - (lowerBound(shown, packet) - shownBefore) * pictureSeconds);
    if (step > 0) samples += samplesOf(log, profile, packet);
  }
  const even = leads.length - (leads.length % 2);
  return even >= MIN_RUNS ? mean(leads.slice(0, even)) : undefined;
}

function secondsOfOne(profile: TrackProfile): number {
  return steadyDuration(profile) / profile.track.timescale;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
