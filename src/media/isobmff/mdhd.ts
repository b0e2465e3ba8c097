import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";
import { readDuration, writeDuration } from "./mvhd.ts";

const U32_MAX = 0xffff_ffff;

/** The media header, ISO/IEC 14496-12 §8.4.2. Its dates are not kept. */
export interface MediaHeader {
  /** Ticks per second, ≥ 0 as read. */
  readonly timescale: number;
  readonly durationTicks: number;
  /** Packed ISO 639-2/T code, or a Macintosh language below 0x400. */
  readonly language: number;
  /** QuickTime's playback quality; 0 elsewhere. */
  readonly quality: number;
}

/** Reads `mdhd`. Throws MEDIA_MALFORMED where it ends early. */
export function parseMdhd(box: BoxReader): MediaHeader {
  const { version } = box.versionAndFlags();
  box.skip(version === 1 ? 16 : 8);
  const timescale = box.u32();
  return { timescale, durationTicks: readDuration(box, version), language: box.u16(), quality: box.u16() };
}

/** Writes `mdhd` with dates of 0, at version 1 only where the duration needs 64 bits. */
export function serializeMdhd(header: MediaHeader): Uint8Array {
  const version = header.durationTicks > U32_MAX ? 1 : 0;
  const fields = new FieldWriter(36);
  fields.zeros(version === 1 ? 16 : 8);
  fields.u32(header.timescale);
  writeDuration(fields, version, header.durationTicks);
  fields.u16(header.language);
  fields.u16(header.quality);
  return serializeFullBox("mdhd", version, 0, fields.finish());
}
