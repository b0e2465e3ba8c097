import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";
import { readDuration, writeDuration } from "./mvhd.ts";

const TAIL_BYTES = 60;
const U32_MAX = 0xffff_ffff;

/** The track header, ISO/IEC 14496-12 §8.3.2. Its dates are not kept. */
export interface TrackHeader {
  /** 1 enabled, 2 in movie, 4 in preview. */
  readonly flags: number;
  readonly trackId: number;
  /** In ticks of the movie's timescale. */
  readonly durationTicks: number;
  /** Layer, group, volume, matrix, width and height: the 60 bytes after the duration. */
  readonly tail: Uint8Array;
}

/** Reads `tkhd`. Throws MEDIA_MALFORMED where it ends early. */
export function parseTkhd(box: BoxReader): TrackHeader {
  const { version, flags } = box.versionAndFlags();
  box.skip(version === 1 ? 16 : 8);
  const trackId = box.u32();
  box.skip(4);
  const durationTicks = readDuration(box, version);
  return { flags, trackId, durationTicks, tail: box.take(TAIL_BYTES).slice() };
}

/** Writes `tkhd` with dates of 0, at version 1 only where the duration needs 64 bits. */
export function serializeTkhd(header: TrackHeader): Uint8Array {
  const version = header.durationTicks > U32_MAX ? 1 : 0;
  const fields = new FieldWriter(96);
  fields.zeros(version === 1 ? 16 : 8);
  fields.u32(header.trackId);
  fields.u32(0);
  writeDuration(fields, version, header.durationTicks);
  fields.bytes(header.tail);
  return serializeFullBox("tkhd", version, header.flags, fields.finish());
}
