import { openBoxes } from "./box-reader.ts";
import { concatBytes } from "./box-writer.ts";
import type { SampleEntry } from "./movie.ts";
import { replaceBoxes } from "./replace-boxes.ts";
import { parseStsd, serializeStsd } from "./stsd.ts";

const STSD_PATH = ["trak", "mdia", "minf", "stbl", "stsd"];

/**
 * A Media Initialization Section with every sample entry replaced, all else as it was. Throws MEDIA_MALFORMED where `stsd` holds no whole entry.
 */
export function replaceSampleEntries(
  initialization: Uint8Array,
  handlerType: string,
  replace: (entry: SampleEntry) => SampleEntry,
): Uint8Array {
  const boxes = openBoxes(initialization, "file").map((box) =>
    box.type === "moov"
      ? replaceBoxes(box, STSD_PATH, (stsd) => serializeStsd(parseStsd(stsd, handlerType).map(replace)))
      : box.copy(),
  );
  return concatBytes(boxes);
}
