import { ReelmillError } from "../../base/errors.ts";
import type { SampleEntry } from "../isobmff/movie.ts";
import type { TrackEncryption } from "../isobmff/tenc.ts";
import { createAv1Layout } from "./av1-layout.ts";
import { PICTURE_PATTERN, SOUND_PATTERN } from "./block-pattern.ts";
import { createAvcLayout, createHevcLayout } from "./nal-layout.ts";
import type { SampleLayout } from "./subsample-list.ts";

/** How the samples of a track are to be encrypted by the scheme cbcs. */
export interface SampleProtection {
  readonly pattern: Pick<TrackEncryption, "cryptBlocks" | "skipBlocks">;
  /** Undefined: all of each sample is protected, which needs no telling. */
  readonly layout: SampleLayout | undefined;
}

/** By the sample entry's fourcc: the box of the configuration, and what makes a layout of its payload. */
const PICTURES: Readonly<Record<string, readonly [box: string, create: (payload: Uint8Array) => SampleLayout]>> = {
  avc1: ["avcC", createAvcLayout],
  avc3: ["avcC", createAvcLayout],
  hvc1: ["hvcC", createHevcLayout],
  hev1: ["hvcC", createHevcLayout],
  av01: ["av1C", createAv1Layout],
};

/** For H.264, HEVC and AV1, and AAC. Throws MEDIA_MALFORMED for other entries, and where the configuration is broken. */
export function planSampleProtection({ format, children }: SampleEntry): SampleProtection {
  if (format === "mp4a") return { pattern: SOUND_PATTERN, layout: undefined };
  const [box = "", create] = PICTURES[format] ?? [];
  const configuration = children.get(box);
  if (create !== undefined && configuration !== undefined) {
    return { pattern: PICTURE_PATTERN, layout: create(configuration) };
  }
  throw new ReelmillError("MEDIA_MALFORMED", `Samples of ${format} cannot be encrypted one by one.`);
}
