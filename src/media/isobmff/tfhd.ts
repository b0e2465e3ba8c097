import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** The track fragment header, ISO/IEC 14496-12 §8.8.7. Absent fields fall back to `trex`. */
export interface TrackFragmentHeader {
  readonly trackId: number;
  /** Absolute file offset that data offsets count from. */
  readonly baseDataOffsetBytes?: number;
  readonly descriptionIndex?: number;
  readonly defaultDurationTicks?: number;
  readonly defaultSizeBytes?: number;
  readonly defaultSampleFlags?: number;
  readonly isDurationEmpty: boolean;
  /** Data offsets count from the start of the `moof`. */
  readonly isBaseMoof: boolean;
}

/** Reads `tfhd`. Throws MEDIA_MALFORMED where it ends early. */
export function parseTfhd(box: BoxReader): TrackFragmentHeader {
  const { flags } = box.versionAndFlags();
  return {
    trackId: box.u32(),
    ...(flags & 1 ? { baseDataOffsetBytes: box.u64() } : {}),
    ...(flags & 2 ? { descriptionIndex: box.u32() } : {}),
    ...(flags & 8 ? { defaultDurationTicks: box.u32() } : {}),
    ...(flags & 0x10 ? { defaultSizeBytes: box.u32() } : {}),
    ...(flags & 0x20 ? { defaultSampleFlags: box.u32() } : {}),
    isDurationEmpty: (flags & 0x1_0000) !== 0,
    isBaseMoof: (flags & 0x2_0000) !== 0,
  };
}

/** Writes `tfhd`. */
export function serializeTfhd(header: TrackFragmentHeader): Uint8Array {
  const fields = new FieldWriter(28);
  let flags = (header.isDurationEmpty ? 0x1_0000 : 0) | (header.isBaseMoof ? 0x2_0000 : 0);
  const optional = (flag: number, value: number | undefined) => {
    if (value === undefined) return;
    flags |= flag;
    if (flag === 1) fields.u64(value);
    else fields.u32(value);
  };
  fields.u32(header.trackId);
  optional(1, header.baseDataOffsetBytes);
  optional(2, header.descriptionIndex);
  optional(8, header.defaultDurationTicks);
  optional(0x10, header.defaultSizeBytes);
  optional(0x20, header.defaultSampleFlags);
  return serializeFullBox("tfhd", 0, flags, fields.finish());
}
