import type { Vp9Configuration } from "../vp9/configuration.ts";
import { twoDigits } from "./hex.ts";

/** `vp09.PP.LL.DD` (VP Codec ISO Media File Format Binding, codecs parameter string): profile, level, bit depth. */
export function vp9CodecString({ profile, level, bitDepth }: Vp9Configuration): string {
  return `vp09.${twoDigits(profile)}.${twoDigits(level)}.${twoDigits(bitDepth)}`;
}
