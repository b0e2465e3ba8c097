import type { Edit, Movie, Track } from "../../media/isobmff/movie.ts";
import { totalDurationTicks } from "../../media/isobmff/sample-table.ts";
import { presentationDelay } from "./profile.ts";

/**
 * A movie whose pictures are shown from the first one on. Phones, and copies by `ffmpeg -ss`, cut the beginning off by hiding it behind an edit list
 * (ISO/IEC 14496-12 §8.6.6): no other recording is to lose as much. Its tracks stay in step.
 */
export function showBeginning(movie: Movie): Movie {
  const hiddenSeconds = Math.max(0, ...movie.tracks.map(hiddenPictures));
  if (hiddenSeconds === 0) return movie;
  return {
    ...movie,
    tracks: movie.tracks.map((track) => ({ ...track, edits: shiftEdits(track, hiddenSeconds, movie) })),
  };
}

/** For how many seconds pictures come before the first one shown; 0 where it is less than one picture. */
function hiddenPictures(track: Track): number {
  const { handlerType, samples, edits, timescale } = track;
  const first = edits.find(isShown);
  if (handlerType !== "vide" || samples.sampleCount < 2 || first?.rate !== 1) return 0;
  const ticks = first.mediaTimeTicks - presentationDelay(samples);
  return ticks < meanDuration(track) ? 0 : ticks / timescale;
}

/** The edits of a track that is to be shown as much earlier, or, where it has nothing before, to begin as much later than what is. */
function shiftEdits(track: Track, seconds: number, movie: Movie): readonly Edit[] {
  const { handlerType, edits, samples, timescale } = track;
  const movieTicks = Math.round(seconds * movie.timescale);
  const mediaTicks = Math.round(seconds * timescale);
  const at = edits.findIndex(isShown);
  const first = edits[at];
  // A single sample, as of a time code, is of the whole recording.
  if (samples.sampleCount < 2) return edits;
  if (first !== undefined && first.mediaTimeTicks >= mediaTicks) {
    const durationTicks = first.durationTicks === 0 ? 0 : first.durationTicks + movieTicks;
    const left = first.mediaTimeTicks - mediaTicks;
    // Copies begin with sound of before the pictures; an encoder's run-in is about a packet.
    const mediaTimeTicks = handlerType === "soun" ? Math.min(left, Math.round(meanDuration(track))) : left;
    return edits.with(at, { ...first, mediaTimeTicks, durationTicks });
  }
  const whole = { durationTicks: Math.round((totalDurationTicks(samples) / timescale) * movie.timescale), rate: 1 };
  const shown = edits.length === 0 ? [{ ...whole, mediaTimeTicks: 0 }] : edits;
  const [delay, ...others] = shown;
  if (delay?.mediaTimeTicks === -1) return [{ ...delay, durationTicks: delay.durationTicks + movieTicks }, ...others];
  return [{ durationTicks: movieTicks, mediaTimeTicks: -1, rate: 1 }, ...shown];
}

function meanDuration({ samples }: Track): number {
  return totalDurationTicks(samples) / samples.sampleCount;
}

function isShown({ mediaTimeTicks }: Edit): boolean {
  return mediaTimeTicks >= 0;
}
