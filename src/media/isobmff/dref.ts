import { fourccAt, openBox } from "./box-reader.ts";
import type { SampleEntry, Track } from "./movie.ts";

/** The media lie in the same file as the index. */
const SELF_CONTAINED = 1;
/** The entry's version and flags. */
const FULL_BOX_BYTES = 4;
/** `data_reference_index` in a sample entry: behind its header and six reserved bytes, ISO/IEC 14496-12 §8.5.2. */
const REFERENCE_INDEX_AT = 14;

/**
 * Whether chunks of a track lie in another file: their entry of `dref` lacks flag 1 and names a place (ISO/IEC 14496-12
 * §8.7.2). One that names none is a writer's slip: the media can only be in the same file. False where the box cannot be read.
 */
export function liesElsewhere({ boxes, sampleEntries, samples }: Track): boolean {
  const elsewhere = referencesElsewhere(boxes.get("mdia/minf/dinf"));
  if (!elsewhere.includes(true)) return false;
  const descriptions = samples.chunkDescriptionIndexes ?? [1];
  return (
    samples.sampleCount > 0 && [...new Set(descriptions)].some((index) => isIn(elsewhere, sampleEntries[index - 1]))
  );
}

function isIn(elsewhere: readonly boolean[], entry: SampleEntry | undefined): boolean {
  if (entry === undefined || entry.raw.length < REFERENCE_INDEX_AT + 2) return false;
  const index = (entry.raw[REFERENCE_INDEX_AT] as number) * 256 + (entry.raw[REFERENCE_INDEX_AT + 1] as number);
  return elsewhere[index - 1] ?? false;
}

/** Of each entry whether it names another file. */
function referencesElsewhere(dinf: Uint8Array | undefined): readonly boolean[] {
  if (dinf === undefined || dinf.length < 8 || fourccAt(dinf, 4) !== "dinf") return [];
  try {
    const dref = openBox(dinf)
      .children()
      .find(({ type }) => type === "dref");
    if (dref === undefined) return [];
    dref.skip(FULL_BOX_BYTES + 4);
    return dref.children().map((entry) => {
      const { flags } = entry.versionAndFlags();
      return (flags & SELF_CONTAINED) === 0 && entry.rest().some((byte) => byte !== 0);
    });
  } catch {
    return [];
  }
}
