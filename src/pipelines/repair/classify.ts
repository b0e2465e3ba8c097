import { liesElsewhere } from "../../media/isobmff/dref.ts";
import type { Track } from "../../media/isobmff/movie.ts";
import { forEachSample } from "../../media/isobmff/sample-table.ts";
import { joinFragments } from "../../repair/fragmented.ts";
import { fitsBytes } from "../../repair/sample-check.ts";
import { signatureOf } from "../../repair/signature.ts";
import { type Triage, triage } from "../../repair/triage.ts";
import { isTelling, TELLING_ZEROS } from "../../repair/zero-holes.ts";
import { findDamage, NO_SAMPLES } from "./damage.ts";
import type { Recording, Recordings } from "./recordings.ts";

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
export function classifyFile(path: string, recordings: Pick<Recordings, "open">): Classification {
  const source = recordings.open(path);
  try {
    const state = triage(source);
    const movie = state.movies.at(-1)?.movie;
    const reason = findDamage(source, state).find((note) => note.kind === "damage")?.text ?? "";
    return {
      health: reason === "" ? "healthy" : "damaged",
      reason,
      hasIndex: movie !== undefined && reason !== NO_SAMPLES && !movie.tracks.every(liesElsewhere),
      brand: brandOf(state),
      signature: movie === undefined ? "" : signatureOf(movie),
    };
  } finally {
    source.close();
  }
}

/**
 * Whether what the index of a healthy file lists is there as well, as far as a quick look tells: packets where they should
 * be, and none of the samples tried overwritten with zeros. Throws as `openFileSource`.
 */
export function hasSoundSamples(path: string, recordings: Pick<Recordings, "open" | "triedSamples">): boolean {
  const source = recordings.open(path);
  try {
    const { boxes, movies } = triage(source);
    const found = movies.at(-1)?.movie;
    if (found === undefined) return false;
    const movie = found.isFragmented ? joinFragments(source, boxes, found) : found;
    return (
      fitsBytes(movie, source) &&
      movie.tracks.every((track) => !hasZeroedSample(source, track, recordings.triedSamples))
    );
  } finally {
    source.close();
  }
}

/** Whether one of the samples looked at begins with zeros, as no coded one does. Raw sound may: it is not looked at. */
function hasZeroedSample(source: Recording, track: Track, tried: number): boolean {
  if (!isTelling(track)) return false;
  const { samples } = track;
  const step = Math.max(1, Math.floor(samples.sampleCount / tried));
  const head = new Uint8Array(TELLING_ZEROS);
  let isZeroed = false;
  forEachSample(samples, (sample, offset, sizeBytes) => {
    if (sample % step !== 0 || isZeroed || sizeBytes < TELLING_ZEROS) return;
    isZeroed = source.read(offset, head) === TELLING_ZEROS && head.every((byte) => byte === 0);
  });
  return isZeroed;
}

function brandOf(state: Triage): string {
  return state.ftyp === undefined ? "" : String.fromCharCode(...state.ftyp.subarray(8, 12));
}
