import type { BitReader } from "../bytes/bit-reader.ts";

/** profile_tier_level(), the general part (ITU-T H.265 §7.3.3). */
export interface HevcProfile {
  readonly generalProfileIdc: number;
  /** 30 times the level number. */
  readonly generalLevelIdc: number;
}

/** Parses profile_tier_level(1, maxSubLayersMinus1). Throws MEDIA_MALFORMED where the bits run out. */
export function parseProfileTierLevel(reader: BitReader, maxSubLayersMinus1: number): HevcProfile {
  reader.skip(3); // general_profile_space, general_tier_flag
  const generalProfileIdc = reader.bits(5);
  reader.skip(32 + 4 + 43 + 1);
  const generalLevelIdc = reader.bits(8);
  const flags: (readonly [boolean, boolean])[] = [];
  for (let index = 0; index < maxSubLayersMinus1; index++) flags.push([reader.flag(), reader.flag()]);
  if (maxSubLayersMinus1 > 0) reader.skip(2 * (8 - maxSubLayersMinus1));
  for (const [hasProfile, hasLevel] of flags) reader.skip((hasProfile ? 88 : 0) + (hasLevel ? 8 : 0));
  return { generalProfileIdc, generalLevelIdc };
}
