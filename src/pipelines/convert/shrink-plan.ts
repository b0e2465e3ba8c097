import { ReelmillError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { qualityRange } from "../../ffmpeg/software-encoders.ts";
import type { ConversionPlan } from "./conversion.ts";
import { atQuality } from "./plan-encoder.ts";
import { qualityUnit } from "./search.ts";

/** Of the size aimed at, what is left free, for the slope is not quite straight. */
const MARGIN = 0.01;

/**
 * The plan at a quality that makes the file small enough, from what the first one came to: `outputBytes` in all, `pictureBytes` of them
 * of pictures. Undefined where it is small enough. Throws TARGET_UNREACHABLE.
 */
export function shrinkPlan(
  plan: ConversionPlan,
  outputBytes: number,
  pictureBytes: number,
): { readonly plan: ConversionPlan; readonly quality: number } | undefined {
  const { video, search, maxBytes } = plan;
  if (maxBytes === null || outputBytes <= maxBytes || search === null || video.kind === "copy") return undefined;
  const room = maxBytes * (1 - MARGIN) - (outputBytes - pictureBytes);
  const unit = qualityUnit(video, "size");
  const steps = room <= 0 ? Number.POSITIVE_INFINITY : Math.log(pictureBytes / room) / search.sizeLogPerQuality / unit;
  const quality = search.quality + Math.ceil(steps) * unit;
  if (quality > qualityRange(video.codec).last) {
    const problem = `targetSize is ${formatBytes(maxBytes)}; at quality ${search.quality}, ${formatBytes(outputBytes)} came out, and none is low enough.`;
    throw new ReelmillError("TARGET_UNREACHABLE", problem, { advice: "Give a larger size or smaller pictures." });
  }
  return { plan: { ...plan, video: { ...video, encoder: atQuality(video.encoder, quality) } }, quality };
}
