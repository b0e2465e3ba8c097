import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** Which samples belong to which groups of one type, ISO/IEC 14496-12 §8.9.2. */
export interface SampleGrouping {
  /** Four characters, such as `roll`. */
  readonly groupingType: string;
  /** Present in version 1 alone. */
  readonly parameter: number | undefined;
  /** Pairs of how many samples, and the 1-based number of their description (0: in no group). */
  readonly runs: Uint32Array;
}

/** Reads one `sbgp`. Throws MEDIA_MALFORMED where it is shorter than its runs. */
export function parseSbgp(box: BoxReader): SampleGrouping {
  const { version } = box.versionAndFlags();
  const groupingType = box.fourcc();
  const parameter = version === 1 ? box.u32() : undefined;
  const count = box.u32();
  box.checkCount(count, 8);
  return { groupingType, parameter, runs: box.u32Array(count * 2) };
}

/** Writes one `sbgp`, of version 1 where there is a parameter. */
export function serializeSbgp({ groupingType, parameter, runs }: SampleGrouping): Uint8Array {
  const fields = new FieldWriter();
  fields.fourcc(groupingType);
  if (parameter !== undefined) fields.u32(parameter);
  fields.u32(runs.length / 2);
  fields.u32Array(runs);
  return serializeFullBox("sbgp", parameter === undefined ? 0 : 1, 0, fields.finish());
}
