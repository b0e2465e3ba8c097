import { ReelmillError } from "../../base/errors.ts";
import { parseAvcConfiguration } from "../h264/avc-configuration.ts";
import { isAvcSlice } from "../h264/nal-unit.ts";
import { AvcParameterSets } from "../h264/parameter-sets.ts";
import { parseAvcSliceHeader } from "../h264/slice-header.ts";
import { parseHevcConfiguration } from "../hevc/hevc-configuration.ts";
import { HevcParameterSets } from "../hevc/parameter-sets.ts";
import { parseHevcSliceHeader } from "../hevc/slice-header.ts";
import type { Subsample } from "../isobmff/senc.ts";
import { splitSample } from "../nal/annex-b.ts";
import { RbspReader } from "../nal/rbsp-reader.ts";
import { escapedLength } from "../nal/unescape.ts";
import { type SampleLayout, SubsampleList } from "./subsample-list.ts";

const AVC_HEADER_BYTES = 1;
const HEVC_HEADER_BYTES = 2;
/** Data partitions (ITU-T H.264 table 7-1), which no encoder of ours makes. */
const AVC_PARTITIONS: readonly number[] = [2, 3, 4];
const HEVC_FIRST_NON_VCL = 32;

/**
 * H.264 (ISO/IEC 23001-7 §10.4.2): of each slice all behind its header is protected, every other NAL unit is clear. `avcC` is a payload. What it
 * gives throws MEDIA_MALFORMED where a slice's header is not understood.
 */
export function createAvcLayout(avcC: Uint8Array): SampleLayout {
  const configuration = parseAvcConfiguration(avcC);
  const sets = new AvcParameterSets(configuration);
  return (sample) =>
    layOutNals(sample, configuration.lengthSizeBytes, (nal) => {
      const type = (nal[0] ?? 0) & 0x1f;
      if (AVC_PARTITIONS.includes(type)) throw notUnderstood(type);
      if (!isAvcSlice(nal)) {
        sets.update([nal]);
        return nal.length;
      }
      const reader = new RbspReader(nal, AVC_HEADER_BYTES, nal.length);
      if (parseAvcSliceHeader(reader, nal[0] ?? 0, sets) === undefined) throw notUnderstood(type);
      return headerEnd(nal, AVC_HEADER_BYTES, reader);
    });
}

/** As `createAvcLayout`, of HEVC: slice segments and their headers. */
export function createHevcLayout(hvcC: Uint8Array): SampleLayout {
  const configuration = parseHevcConfiguration(hvcC);
  const sets = new HevcParameterSets(configuration);
  return (sample) =>
    layOutNals(sample, configuration.lengthSizeBytes, (nal) => {
      const type = ((nal[0] ?? 0) >> 1) & 0x3f;
      if (type >= HEVC_FIRST_NON_VCL) {
        sets.update([nal]);
        return nal.length;
      }
      const reader = new RbspReader(nal, HEVC_HEADER_BYTES, nal.length);
      const header = parseHevcSliceHeader(reader, type, ((nal[1] ?? 0) & 7) - 1, sets);
      // Headers of such extensions are not parsed to their end.
      if (header === undefined || header.pps.hasFurtherExtensions) throw notUnderstood(type);
      return headerEnd(nal, HEVC_HEADER_BYTES, reader);
    });
}

function layOutNals(
  sample: Uint8Array,
  lengthSizeBytes: number,
  clearBytesOf: (nal: Uint8Array) => number,
): readonly Subsample[] {
  const nals = splitSample(sample, lengthSizeBytes);
  if (nals === undefined) throw new ReelmillError("MEDIA_MALFORMED", "A picture's NAL units do not add up to it.");
  const subsamples = new SubsampleList();
  for (const nal of nals) {
    const clearBytes = clearBytesOf(nal);
    subsamples.clear(lengthSizeBytes + clearBytes);
    subsamples.protect(nal.length - clearBytes);
  }
  return subsamples.finish();
}

/** Where the byte ends that the last bit read lies in. */
function headerEnd(nal: Uint8Array, headerBytes: number, reader: RbspReader): number {
  return headerBytes + escapedLength(nal, headerBytes, Math.ceil(reader.payloadBitsRead / 8));
}

function notUnderstood(type: number): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `The header of a slice, a NAL unit of type ${type}, is not understood.`);
}
