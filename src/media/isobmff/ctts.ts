import type { BoxReader } from "./box-reader.ts";
import { type DeferredBox, deferFields } from "./box-writer.ts";

/**
 * Reads `ctts` as it stands: pairs (sample count, signed offset in media ticks), ISO/IEC 14496-12 §8.6.1.3. Version
 * 0 is unsigned by that clause but signed in QuickTime files, and no offset reaches 2^31 ticks: both read as signed.
 * Throws MEDIA_MALFORMED where the count does not fit the box or a pair counts 2^31 samples or more.
 */
export function parseCtts(box: BoxReader): Int32Array {
  box.versionAndFlags();
  const entryCount = box.u32();
  box.checkCount(entryCount, 8);
  const pairs = box.i32Array(entryCount * 2);
  for (let i = 0; i < pairs.length; i += 2) {
    if ((pairs[i] as number) < 0) throw box.fail(`entry ${i / 2 + 1} counts 2^31 samples or more`);
  }
  return pairs;
}

/** Writes `ctts` from pairs (sample count, offset in media ticks), at version 1 where an offset is negative. */
export function serializeCtts(compositionRuns: Int32Array): DeferredBox {
  let version = 0;
  for (let i = 1; i < compositionRuns.length; i += 2) if ((compositionRuns[i] as number) < 0) version = 1;
  return deferFields("ctts", version, 4 + compositionRuns.length * 4, (fields) => {
    fields.u32(compositionRuns.length / 2);
    fields.i32Array(compositionRuns);
  });
}
