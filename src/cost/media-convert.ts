import type { MediaConvertFactors, PriceTable } from "./price-table.ts";
import type { VideoOutput, Workload } from "./workload.ts";
import { inputSeconds } from "./workload.ts";

/** The tiers that outputs are sold in. */
const TIERS = ["basic", "professional"] as const;

/** One of `TIERS`. */
export type Tier = (typeof TIERS)[number];

/** What AWS Elemental MediaConvert asks for the same pictures, by its list price. */
export interface MediaConvertTier {
  readonly tier: Tier;
  /** Minutes by the factors of codec, size and rate; null where the table lacks one. */
  readonly normalizedMinutes: number | null;
  readonly usd: number | null;
  /** Why there is no price; empty where there is one. */
  readonly reason: string;
}

const MINUTE_SECONDS = 60;
/** Shorter outputs are paid as such. */
const LEAST_SECONDS = 10;

/** Both tiers for the pictures that a workload makes; none where it makes none, as a repair does. */
export function priceByMediaConvert(
  workload: Workload,
  { prices, mediaConvert }: PriceTable,
): readonly MediaConvertTier[] {
  const { outputs } = workload;
  if (outputs.length === 0) return [];
  const seconds = inputSeconds(workload);
  return TIERS.map((tier) => {
    const price = prices[`mediaConvert.${tier}Minute`];
    if (price === undefined) return unknown(tier, `the price table has no mediaConvert.${tier}Minute`);
    if (seconds === null) return unknown(tier, "how long the recordings play is not known");
    const minutes = Math.max(LEAST_SECONDS, Math.ceil(seconds)) / MINUTE_SECONDS;
    let normalizedMinutes = 0;
    for (const output of outputs) {
      const factor = factorOf(output, tier, mediaConvert);
      if (typeof factor === "string") return unknown(tier, factor);
      normalizedMinutes += minutes * factor;
    }
    return { tier, normalizedMinutes, usd: normalizedMinutes * price.usd, reason: "" };
  });
}

function unknown(tier: Tier, reason: string): MediaConvertTier {
  return { tier, normalizedMinutes: null, usd: null, reason };
}

/** Greatest height of each class of sizes, in pixels, itself included. */
const SD_BELOW = 720;
const HD_UP_TO = 1080;
const UHD_UP_TO = 2160;

/** What minutes of an output are multiplied by, or why that is not known. */
function factorOf(
  { codec, heightPixels, widthPixels, framesPerSecond }: VideoOutput,
  tier: Tier,
  { multipliers }: MediaConvertFactors,
): number | string {
  const { resolution, frameRate } = multipliers;
  const ofCodec = multipliers.codec[codec]?.[tier];
  if (ofCodec === undefined) return `the price table has no factor of ${codec} in the ${tier} tier`;
  if (heightPixels === null || widthPixels === null) return "how large the pictures are is not known";
  // Upright pictures are as large as ones that lie.
  const height = Math.min(heightPixels, widthPixels);
  if (height > UHD_UP_TO) return `the price table has no factor of pictures ${height} pixels high`;
  const ofSize = height < SD_BELOW ? resolution.sd : height <= HD_UP_TO ? resolution.hd : resolution.uhd;
  // Most recordings have no more; that it was assumed is told with the estimate.
  const rate = framesPerSecond ?? 30;
  if (rate > 120) return `the price table has no factor of ${rate} pictures a second`;
  const ofRate = rate <= 30 ? frameRate.upTo30 : rate <= 60 ? frameRate.upTo60 : frameRate.upTo120;
  return ofCodec * ofSize * ofRate;
}
