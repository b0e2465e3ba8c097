import type { Movie } from "../media/isobmff/movie.ts";

/** Equal for recordings whose tracks are of the same kinds, timescales and codec configurations, in the same order. */
export function signatureOf(movie: Movie): string {
  return movie.tracks
    .map((track) => [track.handlerType, track.timescale, ...track.sampleEntries.map(({ raw }) => raw.join())].join("|"))
    .join("\n");
}
