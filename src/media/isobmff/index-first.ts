import { ReelmillError } from "../../base/errors.ts";
import { serializeBoxHeader } from "./box-writer.ts";
import type { Movie, SampleTable } from "./movie.ts";
import { serializeMovie } from "./serialize-movie.ts";

/** What stands before the data of a file whose index comes first. */
export interface IndexFirst {
  readonly ftyp: Uint8Array;
  /** Its offsets count as if the data began at `dataOffset`. */
  readonly movie: Movie;
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** `ftyp`, `moov` and the header of `mdat`, with the data right behind them. Throws as `serializeMovie`. */
export function serializeIndexFirst({ ftyp, movie, dataOffset, dataBytes }: IndexFirst): readonly Uint8Array[] {
  const header = serializeBoxHeader("mdat", dataBytes);
  // The size of `moov` depends on its offsets only in whether they need 64 bits: two rounds settle it.
  let moov = serializeMovie(movie);
  for (let round = 0; round < 4; round++) {
    const start = ftyp.length + moov.length + header.length;
    const next = serializeMovie(shiftMovie(movie, start - dataOffset));
    if (next.length === moov.length) return [ftyp, next, header];
    moov = next;
  }
  throw new ReelmillError("INTERNAL", "The size of the movie box did not settle.");
}

/** The movie with its data so many bytes further on. */
export function shiftMovie(movie: Movie, byBytes: number): Movie {
  const shift = (samples: SampleTable): SampleTable => ({
    ...samples,
    chunkOffsets: samples.chunkOffsets.map((offset) => offset + byBytes),
  });
  return { ...movie, tracks: movie.tracks.map((track) => ({ ...track, samples: shift(track.samples) })) };
}
