import { ReelmillError } from "../../base/errors.ts";
import { twoDigits } from "./hex.ts";

/**
 * `av01.P.LLT.DD` (AV1-ISOBMFF §5) out of an av1C box's payload: profile, level and tier, bit depth. The optional fields are
 * left out, as they may be where all have their defaults; what they say of colour stands in VIDEO-RANGE and `colr`. Throws
 * MEDIA_MALFORMED where the payload is no version 1 record.
 */
export function av1CodecString(payload: Uint8Array): string {
  const [marker, profileLevel, flags] = payload;
  if (marker !== 0x81 || profileLevel === undefined || flags === undefined) {
    throw new ReelmillError("MEDIA_MALFORMED", `av1C: ${payload.length} bytes that are not a version 1 record.`);
  }
  const tier = (flags & 0x80) === 0 ? "M" : "H";
  const isHighDepth = (flags & 0x40) !== 0;
  const isTwelveBit = (flags & 0x20) !== 0;
  const depth = isHighDepth ? (isTwelveBit ? 12 : 10) : 8;
  return `av01.${profileLevel >> 5}.${twoDigits(profileLevel & 31)}${tier}.${twoDigits(depth)}`;
}
