import { ReelmillError } from "../../base/errors.ts";

/** The VP codec configuration record (VP Codec ISO Media File Format Binding §2.2). */
export interface Vp9Configuration {
  /** 0 to 3. */
  readonly profile: number;
  /** Level times ten. */
  readonly level: number;
  /** 8, 10 or 12. */
  readonly bitDepth: number;
}

/** Parses the payload of a `vpcC` box, version and flags included. Throws MEDIA_MALFORMED where it is cut short. */
export function parseVp9Configuration(payload: Uint8Array): Vp9Configuration {
  const [, , , , profile, level, format] = payload;
  if (profile === undefined || level === undefined || format === undefined || profile > 3) {
    throw new ReelmillError("MEDIA_MALFORMED", `vpcC: ${payload.length} bytes that are not a configuration record.`);
  }
  return { profile, level, bitDepth: format >>> 4 };
}
