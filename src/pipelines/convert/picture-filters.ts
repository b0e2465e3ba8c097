import type { VideoStream } from "../../ffmpeg/manifest.ts";
import {
  planDeinterlacing,
  planMatrix,
  planRange,
  shownSize,
  TONE_MAP_FILTERS,
  type UprightShape,
  uprightShape,
} from "../../ffmpeg/picture-filters.ts";
import type { ConvertSettings } from "./options.ts";

/** Filters in their order; empty where nothing is to be changed. */
export interface PictureFilters {
  /** What brings full range to the limited one, before all others; alone it is no reason to encode. */
  readonly range: readonly string[];
  /** Those that look at neighbouring pictures, and what they need. */
  readonly context: readonly string[];
  /** Those of single pictures. */
  readonly picture: readonly string[];
  /** Of the pictures behind them, upright, in samples. */
  readonly size: { readonly width: number; readonly height: number };
  readonly findings: readonly string[];
}

/** What is done to the pictures of a stream besides encoding them. */
export function chooseFilters(video: VideoStream, settings: ConvertSettings): PictureFilters {
  const { deinterlace, frameRate, toneMap } = settings;
  const whole = planDeinterlacing(video, deinterlace);
  const matrix = planMatrix(video);
  const context = [...matrix.filters, ...whole.filters];
  const picture: string[] = [];
  const findings = [...matrix.findings, ...whole.findings];
  if (frameRate !== undefined) context.push(`fps=${frameRate}`);
  if (toneMap && video.isHdr) {
    picture.push(...TONE_MAP_FILTERS);
    findings.push("High dynamic range was turned into BT.709 (hable).");
  } else if (toneMap) {
    findings.push("The pictures have standard range already: toneMap changes nothing.");
  }
  const shape = uprightShape(video);
  const { width, height, sampleAspect } = shape;
  let size = { width, height };
  const scaled = scaledSize(shape, settings);
  if (scaled === undefined && factorOf(shape, settings) > 1 && hasBounds(settings)) {
    const shown = shownSize(shape);
    const are = shown.width === width ? "are" : "are shown";
    findings.push(
      `The pictures stay as small as they ${are}, ${Math.round(shown.width)}x${height}; upscale makes them larger.`,
    );
  }
  if (scaled !== undefined) {
    size = scaled;
    picture.push(`scale=${scaled.width}:${scaled.height}:flags=lanczos`);
    // Rounding to whole pixels is no change of shape.
    picture.push(`setsar=${sampleAspect.numerator}/${sampleAspect.denominator}`);
  } else if (needsEvenSides(settings) && (width % 2 === 1 || height % 2 === 1)) {
    const [right, bottom] = [width % 2, height % 2];
    size = { width: width + right, height: height + bottom };
    picture.push(`pad=${size.width}:${size.height}:0:0`, `fillborders=right=${right}:bottom=${bottom}:mode=smear`);
    const sizes = `the last line was repeated, for ${size.width}x${size.height}`;
    findings.push(`${width}x${height} has an odd side, which its encoder does not take: ${sizes}.`);
  }
  return { range: planRange(video).filters, context, picture, size, findings };
}

/** Full range, which pictures of 8 bits do not keep, and high dynamic range that is kept where there are too few bits for it. */
export function describeRange(video: VideoStream, { toneMap }: ConvertSettings, bitDepth: 8 | 10): readonly string[] {
  const range = video.colour.transfer === "smpte2084" ? "PQ" : "HLG";
  const high = `The pictures keep their high dynamic range (${range}) in 8 bits, which shows bands, and few players take; toneMap turns them into BT.709.`;
  return [...planRange(video).findings, ...(video.isHdr && !toneMap && bitDepth === 8 ? [high] : [])];
}

/** What x264, x265 and SVT-AV1 do not take; libaom and libvpx do. */
function needsEvenSides({ to, speed }: ConvertSettings): boolean {
  return to === "h264" || to === "hevc" || (to === "av1" && speed === "fast");
}

type SizeSettings = Pick<ConvertSettings, "width" | "height" | "upscale">;

function hasBounds({ width, height }: SizeSettings): boolean {
  return width !== undefined || height !== undefined;
}

/** What the sides are multiplied with to be shown as large as they may; infinite where nothing bounds them. */
function factorOf(shape: UprightShape, { width: widest, height: highest }: SizeSettings): number {
  const { width, height } = shownSize(shape);
  return Math.min((widest ?? Number.POSITIVE_INFINITY) / width, (highest ?? Number.POSITIVE_INFINITY) / height);
}

/** The even number, 2 at least, that is nearest and not above the bound. */
function nearestEven(side: number, bound = Number.POSITIVE_INFINITY): number {
  const nearest = 2 * Math.round(side / 2);
  return Math.max(2, nearest > bound ? nearest - 2 : nearest);
}

/** In samples, whose shape stays; undefined where the size stays. Sides of 4:2:0 are even. */
export function scaledSize(
  shape: UprightShape,
  settings: SizeSettings,
): { readonly width: number; readonly height: number } | undefined {
  const factor = factorOf(shape, settings);
  if (!hasBounds(settings) || factor === 1 || (factor > 1 && !settings.upscale)) return undefined;
  const { width: widest, height: highest } = settings;
  const { numerator, denominator } = shape.sampleAspect;
  return {
    width: nearestEven(shape.width * factor, widest && (widest * denominator) / numerator),
    height: nearestEven(shape.height * factor, highest),
  };
}
