import { ReelmillError } from "../../base/errors.ts";
import { type ByteSource, readExactly } from "../../media/bytes/byte-source.ts";
import { endSourceAt } from "../../media/bytes/part-source.ts";
import type { FragmentSample } from "../../media/isobmff/fragment-samples.ts";
import type { FragmentIndex, IndexedFragment } from "../../media/isobmff/index-fragments.ts";
import type { Movie } from "../../media/isobmff/movie.ts";
import { readSingleTrack } from "../../media/isobmff/single-track.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "../../media/isobmff/top-level.ts";

/** A fragmented file of one track, with its index. */
export interface IndexedFile {
  readonly path: string;
  readonly index: FragmentIndex;
}

/** The `moov` of an encoded file. Throws MEDIA_MALFORMED where it is missing or broken. */
export function movieOf(source: ByteSource, { initializationBytes }: FragmentIndex): Movie {
  return readSingleTrack(source, scanTopLevelBoxes(endSourceAt(source, initializationBytes))).movie;
}

/** The `moof` boxes of a fragment: one, as long as its encoder keeps to what `IndexedFragment` is. */
export function fragmentBoxes(source: ByteSource, fragment: IndexedFragment): readonly TopLevelBox[] {
  const boxes = scanTopLevelBoxes(endSourceAt(source, fragment.endBytes), fragment.startBytes);
  return boxes.filter(({ type }) => type === "moof");
}

/** The bytes of a sample. Throws MEDIA_MALFORMED where they are not all there. */
export function readSample(source: ByteSource, { offsetBytes, sizeBytes }: FragmentSample): Uint8Array {
  const bytes = readExactly(source, offsetBytes, sizeBytes);
  if (bytes === undefined)
    throw new ReelmillError("MEDIA_MALFORMED", `The sample at byte ${offsetBytes} is cut short.`);
  return bytes;
}
