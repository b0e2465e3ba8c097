import { ReelmillError } from "../../base/errors.ts";

/** The avcC record of a sample entry (ISO/IEC 14496-15 §5.3.3.1). NAL units are whole, header byte first. */
export interface AvcConfiguration {
  readonly profileIdc: number;
  /** The constraint_set flags as one byte, constraint_set0_flag highest. */
  readonly profileCompatibility: number;
  readonly levelIdc: number;
  /** Bytes of the length before each NAL unit, 1–4 (3 is reserved but readable). */
  readonly lengthSizeBytes: number;
  readonly spsNals: readonly Uint8Array[];
  readonly ppsNals: readonly Uint8Array[];
}

/**
 * Parses the payload of an avcC box. The bytes after the PPSs (chroma format, bit depths, SPS extensions) repeat
 * what the SPS says and are passed over. Throws MEDIA_MALFORMED where a count or length runs past the payload.
 */
export function parseAvcConfiguration(payload: Uint8Array): AvcConfiguration {
  if (payload.length < 7) throw tooShort(payload.length, 7);
  const [version = 0, profileIdc = 0, profileCompatibility = 0, levelIdc = 0, lengthByte = 0, spsByte = 0] = payload;
  if (version !== 1) {
    throw new ReelmillError("MEDIA_MALFORMED", `avcC: configurationVersion is ${version}; only 1 is defined.`);
  }
  const spsNals: Uint8Array[] = [];
  let index = readNals(payload, 6, spsByte & 0x1f, spsNals);
  const ppsNals: Uint8Array[] = [];
  if (index >= payload.length) throw tooShort(payload.length, index + 1);
  index = readNals(payload, index + 1, payload[index] as number, ppsNals);
  return {
    profileIdc,
    profileCompatibility,
    levelIdc,
    lengthSizeBytes: (lengthByte & 3) + 1,
    spsNals,
    ppsNals,
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
  return new ReelmillError("MEDIA_MALFORMED", `avcC: ${actual} bytes are there, at least ${wanted} are needed.`);
}
