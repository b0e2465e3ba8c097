import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";
import type { FragmentDefaults } from "./movie.ts";

/** `trex` with the track it speaks of. */
export interface TrackExtends extends FragmentDefaults {
  readonly trackId: number;
}

/** Reads `trex`, ISO/IEC 14496-12 §8.8.3. Throws MEDIA_MALFORMED where it ends early. */
export function parseTrex(box: BoxReader): TrackExtends {
  box.versionAndFlags();
  return {
    trackId: box.u32(),
    descriptionIndex: box.u32(),
    durationTicks: box.u32(),
    sizeBytes: box.u32(),
    sampleFlags: box.u32(),
  };
}

/** Writes `trex`. */
export function serializeTrex(trex: TrackExtends): Uint8Array {
  const fields = new FieldWriter(20);
  fields.u32(trex.trackId);
  fields.u32(trex.descriptionIndex);
  fields.u32(trex.durationTicks);
  fields.u32(trex.sizeBytes);
  fields.u32(trex.sampleFlags);
  return serializeFullBox("trex", 0, 0, fields.finish());
}
