import { type ByteSource, readExactly } from "../../media/bytes/byte-source.ts";
import type { Edit, Movie, Track } from "../../media/isobmff/movie.ts";
import { totalDurationTicks } from "../../media/isobmff/sample-table.ts";
import { RangeTally } from "../learn/interleave.ts";
import { presentationDelay, type Range, type RecordingProfile, type TrackProfile } from "../learn/profile.ts";
import { meanOf } from "../learn/shares.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import type { Scan } from "../scan-source.ts";
import { isSteady, samplesOf, steadyDuration } from "./durations.ts";
import { shiftOf } from "./track-ends.ts";

/** Sound that begins this long before or after the pictures, in seconds, or is as much further on than it was in the reference, is no jitter. */
const MIN_ODD_START = 0.15;
/** Sound and pictures that begin no further apart begin together. */
const MAX_TOGETHER = 0.1;
/** An offset shows that is so many times as long as rows of sound and pictures are. */
const ROWS = 1.5;
/** Too few places where pictures follow sound tell nothing. */
const MIN_PLACES = 3;

/**
 * The profile with the edits that fit what a scan found. Phones, and copies by `ffmpeg -ss`, hide a beginning that they
 * cut off behind edit lists (ISO/IEC 14496-12 §8.6.6), and cut sound and pictures off at different places: no other
 * recording is to lose as much, or to begin as far apart. A recording that begins with the reference's packets is the
 * same, whose edits hold.
 */
export function beginAsFound(profile: RecordingProfile, scan: Scan, damaged: ByteSource): RecordingProfile {
  if (isSameRecording(profile, scan, damaged)) return profile;
  const ahead = profile.tracks.map((_, track) => secondsAhead(profile, scan, track));
  const { movie, moved } = showBeginning(profile.movie, ahead);
  if (movie === profile.movie) return profile;
  const tracks = profile.tracks.map((own, index) => ({ ...own, track: movie.tracks[index] as Track }));
  const move = (ranges: readonly (Range | undefined)[]) =>
    ranges.map((range, track) => (moved[track] ? moveRange(range, ahead[track]?.seconds ?? 0) : range));
  const { interleave } = profile;
  const { leads, lastLeads, lags } = interleave;
  return {
    movie,
    tracks,
    interleave: { ...interleave, leads: move(leads), lastLeads: move(lastLeads), lags: move(lags) },
  };
}

/** First packets of each track that are held against the reference's: their bytes, and the sizes of more, for one black picture is like another. */
const SAME_PACKETS = { bytes: 8, sizes: 1024 } as const;

function isSameRecording({ tracks }: RecordingProfile, { log, model }: Scan, damaged: ByteSource): boolean {
  const compared = model.families.flatMap(({ tracks: own }, family) => {
    const [track] = own.length === 1 ? own : [];
    const profile = tracks[track ?? -1];
    const isCoded = profile && profile.kind !== "other" && profile.track.samples.constantSizeBytes === 0;
    return isCoded ? [{ family, profile }] : [];
  });
  return compared.length > 0 && compared.every(({ family, profile }) => beginsAlike(log, family, profile, damaged));
}

function beginsAlike(log: PacketLog, family: number, profile: TrackProfile, damaged: ByteSource): boolean {
  const wanted = [...profile.readSamples(SAME_PACKETS.bytes)];
  const { sizes } = profile.track.samples;
  let at = 0;
  for (let index = 0; index < log.count && at < Math.min(SAME_PACKETS.sizes, sizes.length); index++) {
    if (log.isAfterGap(index) && index > 0) break;
    if (log.family(index) !== family) continue;
    if (log.size(index) !== sizes[at]) return false;
    const known = wanted[at++];
    const bytes = known && readExactly(damaged, log.offset(index), known.length);
    if (known?.some((byte, place) => byte !== bytes?.[place])) return false;
  }
  return at > 0;
}

/** By how much further the sound of a track is on than it is in the reference where pictures follow it. */
interface Ahead {
  readonly seconds: number;
  /** How long rows of either last: where a recording's first ones end is a matter of chance. */
  readonly rowSeconds: number;
  /** How far the places, there and here, differ among themselves. */
  readonly spreadSeconds: number;
}

/** Undefined where that does not show: only up to the first gap, and where pictures are a clock. */
function secondsAhead(
  { tracks, interleave }: RecordingProfile,
  { log, model }: Scan,
  track: number,
): Ahead | undefined {
  const own = tracks[track] as TrackProfile;
  const video = tracks.findIndex(({ kind }) => kind === "video");
  const pictures = tracks[video];
  const usual = interleave.lags[track];
  const family = model.families.findIndex(
    (candidate) => candidate.tracks.length === 1 && candidate.tracks[0] === track,
  );
  const videoFamily = model.families.findIndex((candidate) => candidate.tracks.includes(video));
  if (own.kind !== "audio" || family < 0 || usual === undefined || !pictures || !isSteady(pictures)) return undefined;
  const secondsOf = (profile: TrackProfile): number => steadyDuration(profile) / profile.track.timescale;
  const [perSample, perPicture] = [secondsOf(own), secondsOf(pictures)];
  const tally = new RangeTally();
  let [sound, shown, places] = [0, 0, 0];
  for (let index = 0; index < log.count && !log.isAfterGap(index); index++) {
    if (log.family(index) === family) sound += samplesOf(log, own, index) * perSample;
    if (log.family(index) !== videoFamily) continue;
    if (index > 0 && shown > 0 && log.family(index - 1) === family) {
      tally.add(sound - shown);
      places++;
    }
    shown += perPicture;
  }
  const range = tally.range();
  if (range === undefined || places < MIN_PLACES) return undefined;
  const spreadSeconds = Math.max(range.high - range.low, usual.high - usual.low);
  const rowSeconds = Math.max(meanOf(own.runSamples, 0) * perSample, meanOf(pictures.runSamples, 0) * perPicture);
  return { seconds: range.median - usual.median, spreadSeconds, rowSeconds };
}

function moveRange(range: Range | undefined, seconds: number): Range | undefined {
  if (range === undefined) return undefined;
  const { min, max, low, high, median } = range;
  return { min: min + seconds, max: max + seconds, low: low + seconds, high: high + seconds, median: median + seconds };
}

/** When a track begins: what comes before it, and how much of its media is left out. Seconds. */
interface Start {
  readonly delay: number;
  readonly hidden: number;
}

/**
 * A movie whose pictures are shown from the first one on, with its other tracks in step. `ahead`, where it is known, says
 * by how much further the sound of each track is on in a recording than in the movie: it begins as much earlier there
 * (`moved`).
 */
export function showBeginning(
  movie: Movie,
  ahead: readonly (Ahead | undefined)[] = [],
): { readonly movie: Movie; readonly moved: readonly boolean[] } {
  const starts = movie.tracks.map((track) => startOf(track, movie));
  const video = movie.tracks.findIndex(({ handlerType, samples }) => handlerType === "vide" && samples.sampleCount > 1);
  const shown = starts[video];
  const unmoved = { movie, moved: movie.tracks.map(() => false) };
  if (shown === undefined) return unmoved;
  const hidden = hiddenPictures(movie.tracks[video] as Track, shown);
  const found = movie.tracks.map((track, index) => {
    const { delay, hidden: left } = starts[index] as Start;
    return findOffset(track, delay - left - (shown.delay - hidden), hidden, ahead[index]);
  });
  const moved = found.map(({ isMoved }) => isMoved);
  const isMoved = moved.includes(true);
  if (hidden === 0 && !isMoved) return unmoved;
  // Pictures wait for nothing but sound that begins before them.
  const early = found.map(({ seconds, runIn }, index) =>
    movie.tracks[index]?.handlerType === "soun" ? -(seconds + runIn) : 0,
  );
  const delay = isMoved ? Math.max(0, ...early) : shown.delay;
  const tracks = movie.tracks.map((track, index): Track => {
    const start = starts[index] as Start;
    // A single sample, as of a time code, is of the whole recording.
    if (track.samples.sampleCount < 2) return track;
    if (index === video) return withStart(track, { delay, hidden: start.hidden - hidden }, movie);
    const { seconds, runIn } = found[index] as Offset;
    const at = delay + seconds;
    return withStart(track, at < 0 ? { delay: 0, hidden: -at } : { delay: at + runIn, hidden: runIn }, movie);
  });
  return { movie: { ...movie, tracks }, moved };
}

/** Where a track's media begin, seconds behind the first picture. */
interface Offset {
  readonly seconds: number;
  /** So much of them is left out, as encoders put it there. */
  readonly runIn: number;
  readonly isMoved: boolean;
}

/** From the reference's offset and by how much further on the recording's sound is. */
function findOffset(track: Track, seconds: number, hidden: number, ahead: Ahead | undefined): Offset {
  if (track.handlerType !== "soun") return { seconds, runIn: 0, isMoved: false };
  const runIn = runInOf(track);
  const isOdd = Math.abs(seconds) >= MIN_ODD_START;
  const found = seconds - (ahead?.seconds ?? 0);
  const isTold = ahead !== undefined && Math.abs(seconds) >= ROWS * ahead.rowSeconds;
  // Sound that was cut off where the pictures are shown from was not when it was recorded.
  const isTrimmed = hidden > 0 && Math.abs(seconds - hidden) <= MAX_TOGETHER;
  const isNear = isOdd && (isTold ? Math.abs(found) < Math.abs(seconds) / 2 : isTrimmed);
  const least = ahead && Math.max(MIN_ODD_START, 2 * ahead.spreadSeconds, ROWS * ahead.rowSeconds);
  const isPlain = least !== undefined && Math.abs(found - seconds) >= least;
  if (isNear || (isPlain && Math.abs(found) <= MAX_TOGETHER)) return { seconds: -runIn, runIn, isMoved: true };
  if (isPlain) return { seconds: found, runIn, isMoved: true };
  // Copies begin with sound of before the pictures, which is no run-in.
  return { seconds: isOdd ? seconds : Math.max(seconds, -runIn), runIn, isMoved: false };
}

function startOf(track: Track, movie: Movie): Start {
  const { delaySeconds, primingTicks } = shiftOf(track, movie);
  return { delay: delaySeconds, hidden: primingTicks / track.timescale };
}

/** For how many seconds pictures come before the first one shown; 0 where it is less than one picture. */
function hiddenPictures(track: Track, start: Start): number {
  const { samples, edits, timescale } = track;
  const first = edits.find(({ mediaTimeTicks }) => mediaTimeTicks >= 0);
  if (first !== undefined && (first.rate !== 1 || first.mediaTimeTicks >= totalDurationTicks(samples))) return 0;
  // Before time 0 none is shown.
  const hidden = start.hidden - Math.max(0, presentationDelay(samples) / timescale);
  return hidden * timescale < meanTicks(track) ? 0 : hidden;
}

function withStart(track: Track, { delay, hidden }: Start, movie: Movie): Track {
  const mediaTimeTicks = Math.round(hidden * track.timescale);
  const shownTicks = Math.max(0, totalDurationTicks(track.samples) - mediaTimeTicks);
  const durationTicks = Math.round((shownTicks / track.timescale) * movie.timescale);
  const shown: Edit = { durationTicks, mediaTimeTicks, rate: 1 };
  const delayTicks = Math.round(delay * movie.timescale);
  const empty: readonly Edit[] = delayTicks > 0 ? [{ durationTicks: delayTicks, mediaTimeTicks: -1, rate: 1 }] : [];
  return { ...track, edits: [...empty, shown] };
}

/** The pre-skip that libopus asks for at 48 kHz. */
const OPUS_RUN_IN_SECONDS = 312 / 48_000;

/** What an encoder of sound puts before the first sound heard, in seconds, at the most: about a packet of AAC and MP3, nothing where packets stand alone. */
function runInOf(track: Track): number {
  const format = track.sampleEntries[0]?.format;
  if (format === "Opus") return OPUS_RUN_IN_SECONDS;
  return format === "mp4a" || format === ".mp3" ? meanTicks(track) / track.timescale : 0;
}

function meanTicks({ samples }: Track): number {
  return totalDurationTicks(samples) / samples.sampleCount;
}
