import { ReelmillError } from "../base/errors.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Movie } from "../media/isobmff/movie.ts";
import { leaveOutElsewhere } from "./elsewhere.ts";
import { joinFragments } from "./fragmented.ts";
import type { Reference } from "./outcome.ts";
import { triage } from "./triage.ts";

/** A reference whose index was read. */
export interface ReferenceMovie {
  readonly name: string;
  readonly source: ByteSource;
  /** Holds samples; a fragmented reference's fragments are joined. */
  readonly movie: Movie;
  readonly ftyp: Uint8Array | undefined;
  /** Whether the reference comes in fragments: the damaged file then may, too. */
  readonly isFragmented: boolean;
}

/** Reads the references' indexes, leaving out those without one. Throws REFERENCE_UNUSABLE where none has one. */
export function readReferences(references: readonly Reference[]): readonly ReferenceMovie[] {
  const read = references.flatMap((reference) => readReference(reference) ?? []);
  if (read.length === 0 && references.length > 0) {
    const names = references.map(({ name }) => name).join(", ");
    throw new ReelmillError(
      "REFERENCE_UNUSABLE",
      `There is no index to learn from in ${names}: give a file that plays.`,
    );
  }
  return read;
}

function readReference({ name, source }: Reference): ReferenceMovie | undefined {
  const { boxes, movies, ftyp } = leaveOutElsewhere(triage(source)).state;
  for (const { movie } of movies) {
    const whole = movie.isFragmented ? joinFragments(source, boxes, movie) : movie;
    const hasSamples = whole.tracks.some((track) => track.samples.sampleCount > 0);
    if (hasSamples) return { name, source, movie: whole, ftyp, isFragmented: movie.isFragmented };
  }
  return undefined;
}
