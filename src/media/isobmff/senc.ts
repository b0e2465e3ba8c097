import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";
import { MAX_INFORMATION_BYTES } from "./saiz.ts";

const HAS_SUBSAMPLES = 2;
const COUNT_BYTES = 2;
const SUBSAMPLE_BYTES = 6;

/** As many subsamples of one sample as `saiz` can tell of. */
export const MAX_SUBSAMPLES = Math.floor((MAX_INFORMATION_BYTES - COUNT_BYTES) / SUBSAMPLE_BYTES);

/** A stretch of a sample: clear bytes, then bytes that are encrypted by the track's pattern, ISO/IEC 23001-7 §7.2. */
export interface Subsample {
  /** 0–65535. */
  readonly clearBytes: number;
  readonly protectedBytes: number;
}

/** What a sample's auxiliary information takes, in bytes, where the vector is the track's. */
export function sampleInformationBytes(subsamples: readonly Subsample[]): number {
  return COUNT_BYTES + SUBSAMPLE_BYTES * subsamples.length;
}

/**
 * Reads `senc` of a track with a constant vector: the subsamples of each sample of its fragment, in decode order. Throws MEDIA_MALFORMED where
 * the entries announced do not fit, or it tells of no subsamples.
 */
export function parseSenc(box: BoxReader): readonly (readonly Subsample[])[] {
  const { flags } = box.versionAndFlags();
  if ((flags & HAS_SUBSAMPLES) === 0) throw box.fail("it tells of no subsamples");
  const sampleCount = box.u32();
  box.checkCount(sampleCount, COUNT_BYTES);
  return Array.from({ length: sampleCount }, () => {
    const count = box.u16();
    box.checkCount(count, SUBSAMPLE_BYTES);
    return Array.from({ length: count }, () => ({ clearBytes: box.u16(), protectedBytes: box.u32() }));
  });
}

/** Writes `senc` of a track with a constant vector. Throws INTERNAL where a number does not fit its field. */
export function serializeSenc(samples: readonly (readonly Subsample[])[]): Uint8Array {
  const fields = new FieldWriter(4 + samples.reduce((sum, sample) => sum + sampleInformationBytes(sample), 0));
  fields.u32(samples.length);
  for (const subsamples of samples) {
    fields.u16(subsamples.length);
    for (const { clearBytes, protectedBytes } of subsamples) {
      fields.u16(clearBytes);
      fields.u32(protectedBytes);
    }
  }
  return serializeFullBox("senc", 0, HAS_SUBSAMPLES, fields.finish());
}
