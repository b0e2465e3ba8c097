import { ReelmillError } from "../base/errors.ts";
import { liesElsewhere } from "../media/isobmff/dref.ts";
import type { Track } from "../media/isobmff/movie.ts";
import type { Triage } from "./triage.ts";

/** A triage whose indexes list what lies in the file itself alone, and the tracks of the index players take that do not. */
interface OwnMedia {
  readonly state: Triage;
  readonly elsewhere: readonly Track[];
}

/** Leaves tracks out whose media lie in other files, and indexes that have no others. */
export function leaveOutElsewhere(state: Triage): OwnMedia {
  const elsewhere = (state.movies.at(-1)?.movie.tracks ?? []).filter(liesElsewhere);
  if (!state.movies.some(({ movie }) => movie.tracks.some(liesElsewhere))) return { state, elsewhere };
  const movies = state.movies.flatMap((found) => {
    const tracks = found.movie.tracks.filter((track) => !liesElsewhere(track));
    return tracks.length > 0 ? [{ ...found, movie: { ...found.movie, tracks } }] : [];
  });
  return { state: { ...state, movies }, elsewhere };
}

/** What is wrong with a file whose index refers to others, in the user's terms, no full stop. */
export function describeElsewhere(tracks: readonly Track[]): string {
  const ids = tracks.map(({ trackId }) => trackId).join(", ");
  return `the media of track${tracks.length === 1 ? "" : "s"} ${ids} lie in other files, which its index refers to`;
}

/** The refusal of a file that holds none of the media that are asked for. */
export function mediaElsewhere(tracks: readonly Track[]): ReelmillError {
  return new ReelmillError("INPUT_NOT_VIDEO", `There is nothing in the file to repair: ${describeElsewhere(tracks)}.`, {
    advice: "Find those files: the pictures and the sound are in them.",
  });
}
