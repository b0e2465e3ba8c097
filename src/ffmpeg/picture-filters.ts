import type { ColourTags, Ratio, Scan, VideoStream } from "./manifest.ts";

/** Pictures as filters see them. */
export interface UprightShape {
  /** In samples, ≥ 1. */
  readonly width: number;
  readonly height: number;
  /** Width of a sample by its height. */
  readonly sampleAspect: Ratio;
}

/** ffmpeg turns pictures upright before any filter. */
export function uprightShape({
  widthPixels,
  heightPixels,
  sampleAspect,
  rotationDegrees,
}: Pick<VideoStream, "widthPixels" | "heightPixels" | "sampleAspect" | "rotationDegrees">): UprightShape {
  if (rotationDegrees % 180 === 0) return { width: widthPixels, height: heightPixels, sampleAspect };
  const { numerator, denominator } = sampleAspect;
  return {
    width: heightPixels,
    height: widthPixels,
    sampleAspect: { numerator: denominator, denominator: numerator },
  };
}

/** How large they are shown, in square pixels, not rounded: the height stays. */
export function shownSize({ width, height, sampleAspect: { numerator, denominator } }: UprightShape): {
  readonly width: number;
  readonly height: number;
} {
  return { width: (width * numerator) / denominator, height };
}

/**
 * What makes whole pictures of interlaced ones, one for each, and the sentence on that; `auto`: of those that are marked, where there are any. Others pass
 * as they are.
 */
export function planDeinterlacing(
  { scan }: Pick<VideoStream, "scan">,
  when: "auto" | "off" | "on",
): { readonly filters: readonly string[]; readonly findings: readonly string[] } {
  if (when === "off" || (when === "auto" && !hasInterlaced(scan))) return { filters: [], findings: [] };
  const isSome = when === "auto" && scan === "mixed";
  return {
    filters: [`bwdif=mode=send_frame:deint=${when === "on" ? "all" : "interlaced"}`],
    findings: [
      `${isSome ? "Some pictures are interlaced: these" : "The pictures"} were de-interlaced (bwdif), one for each.`,
    ],
  };
}

/** Of interlaced pictures that are encoded as they are. */
export function describeInterlaced(
  { scan }: Pick<VideoStream, "scan">,
  when: "auto" | "off" | "on",
): readonly string[] {
  if (when !== "off" || !hasInterlaced(scan)) return [];
  return [
    scan === "mixed"
      ? "Some pictures are interlaced: these stay so, and are marked as progressive."
      : "The pictures stay interlaced, and are marked as progressive.",
  ];
}

function hasInterlaced(scan: Scan): boolean {
  return scan === "interlaced" || scan === "mixed";
}

/** Of pictures that are encoded: no encoder here keeps it. */
export function describeTransparency({ hasTransparency }: Pick<VideoStream, "hasTransparency">): readonly string[] {
  return hasTransparency ? ["Left out: transparency."] : [];
}

/** Pixels of red, green and blue, in ffmpeg's words, and what it makes them of (palettes, raw sensors, XYZ). */
const RGB_FORMAT = /^(?:gbr|(?:a|0|x2)?(?:rgb|bgr)|pal8|bayer|xyz)/;
/** Through these, ffmpeg 5.1 counts with the matrix of BT.601, whichever is asked for. */
const PALETTE_FORMAT = /^(?:pal8|(?:rgb|bgr)[48](?:_byte)?$)/;

/** What YUV is made of RGB with: the filters, the colours that come out, and the sentence on that. */
export interface MatrixPlan {
  /** Stand before all others: any filter behind them that takes YUV alone would choose a matrix by itself. */
  readonly filters: readonly string[];
  readonly colour: ColourTags;
  /** That comes out, in ffmpeg's words. */
  readonly pixelFormat: string;
  readonly findings: readonly string[];
}

/**
 * RGB gets the matrix of its primaries (BT.2020's, else BT.709, whatever the size) in limited range; by itself ffmpeg takes BT.601 and does not say
 * so. Primaries that are not told are those of sRGB, which are BT.709's. The transfer is not changed. What has a matrix, and grey, stay as they are.
 */
export function planMatrix({
  pixelFormat,
  bitDepth,
  colour,
  isHdr,
}: Pick<VideoStream, "pixelFormat" | "bitDepth" | "colour" | "isHdr">): MatrixPlan {
  if (!RGB_FORMAT.test(pixelFormat)) return { filters: [], colour, pixelFormat, findings: [] };
  const primaries = colour.primaries ?? (isHdr ? "bt2020" : "bt709");
  const isWide = isHdr || primaries === "bt2020";
  const matrix = isWide ? "bt2020nc" : "bt709";
  const made = bitDepth > 8 ? "yuv444p10le" : "yuv444p";
  return {
    filters: [
      ...(PALETTE_FORMAT.test(pixelFormat) ? ["format=gbrp"] : []),
      `scale=out_color_matrix=${isWide ? "bt2020" : "bt709"}:out_range=tv`,
      // The encoder's own 4:2:0 comes last: until then, colours are as sharp as they were.
      `format=${made}`,
      `setparams=range=tv:colorspace=${matrix}${colour.primaries === undefined ? `:color_primaries=${primaries}` : ""}`,
    ],
    pixelFormat: made,
    colour: { ...colour, range: "tv", matrix, primaries },
    findings: [
      `The pictures are RGB (${pixelFormat}): the matrix of ${isWide ? "BT.2020" : "BT.709"} made YUV of them.`,
    ],
  };
}

/** YUV; grey fills the full range, and ffmpeg brings it to the limited one by itself. */
const YUV_FORMAT = /^(?:yuv|nv|uyvy|yvyu)/;

/** What brings full range to the limited one, where pictures are encoded. */
export interface RangePlan {
  /** Stand before all that scale: those would change the range of some sizes alone. */
  readonly filters: readonly string[];
  readonly findings: readonly string[];
}

/**
 * Values of 8 bits that fill the full range come to the limited one: ffmpeg keeps the range until something scales them, and newer ones also where the format
 * tells it (`yuvj420p`). RGB has a plan of its own (`planMatrix`).
 */
export function planRange({
  pixelFormat,
  bitDepth,
  colour,
}: Pick<VideoStream, "pixelFormat" | "bitDepth" | "colour">): RangePlan {
  const isFull = colour.range === "pc" || pixelFormat.startsWith("yuvj");
  if (!isFull || bitDepth > 8 || RGB_FORMAT.test(pixelFormat)) return { filters: [], findings: [] };
  return {
    filters: YUV_FORMAT.test(pixelFormat)
      ? ["scale=out_range=tv", `format=${pixelFormat.replace(/^yuvj/, "yuv")}`]
      : [],
    findings: ["The pictures' full range of values becomes the limited one, which every player takes."],
  };
}

/** Ends the filters of pictures that are saved as JPEG (JFIF) or, in limited range, as WebP: neither has a word for another matrix than BT.601's. */
export function stillMatrixFilter(range: "pc" | "tv"): string {
  return `scale=out_color_matrix=bt601:out_range=${range}`;
}

/** Turn high dynamic range (PQ, HLG) into BT.709. */
export const TONE_MAP_FILTERS: readonly string[] = [
  "zscale=transfer=linear:npl=100",
  "format=gbrpf32le",
  "zscale=primaries=bt709",
  "tonemap=tonemap=hable:desat=0",
  "zscale=transfer=bt709:matrix=bt709:range=tv",
];
