import { ReelmillError } from "../../base/errors.ts";
import type { SampleEntry } from "../isobmff/movie.ts";
import type { TrackEncryption } from "../isobmff/tenc.ts";
import { createAv1Layout } from "./av1-layout.ts";
import { createAvcLayout, createHevcLayout } from "./nal-layout.ts";
import type { SampleLayout } from "./subsample-list.ts";

/** How the samples of a track are to be encrypted by the scheme cbcs. */
export interface SampleProtection {
  readonly pattern: Pick<TrackEncryption, "cryptBlocks" | "skipBlocks">;
  /** Undefined: all of each sample is protected, which needs no telling. */
  readonly layout: SampleLayout | undefined;
}

/** One block of ten, as HLS has it for pictures (RFC 8216bis §4.4.4.4 by way of ISO/IEC 23001-7 §10.4.2). */
const PICTURE_PATTERN = { cryptBlocks: 1, skipBlocks: 9 };
/** Every block, ISO/IEC 23001-7 §10.4.2: whole-block full sample encryption. */
const SOUND_PATTERN = { cryptBlocks: 0, skipBlocks: 0 };

/** For H.264, HEVC and AV1, and AAC. Throws MEDIA_MALFORMED for other entries, and where the configuration is broken. */
export function planSampleProtection({ format, children }: SampleEntry): SampleProtection {
  const configuration = children.get(CONFIGURATIONS[format] ?? "");
  switch (configuration && format) {
    case "avc1":
    case "avc3":
      return { pattern: PICTURE_PATTERN, layout: createAvcLayout(configuration as Uint8Array) };
    case "hvc1":
    case "hev1":
      return { pattern: PICTURE_PATTERN, layout: createHevcLayout(configuration as Uint8Array) };
    case "av01":
      return { pattern: PICTURE_PATTERN, layout: createAv1Layout(configuration as Uint8Array) };
    case "mp4a":
      return { pattern: SOUND_PATTERN, layout: undefined };
    default:
      throw new ReelmillError("MEDIA_MALFORMED", `Samples of ${format} cannot be encrypted one by one.`);
  }
}

const CONFIGURATIONS: Readonly<Record<string, string>> = {
  avc1: "avcC",
  avc3: "avcC",
  hvc1: "hvcC",
  hev1: "hvcC",
  av01: "av1C",
  mp4a: "esds",
};
