import type { BoxReader } from "./box-reader.ts";
import { type DeferredBox, deferFields } from "./box-writer.ts";

/** Sizes of a track's samples. */
export interface SampleSizes {
  readonly sampleCount: number;
  /** Size of every sample in bytes, or 0 where `sizes` tells. */
  readonly constantSizeBytes: number;
  /** One per sample; empty where `constantSizeBytes` is not 0. */
  readonly sizes: Uint32Array;
}

/** Reads `stsz`, ISO/IEC 14496-12 §8.7.3.2. Throws MEDIA_MALFORMED where the count does not fit the box. */
export function parseStsz(box: BoxReader): SampleSizes {
  box.versionAndFlags();
  const constantSizeBytes = box.u32();
  const sampleCount = box.u32();
  const sizes = constantSizeBytes === 0 ? box.u32Array(sampleCount) : new Uint32Array(0);
  return { sampleCount, constantSizeBytes, sizes };
}

/** Writes `stsz`. */
export function serializeStsz(sampleSizes: SampleSizes): DeferredBox {
  return deferFields("stsz", 0, 8 + sampleSizes.sizes.length * 4, (fields) => {
    fields.u32(sampleSizes.constantSizeBytes);
    fields.u32(sampleSizes.sampleCount);
    fields.u32Array(sampleSizes.sizes);
  });
}
