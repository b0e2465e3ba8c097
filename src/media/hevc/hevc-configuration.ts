import { ReelmillError } from "../../base/errors.ts";

/** The hvcC record of a sample entry (ISO/IEC 14496-15 §8.3.3.1). NAL units are whole, header bytes first. */
export interface HevcConfiguration {
  readonly generalProfileIdc: number;
  readonly generalLevelIdc: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Bytes of the length before each NAL unit, 1–4 (3 is reserved but readable). */
  readonly lengthSizeBytes: number;
  readonly vpsNals: readonly Uint8Array[];
  readonly spsNals: readonly Uint8Array[];
  readonly ppsNals: readonly Uint8Array[];
  /** SEI and whatever else is there. */
  readonly otherNals: readonly Uint8Array[];
}

const FIXED_BYTES = 23;
const VPS = 32;
const SPS = 33;
const PPS = 34;

/** Parses the payload of an hvcC box. Throws MEDIA_MALFORMED where a count or length runs past the payload. */
export function parseHevcConfiguration(payload: Uint8Array): HevcConfiguration {
  if (payload.length < FIXED_BYTES) throw tooShort(payload.length, FIXED_BYTES);
  const at = (index: number): number => payload[index] as number;
  // Version 0 was written before the format was final and reads the same.
  if (at(0) > 1)
    throw new ReelmillError("MEDIA_MALFORMED", `hvcC: configurationVersion is ${at(0)}; only 1 is defined.`);
  const vpsNals: Uint8Array[] = [];
  const spsNals: Uint8Array[] = [];
  const ppsNals: Uint8Array[] = [];
  const otherNals: Uint8Array[] = [];
  let index = FIXED_BYTES;
  for (let array = 0; array < at(22); array++) {
    if (index + 3 > payload.length) throw tooShort(payload.length, index + 3);
    const type = at(index) & 0x3f;
    const count = (at(index + 1) << 8) | at(index + 2);
    const nals = type === VPS ? vpsNals : type === SPS ? spsNals : type === PPS ? ppsNals : otherNals;
    index = readNals(payload, index + 3, count, nals);
  }
  return {
    generalProfileIdc: at(1) & 0x1f,
    generalLevelIdc: at(12),
    chromaFormatIdc: at(16) & 3,
    bitDepthLuma: 8 + (at(17) & 7),
    bitDepthChroma: 8 + (at(18) & 7),
    lengthSizeBytes: (at(21) & 3) + 1,
    vpsNals,
    spsNals,
    ppsNals,
    otherNals,
  };
}

/** Reads `count` NAL units with 16-bit lengths into `nals` and returns the index after them. */
function readNals(payload: Uint8Array, startIndex: number, count: number, nals: Uint8Array[]): number {
  let index = startIndex;
  for (let done = 0; done < count; done++) {
    if (index + 2 > payload.length) throw tooShort(payload.length, index + 2);
    const endIndex = index + 2 + (((payload[index] as number) << 8) | (payload[index + 1] as number));
    if (endIndex > payload.length) throw tooShort(payload.length, endIndex);
    nals.push(payload.slice(index + 2, endIndex));
    index = endIndex;
  }
  return index;
}

function tooShort(actual: number, wanted: number): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `hvcC: ${actual} bytes are there, at least ${wanted} are needed.`);
}
