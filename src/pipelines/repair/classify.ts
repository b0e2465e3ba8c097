import type { Movie } from "../../media/isobmff/movie.ts";
import { type Triage, triage } from "../../repair/triage.ts";
import { findDamage, NO_SAMPLES } from "./damage.ts";
import { openFileSource } from "./file-source.ts";

/** What a look at a file's boxes says of it as a reference. */
export interface Classification {
  /** `damaged`: a recording, but not all that its index lists is there. */
  readonly health: "healthy" | "damaged";
  /** Why a damaged one is; empty for a healthy one. */
  readonly reason: string;
  /** Whether an index that lists samples could be read: damaged or not, there is something to learn from. */
  readonly hasIndex: boolean;
  /** Major brand of `ftyp`; empty where there is none. */
  readonly brand: string;
  /** Equal for recordings whose tracks have the same codec configuration. */
  readonly signature: string;
}

/** Looks at a file without scanning its samples. Throws as `openFileSource`. */
export function classifyFile(path: string): Classification {
  const source = openFileSource(path);
  try {
    const state = triage(source);
    const movie = state.movies.at(-1)?.movie;
    const reason = findDamage(source, state).find((note) => note.kind === "damage")?.text ?? "";
    return {
      health: reason === "" ? "healthy" : "damaged",
      reason,
      hasIndex: movie !== undefined && reason !== NO_SAMPLES,
      brand: brandOf(state),
      signature: movie === undefined ? "" : signatureOf(movie),
    };
  } finally {
    source.close();
  }
}

function brandOf(state: Triage): string {
  return state.ftyp === undefined ? "" : String.fromCharCode(...state.ftyp.subarray(8, 12));
}

function signatureOf(movie: Movie): string {
  const tracks = movie.tracks.map(({ handlerType, timescale, sampleEntries }) => {
    const entries = sampleEntries.map(({ raw }) => Buffer.from(raw).toString("base64"));
    return [handlerType, timescale, ...entries].join(" ");
  });
  return tracks.join("\n");
}
