import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";
import type { SampleEntry } from "./movie.ts";
import { parseSampleEntry } from "./sample-entry.ts";

const MAX_ENTRIES = 1024;

/**
 * Reads the sample entries, ISO/IEC 14496-12 §8.5.2. The count is not trusted: entries are read while whole ones
 * stand there. Throws MEDIA_MALFORMED where not one does.
 */
export function parseStsd(box: BoxReader, handlerType: string): readonly SampleEntry[] {
  const { version } = box.versionAndFlags();
  box.skip(4);
  const entries: SampleEntry[] = [];
  for (const child of box.children().slice(0, MAX_ENTRIES)) {
    if (child.isClipped) break;
    entries.push(parseSampleEntry(child.copy(), handlerType, version === 1));
  }
  if (entries.length === 0) throw box.fail("no whole sample entry stands here");
  return entries;
}

/** Writes the sample entries as they were read. */
export function serializeStsd(sampleEntries: readonly SampleEntry[]): Uint8Array {
  const fields = new FieldWriter(4);
  fields.u32(sampleEntries.length);
  const version = sampleEntries.some(isIsoVersion1) ? 1 : 0;
  return serializeFullBox("stsd", version, 0, fields.finish(), ...sampleEntries.map((entry) => entry.raw));
}

/** Whether an entry is ISO's AudioSampleEntryV1, which only an `stsd` of version 1 may hold: `srat` marks it. */
function isIsoVersion1(entry: SampleEntry): boolean {
  return entry.audio?.version === 1 && entry.children.has("srat");
}
