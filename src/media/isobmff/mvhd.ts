import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

const TAIL_BYTES = 76;
const U32_MAX = 0xffff_ffff;

/** The movie header, ISO/IEC 14496-12 §8.2.2. Its dates are not kept. */
export interface MovieHeader {
  /** Ticks per second, ≥ 0 as read. */
  readonly timescale: number;
  /** In ticks of `timescale`; all bits set in the file means unknown and reads as 0. */
  readonly durationTicks: number;
  /** Rate, volume, matrix and preview times: the 76 bytes between duration and next track ID. */
  readonly tail: Uint8Array;
  readonly nextTrackId: number;
}

/** Reads `mvhd`. Throws MEDIA_MALFORMED where it ends early. */
export function parseMvhd(box: BoxReader): MovieHeader {
  const { version } = box.versionAndFlags();
  box.skip(version === 1 ? 16 : 8);
  const timescale = box.u32();
  const durationTicks = readDuration(box, version);
  return { timescale, durationTicks, tail: box.take(TAIL_BYTES).slice(), nextTrackId: box.u32() };
}

/** Writes `mvhd` with dates of 0, at version 1 only where the duration needs 64 bits. */
export function serializeMvhd(header: MovieHeader): Uint8Array {
  const version = header.durationTicks > U32_MAX ? 1 : 0;
  const fields = new FieldWriter(112);
  fields.zeros(version === 1 ? 16 : 8);
  fields.u32(header.timescale);
  writeDuration(fields, version, header.durationTicks);
  fields.bytes(header.tail);
  fields.u32(header.nextTrackId);
  return serializeFullBox("mvhd", version, 0, fields.finish());
}

/** Reads the duration of `mvhd`, `tkhd` or `mdhd`: 32 bits, or 64 at version 1; "unknown" (all ones) reads as 0. */
export function readDuration(box: BoxReader, version: number): number {
  const high = version === 1 ? box.u32() : 0;
  const low = box.u32();
  if (low === U32_MAX && (version !== 1 || high === U32_MAX)) return 0;
  // A duration is only ever written anew: one too large to be true must not cost the track.
  return Math.min(high * 2 ** 32 + low, Number.MAX_SAFE_INTEGER);
}

/** Writes what `readDuration` reads. Throws INTERNAL where version 0 cannot hold it. */
export function writeDuration(fields: FieldWriter, version: number, durationTicks: number): void {
  if (version === 1) fields.u64(durationTicks);
  else fields.u32(durationTicks);
}
