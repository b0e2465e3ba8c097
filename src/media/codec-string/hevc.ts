import { ReelmillError } from "../../base/errors.ts";

/** configurationVersion, profile space, tier and profile, 4 bytes of compatibility flags, 6 of constraint flags, level. */
const NEEDED_BYTES = 13;
const PROFILE_SPACES = ["", "A", "B", "C"] as const;

/**
 * `hvc1.…` or `hev1.…` (ISO/IEC 14496-15 §E.3) out of an hvcC box's payload: profile space and idc, the compatibility flags
 * with their bits reversed, tier and level, then the constraint bytes up to the last that is not 0. Throws MEDIA_MALFORMED
 * where the payload is cut short.
 */
export function hevcCodecString(payload: Uint8Array, format: "hvc1" | "hev1" = "hvc1"): string {
  if (payload.length < NEEDED_BYTES) {
    const problem = `hvcC: ${payload.length} bytes are there, at least ${NEEDED_BYTES} are needed.`;
    throw new ReelmillError("MEDIA_MALFORMED", problem);
  }
  return hevcCodecStringOfProfile(payload.subarray(1, NEEDED_BYTES), format);
}

/**
 * The same out of the general part of profile_tier_level() (ITU-T H.265 §7.3.3): its first 12 bytes, from
 * general_profile_space to general_level_idc, emulation prevention taken out.
 */
export function hevcCodecStringOfProfile(profile: Uint8Array, format: "hvc1" | "hev1" = "hvc1"): string {
  const at = (index: number): number => profile[index] ?? 0;
  const space = PROFILE_SPACES[at(0) >> 6] ?? "";
  const tier = (at(0) & 0x20) === 0 ? "L" : "H";
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) {
    if (((at(1 + (bit >> 3)) >> (7 - (bit & 7))) & 1) === 1) reversed += 2 ** bit;
  }
  const constraints = [5, 6, 7, 8, 9, 10].map(at);
  while (constraints.at(-1) === 0) constraints.pop();
  const parts = [
    format,
    `${space}${at(0) & 0x1f}`,
    reversed.toString(16).toUpperCase(),
    `${tier}${at(11)}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ];
  return parts.join(".");
}
