import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";

/** Pieces are as large at most, where no other buffer is given. */
export const PIECE_BYTES = 1024 * 1024;

/**
 * The bytes in `[startBytes, endBytes)`, piece by piece; each piece is valid until the next one. They are read into `buffer`, where one is given:
 * who reads thousands of ranges leaves no rubbish so. Throws MEDIA_MALFORMED where the source ends before.
 */
export function* readRange(
  source: ByteSource,
  startBytes: number,
  endBytes: number,
  buffer?: Uint8Array,
): Generator<Uint8Array> {
  const piece = buffer ?? new Uint8Array(Math.min(PIECE_BYTES, Math.max(0, endBytes - startBytes)));
  for (let at = startBytes; at < endBytes; ) {
    const got = source.read(at, piece.subarray(0, Math.min(piece.length, endBytes - at)));
    if (got === 0) throw new ReelmillError("MEDIA_MALFORMED", `The file ends at byte ${at}, before ${endBytes}.`);
    yield piece.subarray(0, got);
    at += got;
  }
}
