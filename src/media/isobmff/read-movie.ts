import { ReelmillError } from "../../base/errors.ts";
import { type ByteSource, readExactly } from "../bytes/byte-source.ts";
import type { Movie } from "./movie.ts";
import { parseMovie } from "./parse-movie.ts";
import type { TopLevelBox } from "./top-level.ts";

/** Largest `moov` that is read, in bytes. */
const MAX_MOVIE_BYTES = 512 * 1024 * 1024;

/**
 * Reads the `moov` that `box` points at. Throws MEDIA_MALFORMED where it is larger than 512 MiB, cannot be read, or
 * holds no usable track.
 */
export function readMovie(source: ByteSource, box: TopLevelBox): Movie {
  if (box.sizeBytes > MAX_MOVIE_BYTES) {
    const message = `moov at byte ${box.offsetBytes}: it takes ${box.sizeBytes} bytes, ${MAX_MOVIE_BYTES} are allowed.`;
    throw new ReelmillError("MEDIA_MALFORMED", message);
  }
  const bytes = readExactly(source, box.offsetBytes, box.sizeBytes);
  if (bytes === undefined) {
    throw new ReelmillError("MEDIA_MALFORMED", `moov at byte ${box.offsetBytes}: its bytes cannot be read.`);
  }
  return parseMovie(bytes, box.offsetBytes);
}
