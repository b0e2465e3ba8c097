import { parseAvcConfiguration } from "../media/h264/avc-configuration.ts";
import { isAvcSlice } from "../media/h264/nal-unit.ts";
import { parseHevcConfiguration } from "../media/hevc/hevc-configuration.ts";
import { detachHevcPicture, isHevcSlice } from "../media/hevc/nal-unit.ts";
import type { SampleEntry } from "../media/isobmff/movie.ts";

/** The NAL units of one picture. */
export type Picture = readonly Uint8Array[];

/** How a track of H.264 or HEVC is made up of NAL units. */
export interface NalFormat {
  /** As ffmpeg names the byte stream. */
  readonly format: "h264" | "hevc";
  /** Bytes of the length before each NAL unit, 1–4. */
  readonly lengthSizeBytes: number;
  /** NAL units of the configuration, as a decoder wants them first. */
  readonly parameterSets: readonly Uint8Array[];
  readonly isSlice: (nal: Uint8Array) => boolean;
  /** The picture as it can stand behind pictures that do not belong to it; undefined where it needs earlier ones. */
  readonly detach: (picture: Picture) => Picture | undefined;
}

/** What a sample entry says of its NAL units; undefined for other codecs, and where its configuration cannot be read. */
export function nalFormatOf(entry: SampleEntry | undefined): NalFormat | undefined {
  const avcC = entry?.children.get("avcC");
  const hvcC = entry?.children.get("hvcC");
  try {
    if (avcC) {
      const { lengthSizeBytes, spsNals, ppsNals } = parseAvcConfiguration(avcC);
      const parameterSets = [...spsNals, ...ppsNals];
      return { format: "h264", lengthSizeBytes, parameterSets, isSlice: isAvcSlice, detach: (picture) => picture };
    }
    if (!hvcC) return undefined;
    const { lengthSizeBytes, vpsNals, spsNals, ppsNals } = parseHevcConfiguration(hvcC);
    const parameterSets = [...vpsNals, ...spsNals, ...ppsNals];
    return { format: "hevc", lengthSizeBytes, parameterSets, isSlice: isHevcSlice, detach: detachHevcPicture };
  } catch {
    // Without it there is nothing to go by.
    return undefined;
  }
}
