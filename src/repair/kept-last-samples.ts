import type { Movie, SampleTable, Track } from "../media/isobmff/movie.ts";
import { totalDurationTicks } from "../media/isobmff/sample-table.ts";
import { fitEdits } from "./select-samples.ts";
import { endOfTrack, outlasting, shiftOf } from "./timing/track-ends.ts";

/**
 * A movie whose tables were cut, in which the last sample of what is neither picture nor sound ends with the pictures that
 * are left, or with the sound where there are none; it may outlast them as it did in the `whole` movie. Both have the same
 * tracks in the same order.
 */
export function endKeptWithPictures(cut: Movie, whole: Movie): Movie {
  const handler = ["vide", "soun"].find((type) => lastEnd(cut, type) > 0);
  if (handler === undefined) return cut;
  const [shownSeconds, picturesSeconds] = [lastEnd(cut, handler), lastEnd(whole, handler)];
  const tracks = cut.tracks.map((track, index): Track => {
    if (track.handlerType === "vide" || track.handlerType === "soun") return track;
    const beyondSeconds = outlasting(whole.tracks[index] as Track, whole, picturesSeconds, shownSeconds);
    const { delaySeconds, primingTicks } = shiftOf(track, cut);
    const limitTicks = Math.round((shownSeconds + beyondSeconds - delaySeconds) * track.timescale + primingTicks);
    const samples = endedAt(track.samples, limitTicks);
    if (samples === track.samples) return track;
    return { ...track, samples, edits: fitEdits({ ...track, samples, leadTicks: 0 }, cut.timescale) };
  });
  return { ...cut, tracks };
}

function lastEnd(movie: Movie, handlerType: string): number {
  const own = movie.tracks.filter((track) => track.handlerType === handlerType && track.samples.sampleCount > 0);
  return Math.max(0, ...own.map((track) => endOfTrack(track, movie)));
}

/** The table with its last sample shortened so that it ends at `limitTicks`, as far as it begins before. */
function endedAt(table: SampleTable, limitTicks: number): SampleTable {
  const runs = table.durationRuns;
  const [count, ticks] = [runs.at(-2) ?? 0, runs.at(-1) ?? 0];
  const beyond = totalDurationTicks(table) - limitTicks;
  if (count === 0 || beyond <= 0 || ticks <= 1) return table;
  const isAlone = count === 1;
  const durationRuns = new Uint32Array(isAlone ? runs.length : runs.length + 2);
  durationRuns.set(runs);
  if (!isAlone) durationRuns[runs.length - 2] = count - 1;
  durationRuns.set([1, Math.max(1, ticks - beyond)], durationRuns.length - 2);
  return { ...table, durationRuns };
}
