import { createMemorySource } from "../../src/media/bytes/byte-source.ts";
import type { OutputPart } from "../../src/repair/write/layout.ts";
import { mapBoxes } from "./box-map.ts";
import { type FuzzRun, isAllowedError } from "./fuzz-input.ts";

/** A target's name and how to load it; loading is put off so that one target can be run without the others. */
export interface FuzzTarget {
  readonly name: string;
  readonly load: () => Promise<FuzzRun>;
}

/** Everything that is fuzzed. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: "boxes", load: loadBoxes },
  { name: "movie", load: loadMovie },
  { name: "probes", load: async () => (await import("./probe-targets.ts")).runProbes },
  { name: "repair", load: loadRepair },
  { name: "reference", load: loadReference },
];

async function loadBoxes(): Promise<FuzzRun> {
  const { scanTopLevelBoxes } = await import("../../src/media/isobmff/top-level.ts");
  const { dumpBoxes } = await import("../../src/media/isobmff/dump.ts");
  return ({ bytes }) => {
    const source = createMemorySource(bytes);
    for (const box of scanTopLevelBoxes(source)) {
      if (box.offsetBytes + box.sizeBytes > bytes.length)
        throw new Error(`${box.type} reaches past the end of the file.`);
    }
    dumpBoxes(source);
  };
}

async function loadMovie(): Promise<FuzzRun> {
  const { scanTopLevelBoxes } = await import("../../src/media/isobmff/top-level.ts");
  const { readMovie } = await import("../../src/media/isobmff/read-movie.ts");
  const { readFragments } = await import("../../src/media/isobmff/fragments.ts");
  const { parseMovie } = await import("../../src/media/isobmff/parse-movie.ts");
  const { serializeMovie } = await import("../../src/media/isobmff/serialize-movie.ts");
  return ({ bytes }) => {
    const source = createMemorySource(bytes);
    const boxes = scanTopLevelBoxes(source);
    for (const box of boxes.filter(({ type }) => type === "moov")) {
      let movie: ReturnType<typeof readMovie>;
      try {
        movie = readMovie(source, box);
      } catch (error) {
        if (isAllowedError(error)) continue;
        throw error;
      }
      readFragments(source, boxes, movie);
      // What was accepted is consistent enough to be written and read again.
      const again = parseMovie(serializeMovie(movie));
      if (again.tracks.length !== movie.tracks.length)
        throw new Error("A movie lost a track when written and read again.");
    }
  };
}

async function loadRepair(): Promise<FuzzRun> {
  const { repairSource } = await import("../../src/repair/repair-source.ts");
  const { scanTopLevelBoxes } = await import("../../src/media/isobmff/top-level.ts");
  const { readMovie } = await import("../../src/media/isobmff/read-movie.ts");
  return async ({ bytes, reference }) => {
    const references = [{ name: "reference", source: createMemorySource(reference) }];
    const { layout } = await repairSource(createMemorySource(bytes), references);
    if (layout === undefined) return;
    const source = createMemorySource(joinParts(layout.parts, bytes));
    const moov = scanTopLevelBoxes(source).find(({ type }) => type === "moov");
    if (moov === undefined) throw new Error("The repaired file has no moov.");
    for (const track of readMovie(source, moov).tracks) {
      const outside = track.samples.chunkOffsets.find((offset) => offset > source.sizeBytes);
      if (outside !== undefined)
        throw new Error(`A chunk of the repaired file is said to lie at ${outside}, past its end.`);
    }
  };
}

/** A hostile reference: a healthy recording's bare sample data are repaired with the mutant to learn from. */
async function loadReference(): Promise<FuzzRun> {
  const { repairSource } = await import("../../src/repair/repair-source.ts");
  return async ({ bytes, reference }) => {
    const mdat = mapBoxes(reference).find(({ type }) => type === "mdat");
    const damaged = mdat === undefined ? reference : reference.slice(mdat.offset, mdat.offset + mdat.sizeBytes);
    if (mdat !== undefined) damaged.fill(0, 0, 4);
    await repairSource(createMemorySource(damaged), [{ name: "reference", source: createMemorySource(bytes) }]);
  };
}

/** The repaired file. Throws where a part lies outside the damaged one. */
function joinParts(parts: readonly OutputPart[], damaged: Uint8Array): Uint8Array {
  const pieces = parts.map((part) => {
    if (part.kind === "bytes") return part.bytes;
    const { startOffset, endOffset } = part;
    if (!(startOffset >= 0 && startOffset <= endOffset && endOffset <= damaged.length)) {
      throw new Error(`Bytes ${startOffset}-${endOffset} of a file of ${damaged.length} bytes are to be copied.`);
    }
    return damaged.subarray(startOffset, endOffset);
  });
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
