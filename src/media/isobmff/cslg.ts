import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** How composition times lie to decode times, in media ticks, ISO/IEC 14496-12 §8.6.1.4. */
export interface CompositionToDecode {
  /** Added to every composition time it makes each no earlier than its decode time. */
  readonly shiftTicks: number;
  readonly leastOffsetTicks: number;
  readonly greatestOffsetTicks: number;
  readonly startTicks: number;
  /** 0: not told. */
  readonly endTicks: number;
}

/** Reads `cslg` at version 0 or 1. Throws MEDIA_MALFORMED where it ends early. */
export function parseCslg(box: BoxReader): CompositionToDecode {
  const { version } = box.versionAndFlags();
  const next = () => (version === 1 ? box.i64() : box.i32());
  return {
    shiftTicks: next(),
    leastOffsetTicks: next(),
    greatestOffsetTicks: next(),
    startTicks: next(),
    endTicks: next(),
  };
}

/** Writes `cslg`, at version 1 only where a value needs 64 bits. */
export function serializeCslg(relation: CompositionToDecode): Uint8Array {
  const values = [
    relation.shiftTicks,
    relation.leastOffsetTicks,
    relation.greatestOffsetTicks,
    relation.startTicks,
    relation.endTicks,
  ];
  const isLong = values.some((value) => value > 0x7fff_ffff || value < -0x8000_0000);
  const fields = new FieldWriter(40);
  for (const value of values) {
    if (isLong) fields.i64(value);
    else fields.i32(value);
  }
  return serializeFullBox("cslg", isLong ? 1 : 0, 0, fields.finish());
}
