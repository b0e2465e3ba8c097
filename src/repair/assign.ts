import type { RecordingProfile, TrackProfile } from "./learn/profile.ts";
import { meanOf } from "./learn/shares.ts";
import type { PacketLog } from "./scan/packet-log.ts";

/** Which of the reference's tracks a family of equal parsers stands for. */
export interface Family {
  readonly tracks: readonly number[];
}

/** Ways of assigning that are followed at once. */
const BEAM = 48;
/** A packet of another family stands before. */
const OTHER = -1;
/** Bytes were lost before: any track may come next. */
const LOST = -2;
/** A lead outside what the reference showed costs this much per second beyond it. */
const LEAD_COST_PER_SECOND = 60;
const UNUSUAL_TRANSITION_COST = 6;
/** For each e-fold that a transition is rarer than the others. */
const RARE_TRANSITION_COST = 0.25;
/** A lag counts up to this much. */
const MOST_LAG_SECONDS = 0.05;
/** A track may lag this much behind its usual lead before its next packet comes. */
const LAG_SLACK_SECONDS = 0.1;
/** A track this far behind its usual lead is a late one. */
const LATE_SECONDS = 0.05;
/** A run of a length that the reference hardly or never showed, and of one that differs from one that it did show by a packet. */
const UNUSUAL_RUN_COST = 5;
const NEAR_RUN_COST = 2;
/** Fewer runs show no usual length, nor do those of single packets: two make a row where another track has ended. */
const MIN_RUNS = 3;
const MIN_ROW = 1.4;
/** Where this share of a track's runs are of one packet, longer ones are unusual. */
const LONE_RUNS_SHARE = 0.95;

interface Hypothesis {
  readonly cost: number;
  /** Media clock of each track of the family, in seconds since the last gap. */
  readonly clocks: readonly number[];
  /** Track of the family's packet directly before, by its place in the family; `OTHER` or `LOST` where there is none. */
  readonly last: number;
  /** Packets in a row of that track so far; NaN where damage took the first ones. */
  readonly run: number;
  readonly step: Step | undefined;
}

interface Step {
  readonly choice: number;
  readonly previous: Step | undefined;
}

/** What ways cost. */
interface Steps {
  /** A way that goes on with a packet of the track at a place in the family. */
  readonly extend: (way: Hypothesis, choice: number, sizeBytes: number, videoClock: number) => Hypothesis;
  /** What it costs that the row of packets which a way has come to ends. */
  readonly endCost: (way: Hypothesis) => number;
  /** What it costs besides that a track outside the family comes next. */
  readonly leaveCost: (way: Hypothesis) => number;
}

interface SizeModel {
  readonly mean: number;
  readonly deviation: number;
}

/**
 * The reference track of every packet. Families of one track are plain; packets of several equal tracks are assigned
 * jointly: each track's clock must keep its learnt lead on the video's, sizes and order of runs break ties.
 */
export function assignTracks(log: PacketLog, families: readonly Family[], profile: RecordingProfile): Uint8Array {
  const assigned = new Uint8Array(log.count);
  for (let index = 0; index < log.count; index++) assigned[index] = families[log.family(index)]?.tracks[0] ?? 0;
  families.forEach((family, familyIndex) => {
    if (family.tracks.length > 1) assignFamily(log, familyIndex, family, profile, families, assigned);
  });
  return assigned;
}

function assignFamily(
  log: PacketLog,
  familyIndex: number,
  family: Family,
  profile: RecordingProfile,
  families: readonly Family[],
  assigned: Uint8Array,
): void {
  const tracks = family.tracks.map((track) => profile.tracks[track] as TrackProfile);
  const { extend, endCost, leaveCost } = createSteps(tracks, family, profile);
  const video = profile.tracks.findIndex((track) => track.kind === "video");
  const videoSeconds = video >= 0 ? packetSeconds(profile.tracks[video] as TrackProfile, 0) : 0;
  let beam: Hypothesis[] = [{ cost: 0, clocks: tracks.map(() => 0), last: OTHER, run: 0, step: undefined }];
  let videoClock = 0;
  // Damage may end inside a row of pictures: the family's clocks go on where its next packet stands.
  let isWaiting = false;
  let lastFamily = -1;
  for (let index = 0; index < log.count; index++) {
    if (log.isAfterGap(index)) {
      beam = beam.map((way) => ({
        ...way,
        clocks: restart(family, profile, way.clocks, videoClock),
        last: LOST,
        run: 0,
      }));
      videoClock = 0;
      isWaiting = true;
    }
    const packetFamily = log.family(index);
    if (packetFamily !== familyIndex) {
      if (!isWaiting && families[packetFamily]?.tracks.includes(video)) videoClock += videoSeconds;
      if (lastFamily === familyIndex || log.isAfterGap(index))
        beam = beam.map((way) => ({
          ...way,
          cost: way.cost + endCost(way) + leaveCost(way),
          last: OTHER,
          run: 0,
        }));
      lastFamily = packetFamily;
      continue;
    }
    lastFamily = familyIndex;
    isWaiting = false;
    const next: Hypothesis[] = [];
    for (const way of beam) {
      for (let choice = 0; choice < tracks.length; choice++)
        next.push(extend(way, choice, log.size(index), videoClock));
    }
    beam = bestDistinct(next);
  }
  let step = beam[0]?.step;
  for (let index = log.count - 1; index >= 0 && step !== undefined; index--) {
    if (log.family(index) !== familyIndex) continue;
    assigned[index] = family.tracks[step.choice] as number;
    step = step.previous;
  }
}

function createSteps(tracks: readonly TrackProfile[], family: Family, profile: RecordingProfile): Steps {
  const sizeModels = tracks.map(sizeModelOf);
  const areInRows = tracks.every(({ runSamples }) => meanOf(runSamples, 0) >= MIN_ROW);
  const endRun = tracks.map((track) => (areInRows ? runCosts(track) : (): number => 0));
  const { leads, lastLeads } = profile.interleave;
  // Within a row a track's clock goes on past where its rows begin.
  const most = family.tracks.map((track) => (areInRows ? lastLeads[track]?.max : undefined) ?? leads[track]?.max ?? 0);
  const endCost = ({ last, run }: Hypothesis): number => endRun[last]?.(run) ?? 0;
  const leaveCost = ({ last }: Hypothesis): number => (areInRows ? leavingCost(profile, family, last) : 0);
  const extend = (way: Hypothesis, choice: number, sizeBytes: number, videoClock: number): Hypothesis => {
    const clock = way.clocks[choice] as number;
    const isOn = way.last === choice;
    const turnCost =
      isOn && isLate(profile, family, choice, clock - videoClock)
        ? 0
        : transitionCost(profile, family, way.last, choice);
    const cost =
      way.cost +
      sizeCost(sizeModels[choice] as SizeModel, sizeBytes) +
      leadCost(profile, family, choice, videoClock, way.clocks, most[choice] as number) +
      (isOn ? 0 : endCost(way)) +
      turnCost;
    const run = !areInRows ? 0 : isOn ? way.run + 1 : way.last === LOST ? Number.NaN : 1;
    const clocks = way.clocks.with(choice, clock + packetSeconds(tracks[choice] as TrackProfile, sizeBytes));
    return { cost, clocks, last: choice, run, step: { choice, previous: way.step } };
  };
  return { extend, endCost, leaveCost };
}

/** The cheapest ways of each distinct state: ways that differ only in their past cannot differ again. */
function bestDistinct(ways: readonly Hypothesis[]): Hypothesis[] {
  const best = new Map<string, Hypothesis>();
  for (const way of ways) {
    const key = `${way.last}:${way.run}:${way.clocks.map((clock) => Math.round(clock * 1000)).join()}`;
    const known = best.get(key);
    if (known === undefined || way.cost < known.cost) best.set(key, way);
  }
  return [...best.values()].sort((a, b) => a.cost - b.cost).slice(0, BEAM);
}

/**
 * Clocks right after a gap: the video's starts anew, and each track leads it as it usually does. One that was written far
 * later than the reference's, as a slow filter makes it, stays as far behind.
 */
function restart(
  family: Family,
  profile: RecordingProfile,
  clocks: readonly number[],
  videoClock: number,
): readonly number[] {
  return family.tracks.map((track, choice) => {
    const leadSeconds = (clocks[choice] as number) - videoClock;
    if (isLate(profile, family, choice, leadSeconds)) return leadSeconds;
    return profile.interleave.leads[track]?.median ?? 0;
  });
}

function isLate(profile: RecordingProfile, family: Family, choice: number, leadSeconds: number): boolean {
  const usual = profile.interleave.leads[family.tracks[choice] as number];
  return usual !== undefined && leadSeconds < usual.min - LATE_SECONDS;
}

/**
 * What it costs to take a packet for a track whose clock then leads the video's by `leadSeconds`, and that the others lag.
 * Without video the tracks are held against each other.
 */
function leadCost(
  profile: RecordingProfile,
  family: Family,
  choice: number,
  videoClock: number,
  clocks: readonly number[],
  mostLead: number,
): number {
  const leadSeconds = (clocks[choice] as number) - videoClock;
  const usual = profile.interleave.leads[family.tracks[choice] as number];
  if (usual === undefined) {
    const others = clocks.reduce((sum, clock) => sum + clock, 0) / clocks.length;
    return Math.abs(leadSeconds - others) * LEAD_COST_PER_SECOND;
  }
  // A recorder cannot write what is not there yet, but it may hold a track back for long and then write it all.
  let beyond = Math.max(
    0,
    leadSeconds - Math.max(usual.max, mostLead),
    Math.min(MOST_LAG_SECONDS, usual.min - leadSeconds),
  );
  clocks.forEach((clock, other) => {
    const least = profile.interleave.leads[family.tracks[other] as number]?.min;
    if (other === choice || least === undefined) return;
    beyond += Math.min(MOST_LAG_SECONDS, Math.max(0, least - LAG_SLACK_SECONDS - (clock - videoClock)));
  });
  return beyond * LEAD_COST_PER_SECOND;
}

/**
 * What it costs that a run of the choice follows one of the last track: much where the reference never showed it; how
 * often it did breaks ties.
 */
function transitionCost(profile: RecordingProfile, family: Family, last: number, choice: number): number {
  const to = family.tracks[choice] as number;
  if (last === LOST) return 0;
  if (last === choice) return staysUsually(profile.tracks[to]) ? 0 : UNUSUAL_TRANSITION_COST;
  const rows = profile.interleave.transitions;
  const seenOf = (track: number): number =>
    last === OTHER ? startsOf(rows, family, track) : (rows[(family.tracks[last] as number) + 1]?.[track] ?? 0);
  const total = family.tracks.reduce((sum, track) => sum + seenOf(track), 0);
  const seen = seenOf(to);
  return seen > 0 ? Math.log(total / seen) * RARE_TRANSITION_COST : UNUSUAL_TRANSITION_COST;
}

/** What it costs that a run ends after so many packets: nothing where the reference's runs have no usual length. */
function runCosts({ runSamples, track }: TrackProfile): (run: number) => number {
  const total = runSamples.reduce((sum, share) => sum + share.count, 0);
  const shares = new Map(runSamples.map(({ value, count }) => [value, count / total]));
  const isPcm = track.samples.constantSizeBytes > 0;
  if (isPcm || total < MIN_RUNS) return () => 0;
  return (run) => {
    if (Number.isNaN(run)) return 0;
    const share = shares.get(run);
    if (share !== undefined) return Math.min(UNUSUAL_RUN_COST, -Math.log(share));
    return shares.has(run - 1) || shares.has(run + 1) ? NEAR_RUN_COST : UNUSUAL_RUN_COST;
  };
}

/** What it costs that a track outside the family comes next: much where the reference never showed it. */
function leavingCost(profile: RecordingProfile, family: Family, last: number): number {
  const row = profile.interleave.transitions[(family.tracks[last] ?? -1) + 1];
  if (last < 0 || row === undefined) return 0;
  const seen = row.reduce((sum, count, track) => sum + (family.tracks.includes(track) ? 0 : count), 0);
  return seen > 0 ? 0 : UNUSUAL_TRANSITION_COST;
}

/** Whether runs of more than one packet are more than an exception. A packet of PCM is what its runs mostly hold. */
function staysUsually(track: TrackProfile | undefined): boolean {
  const runs = track?.runSamples ?? [];
  const isPcm = (track?.track.samples.constantSizeBytes ?? 0) > 0;
  const packetSamples = isPcm ? (runs[0]?.value ?? 1) : 1;
  const total = runs.reduce((sum, share) => sum + share.count, 0);
  const single = runs.reduce((sum, share) => sum + (share.value < 2 * packetSamples ? share.count : 0), 0);
  return single < total * LONE_RUNS_SHARE;
}

/** How often a run of `to` follows one of a track outside the family. */
function startsOf(rows: readonly (readonly number[])[], family: Family, to: number): number {
  let seen = 0;
  rows.forEach((row, from) => {
    if (!family.tracks.includes(from - 1)) seen += row[to] ?? 0;
  });
  return seen;
}

/** −log likelihood of a size under a track's distribution, capped so that one odd packet decides nothing. */
function sizeCost(model: SizeModel, sizeBytes: number): number {
  const distance = (sizeBytes - model.mean) / model.deviation;
  return Math.min(8, (distance * distance) / 2 + Math.log(model.deviation));
}

function sizeModelOf(profile: TrackProfile): SizeModel {
  const { sizes, constantSizeBytes } = profile.track.samples;
  if (constantSizeBytes > 0) return { mean: constantSizeBytes, deviation: 1 };
  let variance = 0;
  for (const size of sizes) variance += (size - profile.meanSizeBytes) ** 2;
  return { mean: profile.meanSizeBytes, deviation: Math.max(1, Math.sqrt(variance / Math.max(1, sizes.length))) };
}

/** Playing time of one packet in seconds, by the track's commonest duration; a PCM packet holds many frames. */
function packetSeconds(profile: TrackProfile, sizeBytes: number): number {
  const { samples, timescale } = profile.track;
  const isPcm = profile.kind === "audio" && samples.constantSizeBytes > 0;
  const count = isPcm ? Math.max(1, sizeBytes / samples.constantSizeBytes) : 1;
  return (count * (profile.durations[0]?.value ?? 0)) / timescale;
}
