import type { Range, RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { Scan } from "../scan-source.ts";
import { commonDuration, isSteady, steadyDuration } from "./durations.ts";

type Rate = readonly [timescale: number, ticks: number];

/** Usual rates; a picture lasts 1000 ticks, or 1001 where television counts 59.94 for 60. */
const WHOLE_RATES = [10, 12, 12.5, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120, 240].map(
  (rate): Rate => [rate * 1000, 1000],
);
const NTSC_RATES = [15, 24, 30, 48, 60, 120, 240].map((rate): Rate => [rate * 1000, 1001]);

/** Too few pictures say nothing about their rate. */
const MIN_PICTURES = 50;
/** The sound may end this much before or after the pictures. */
const MAX_ASSUMED_DEVIATION = 0.02;
/** A reference is contradicted from here on: 24 pictures a second taken for 25 are 4 %. */
const MIN_CONTRADICTION = 0.035;
/** So far apart do pictures and sound come to be at the rate learnt, and so many times as far as they are by turns. */
const MIN_DRIFT_SECONDS = 0.5;
const DRIFT_PER_JITTER = 3;
/** The contradiction shows before the last third: towards the end programs write what they still hold of either. */
const SETTLED = 2 / 3;
/** What contradicts comes so near to a usual rate, two of which lie 4 % apart, as a whole and in each half. */
const MAX_DEVIATION = { whole: 0.01, half: 0.02 } as const;

/** Pictures are followed by the sound where the two take turns so often. */
const MIN_TURNS = 5;

/** Durations that so many pictures of a wavering reference have or pass make any mean between. */
const MIN_BEYOND = 0.2;
/** Sound sampled at 48 kHz and taken for 44.1 kHz lasts so much longer, and so does half of the one taken for half of the other. */
const SAMPLING_RATIO = 48 / 44.1;

/** So much had been written. */
interface Mark {
  readonly pictures: number;
  readonly seconds: number;
}

/** What the sound of one family says of the pictures beside it. */
interface Pace {
  /** Where pictures follow sound, in file order. */
  readonly turns: readonly Mark[];
  readonly end: Mark;
  /** Index of a track of the sound. */
  readonly sound: number;
}

/** The profile with the usual rate that makes pictures last as long as the sound, for recordings whose rate nobody states; undefined where none does. */
export function refineRate(scan: Scan): RecordingProfile | undefined {
  const end = paceOf(scan, (family) => kindOf(scan, family) === "audio")?.end;
  if (end === undefined || end.pictures < MIN_PICTURES || end.seconds === 0) return undefined;
  const told = end.pictures / end.seconds;
  const rate = nearestRate([...WHOLE_RATES, ...NTSC_RATES], told);
  return deviation(rate, told) <= MAX_ASSUMED_DEVIATION ? withPictureTicks(scan.profile, ...rate) : undefined;
}

/** Another rate than the profile's, as the sound tells. */
export interface OtherRate {
  /** With that rate; undefined where the sound is doubted: its own rate may be the other one. */
  readonly profile: RecordingProfile | undefined;
  /** Pictures a second, on average; absent where the profile knows no one rate. */
  readonly rates?: { readonly told: number; readonly learnt: number };
}

/**
 * The rate that the sound tells, where the profile's plainly is another: people set their cameras to other rates between
 * two recordings, and phones take fewer pictures in the dark. It is a usual rate, or that of pictures which follow the
 * sound where they come slower and unsteadily, or came unsteadily in the reference. Undefined where the sound does not
 * contradict what was learnt, or tells its length by nothing but its size: PCM of other channels would seem to run at
 * another pace.
 */
export function contradictRate(scan: Scan): OtherRate | undefined {
  const { profile, model } = scan;
  const [video, another] = profile.tracks.filter(({ kind }) => kind === "video");
  if (video === undefined || another !== undefined) return undefined;
  const isClock = (family: number): boolean =>
    kindOf(scan, family) === "audio" && model.parsers[family]?.isSelfDelimiting === true;
  const { turns = [], sound } = paceOf(scan, isClock) ?? {};
  const soundTracks = model.families.find(({ tracks }) => tracks.includes(sound ?? -1))?.tracks.length ?? 0;
  const [first, last] = [turns[0], turns.at(-1)];
  if (first === undefined || last === undefined || last.pictures - first.pictures < MIN_PICTURES) return undefined;
  const learnt = video.track.timescale / steadyDuration(video);
  const told = between(first, last);
  const settled = turns.findLast(({ seconds }) => seconds <= SETTLED * last.seconds) ?? first;
  const jitter = profile.interleave.lags[sound ?? -1];
  if (![last, settled].every((mark) => isContradicted(learnt, first, mark, jitter))) return undefined;
  const isFollowed = turns.length >= MIN_TURNS;
  if (!isSteady(video)) {
    return isFollowed && !isMadeOf(video, told) ? { profile: withUnknownPace(profile, told) } : undefined;
  }
  const middle = turns.findLast(({ seconds }) => seconds <= (first.seconds + last.seconds) / 2) ?? first;
  const halves = [between(first, middle), between(middle, last)];
  const isAt = (rate: Rate): boolean =>
    deviation(rate, told) <= MAX_DEVIATION.whole && halves.every((pace) => deviation(rate, pace) <= MAX_DEVIATION.half);
  const rate = nearestRate(isNtsc(learnt) ? NTSC_RATES : WHOLE_RATES, told);
  // Another number of equal tracks than the reference's makes the sound seem to last as many times as long.
  const isCount = soundTracks > 1 && [told / learnt, learnt / told].some((times) => isNearWhole(times));
  if (isCount) return { profile: undefined, rates: { told, learnt } };
  if (isAt(rate)) return { profile: withPictureTicks(profile, ...rate), rates: { told: rate[0] / rate[1], learnt } };
  const isSampling = [SAMPLING_RATIO, 1 / SAMPLING_RATIO].some((ratio) => isAt([learnt * ratio, 1]));
  // Where more pictures come, sound may have dropped out, now and then.
  if (!isAt([told, 1]) && told > learnt) return undefined;
  const slower = isFollowed && !isSampling && told < learnt ? withUnknownPace(profile, told) : undefined;
  return { profile: slower, rates: { told, learnt } };
}

/** Whether enough of the reference's pictures last as long as the mean told, or longer, and enough as short. */
function isMadeOf({ durations, track }: TrackProfile, perSecond: number): boolean {
  const mean = track.timescale / perSecond;
  const countOf = (isIn: (ticks: number) => boolean): number =>
    durations.reduce((sum, { value, count }) => sum + (isIn(value) ? count : 0), 0);
  const total = countOf(() => true);
  return [countOf((ticks) => ticks >= mean), countOf((ticks) => ticks <= mean)].every(
    (count) => count >= MIN_BEYOND * total,
  );
}

function isNearWhole(times: number): boolean {
  return times > 1.5 && Math.abs(times / Math.round(times) - 1) <= MAX_DEVIATION.half;
}

/** Whether sound and pictures come further apart than chunks make them, at a rate that is plainly another. */
function isContradicted(learnt: number, from: Mark, to: Mark, jitter: Range | undefined): boolean {
  const share = Math.abs(between(from, to) / learnt - 1);
  const most = Math.max(MIN_DRIFT_SECONDS, jitter ? DRIFT_PER_JITTER * (jitter.max - jitter.min) : 0);
  return share >= MIN_CONTRADICTION && share * (to.seconds - from.seconds) >= most;
}

function kindOf({ profile, model }: Scan, family: number): TrackProfile["kind"] | undefined {
  return profile.tracks[model.families[family]?.tracks[0] ?? -1]?.kind;
}

/** Of the first family of sound that is a clock; undefined where there is none. */
function paceOf(scan: Scan, isClock: (family: number) => boolean): Pace | undefined {
  const { log, model, profile } = scan;
  const clock = model.families.findIndex((_, family) => isClock(family));
  const tracks = model.families[clock]?.tracks ?? [];
  const [sound = -1] = tracks;
  const own = profile.tracks[sound];
  if (own === undefined) return undefined;
  const frameBytes = model.parsers[clock]?.isSelfDelimiting ? 0 : own.track.samples.constantSizeBytes;
  // Several tracks of one codec sound at once.
  const secondsPerFrame = commonDuration(own) / own.track.timescale / tracks.length;
  const turns: Mark[] = [];
  let [pictures, seconds, isBehindSound] = [0, 0, false];
  // What gaps took is in no turn: turns are counted from one to the next with nothing lost between.
  let [missedPictures, missedSeconds] = [0, 0];
  let last: Mark | undefined;
  for (let index = 0; index < log.count; index++) {
    const family = log.family(index);
    if (log.isAfterGap(index)) last = undefined;
    if (family === clock) {
      seconds += (frameBytes > 0 ? log.size(index) / frameBytes : 1) * secondsPerFrame;
      isBehindSound = true;
    } else if (kindOf(scan, family) === "video") {
      if (isBehindSound) {
        const turn: Mark = { pictures: pictures - missedPictures, seconds: seconds - missedSeconds };
        const before = turns.at(-1);
        if (last === undefined && before !== undefined) {
          missedPictures += turn.pictures - before.pictures;
          missedSeconds += turn.seconds - before.seconds;
        } else turns.push(turn);
        last = turns.at(-1);
      }
      isBehindSound = false;
      pictures++;
    }
  }
  return { turns, end: { pictures, seconds }, sound };
}

function between(from: Mark, to: Mark): number {
  return (to.pictures - from.pictures) / (to.seconds - from.seconds);
}

function deviation([timescale, ticks]: Rate, perSecond: number): number {
  return Math.abs(timescale / ticks / perSecond - 1);
}

function nearestRate(rates: readonly Rate[], perSecond: number): Rate {
  return rates.reduce((a, b) => (deviation(b, perSecond) < deviation(a, perSecond) ? b : a));
}

function isNtsc(perSecond: number): boolean {
  const least = (rates: readonly Rate[]): number => Math.min(...rates.map((rate) => deviation(rate, perSecond)));
  return least(NTSC_RATES) < least(WHOLE_RATES);
}

/** The profile with another rate of its pictures, each of which lasts equally long. */
function withPictureTicks(profile: RecordingProfile, timescale: number, ticks: number): RecordingProfile {
  const tracks = profile.tracks.map((own): TrackProfile => {
    if (own.kind !== "video") return own;
    const inPictures = (value: number): number => Math.round(value / steadyDuration(own)) * ticks;
    const edits = own.track.edits.map((edit) =>
      edit.mediaTimeTicks > 0 ? { ...edit, mediaTimeTicks: inPictures(edit.mediaTimeTicks) } : edit,
    );
    const samples = { ...own.track.samples, durationRuns: Uint32Array.of(own.track.samples.sampleCount, ticks) };
    const times = Float64Array.of(0, ticks);
    return {
      ...own,
      track: { ...own.track, timescale, edits, samples },
      decodeTicks: times,
      displayTicks: times,
      durations: [{ value: ticks, count: 1 }],
      presentationDelayTicks: inPictures(own.presentationDelayTicks),
    };
  });
  return { ...profile, movie: { ...profile.movie, tracks: tracks.map(({ track }) => track) }, tracks };
}

/** The profile whose pictures follow the sound. */
function withUnknownPace(profile: RecordingProfile, perSecond: number): RecordingProfile {
  const tracks = profile.tracks.map((own): TrackProfile => {
    if (own.kind !== "video") return own;
    const durations = [{ value: Math.round(own.track.timescale / perSecond), count: 1 }];
    return { ...own, durations, isPaceUnknown: true };
  });
  return { ...profile, tracks };
}
