import { openBox } from "../../media/isobmff/box-reader.ts";
import type { Movie, Track } from "../../media/isobmff/movie.ts";
import { parseMvhd } from "../../media/isobmff/mvhd.ts";
import { totalDurationTicks } from "../../media/isobmff/sample-table.ts";

/** When a track ends: as its edits say (ISO/IEC 14496-12 §8.6.6), else after all its samples. Seconds of the movie. */
export function endOfTrack({ edits, samples, timescale }: Track, movie: Movie): number {
  const shown = edits.reduce((sum, edit) => sum + edit.durationTicks, 0);
  return shown > 0 ? shown / movie.timescale : totalDurationTicks(samples) / timescale;
}

/** How a track's edits shift its media: what comes before it, and how much of it is left out. */
export function shiftOf(
  { edits, samples }: Track,
  movie: Movie,
): { readonly delaySeconds: number; readonly primingTicks: number } {
  const [delay] = edits;
  const first = edits.find((edit) => edit.mediaTimeTicks >= 0);
  return {
    delaySeconds: delay?.mediaTimeTicks === -1 ? delay.durationTicks / movie.timescale : 0,
    primingTicks: samples.sampleCount > 1 ? (first?.mediaTimeTicks ?? 0) : 0,
  };
}

/**
 * Seconds by which a track of a healthy movie ends behind its pictures, which end at `picturesSeconds`; in proportion
 * where those to be held against last a shorter time, `shownSeconds`. GoPro's last sample of telemetry lasts beyond what
 * the header says of the whole: that counts for nothing.
 */
export function outlasting(track: Track, movie: Movie, picturesSeconds: number, shownSeconds: number): number {
  if (picturesSeconds <= 0) return 0;
  const movieSeconds = parseMvhd(openBox(movie.movieHeader)).durationTicks / movie.timescale;
  const endSeconds = Math.min(endOfTrack(track, movie), movieSeconds > 0 ? movieSeconds : Number.POSITIVE_INFINITY);
  return Math.max(0, endSeconds - picturesSeconds) * Math.min(1, shownSeconds / picturesSeconds);
}
