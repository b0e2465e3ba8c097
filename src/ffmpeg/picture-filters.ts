import type { VideoStream } from "./manifest.ts";

/** ffmpeg turns pictures upright before any filter: width and height as filters see them, in samples. */
export function uprightSize({
  widthPixels,
  heightPixels,
  rotationDegrees,
}: Pick<VideoStream, "widthPixels" | "heightPixels" | "rotationDegrees">): {
  readonly width: number;
  readonly height: number;
} {
  return rotationDegrees % 180 === 0
    ? { width: widthPixels, height: heightPixels }
    : { width: heightPixels, height: widthPixels };
}

/** Makes whole pictures of interlaced ones, one for each: of all, or of those that are marked. */
export function deinterlaceFilter(which: "all" | "interlaced"): string {
  return `bwdif=mode=send_frame:deint=${which}`;
}

/** Turn high dynamic range (PQ, HLG) into BT.709. */
export const TONE_MAP_FILTERS: readonly string[] = [
  "zscale=transfer=linear:npl=100",
  "format=gbrpf32le",
  "zscale=primaries=bt709",
  "tonemap=tonemap=hable:desat=0",
  "zscale=transfer=bt709:matrix=bt709:range=tv",
];
