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

/** What makes whole pictures of interlaced ones, one for each, and the sentence on that; `auto`: of those that are marked, where the file says so. */
export function planDeinterlacing(
  { isInterlaced }: Pick<VideoStream, "isInterlaced">,
  when: "auto" | "off" | "on",
): { readonly filters: readonly string[]; readonly findings: readonly string[] } {
  if (when === "off" || (when === "auto" && !isInterlaced)) return { filters: [], findings: [] };
  return {
    filters: [`bwdif=mode=send_frame:deint=${when === "on" ? "all" : "interlaced"}`],
    findings: ["The pictures were de-interlaced (bwdif), one for each."],
  };
}

/** Of interlaced pictures that are encoded as they are. */
export function describeInterlaced(
  { isInterlaced }: Pick<VideoStream, "isInterlaced">,
  when: "auto" | "off" | "on",
): readonly string[] {
  return isInterlaced && when === "off" ? ["The pictures stay interlaced, and are marked as progressive."] : [];
}

/** Turn high dynamic range (PQ, HLG) into BT.709. */
export const TONE_MAP_FILTERS: readonly string[] = [
  "zscale=transfer=linear:npl=100",
  "format=gbrpf32le",
  "zscale=primaries=bt709",
  "tonemap=tonemap=hable:desat=0",
  "zscale=transfer=bt709:matrix=bt709:range=tv",
];
