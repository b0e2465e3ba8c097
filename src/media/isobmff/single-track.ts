import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import { readExactly } from "../bytes/byte-source.ts";
import { type BoxReader, openBox } from "./box-reader.ts";
import { MAX_FRAGMENT_BYTES } from "./fragment-search.ts";
import type { Movie, Track } from "./movie.ts";
import { readMovie } from "./read-movie.ts";
import type { TopLevelBox } from "./top-level.ts";

/** What a file of one track says of it. */
export interface SingleTrack {
  readonly moov: TopLevelBox;
  readonly movie: Movie;
  readonly track: Track;
}

/** The `moov` of a file that was just written, of the boxes that it has. Throws MEDIA_MALFORMED where there is none, or not exactly one track. */
export function readSingleTrack(source: ByteSource, boxes: Iterable<TopLevelBox>): SingleTrack {
  const moov = Iterator.from(boxes).find(({ type }) => type === "moov");
  const movie = moov && readMovie(source, moov);
  const [track] = movie?.tracks ?? [];
  if (moov === undefined || movie === undefined || track === undefined || movie.tracks.length !== 1) {
    throw new ReelmillError("MEDIA_MALFORMED", "The file has not exactly one track.");
  }
  return { moov, movie, track };
}

/** A `moof` in memory. Throws MEDIA_MALFORMED where it is not all there, or larger than any that is read. */
export function openMoof(source: ByteSource, { offsetBytes, sizeBytes }: TopLevelBox): BoxReader {
  const bytes = sizeBytes <= MAX_FRAGMENT_BYTES ? readExactly(source, offsetBytes, sizeBytes) : undefined;
  if (bytes !== undefined) return openBox(bytes, offsetBytes);
  throw new ReelmillError("MEDIA_MALFORMED", `The moof at byte ${offsetBytes}, of ${sizeBytes} bytes, cannot be read.`);
}
