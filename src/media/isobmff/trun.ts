import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** A track run, ISO/IEC 14496-12 §8.8.8. Columns that are absent fall back to `tfhd`, then `trex`. */
export interface TrackRun {
  readonly sampleCount: number;
  /** Signed, from the fragment's base offset; absent: right after the run before. */
  readonly dataOffsetBytes?: number;
  readonly firstSampleFlags?: number;
  readonly durations?: Uint32Array;
  readonly sizes?: Uint32Array;
  readonly sampleFlags?: Uint32Array;
  /** Signed at both versions, as `parseCtts` explains. */
  readonly compositionOffsets?: Int32Array;
}

/** Reads `trun`. Throws MEDIA_MALFORMED where the samples announced do not fit the box. */
export function parseTrun(box: BoxReader): TrackRun {
  const { flags } = box.versionAndFlags();
  const sampleCount = box.u32();
  const dataOffsetBytes = flags & 1 ? box.i32() : undefined;
  const firstSampleFlags = flags & 4 ? box.u32() : undefined;
  const present = [0x100, 0x200, 0x400, 0x800].map((flag) => (flags & flag) !== 0);
  box.checkCount(sampleCount, 4 * present.filter(Boolean).length);
  const [durations, sizes, sampleFlags, raw] = present.map((is) => (is ? new Uint32Array(sampleCount) : undefined));
  const columns = [durations, sizes, sampleFlags, raw].filter((column) => column !== undefined);
  const rowCount = columns.length === 0 ? 0 : sampleCount;
  for (let i = 0; i < rowCount; i++) for (const column of columns) column[i] = box.u32();
  return {
    sampleCount,
    ...(dataOffsetBytes === undefined ? {} : { dataOffsetBytes }),
    ...(firstSampleFlags === undefined ? {} : { firstSampleFlags }),
    ...(durations ? { durations } : {}),
    ...(sizes ? { sizes } : {}),
    ...(sampleFlags ? { sampleFlags } : {}),
    ...(raw ? { compositionOffsets: new Int32Array(raw.buffer) } : {}),
  };
}

/** Writes `trun`, at version 1 where a composition offset is negative. */
export function serializeTrun(run: TrackRun): Uint8Array {
  const fields = new FieldWriter(12 + run.sampleCount * 16);
  let flags = 0;
  fields.u32(run.sampleCount);
  if (run.dataOffsetBytes !== undefined) {
    flags |= 1;
    fields.i32(run.dataOffsetBytes);
  }
  if (run.firstSampleFlags !== undefined) {
    flags |= 4;
    fields.u32(run.firstSampleFlags);
  }
  if (run.durations) flags |= 0x100;
  if (run.sizes) flags |= 0x200;
  if (run.sampleFlags) flags |= 0x400;
  if (run.compositionOffsets) flags |= 0x800;
  for (let i = 0; i < run.sampleCount; i++) {
    if (run.durations) fields.u32(run.durations[i] ?? 0);
    if (run.sizes) fields.u32(run.sizes[i] ?? 0);
    if (run.sampleFlags) fields.u32(run.sampleFlags[i] ?? 0);
    if (run.compositionOffsets) fields.i32(run.compositionOffsets[i] ?? 0);
  }
  const isSigned = run.compositionOffsets?.some((offset) => offset < 0) ?? false;
  return serializeFullBox("trun", isSigned ? 1 : 0, flags, fields.finish());
}
