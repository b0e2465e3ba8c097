import type { AvcConfiguration } from "../h264/avc-configuration.ts";
import { hexByte } from "./hex.ts";

/**
 * `avc1.PPCCLL` (RFC 6381 §3.3): profile_idc, constraint flags and level_idc of the configuration or SPS; `avc3` where the
 * sample entry is that.
 */
export function avcCodecString(
  configuration: Pick<AvcConfiguration, "profileIdc" | "profileCompatibility" | "levelIdc">,
  format: "avc1" | "avc3" = "avc1",
): string {
  const { profileIdc, profileCompatibility, levelIdc } = configuration;
  return `${format}.${hexByte(profileIdc)}${hexByte(profileCompatibility)}${hexByte(levelIdc)}`;
}
