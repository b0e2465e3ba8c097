import { z } from "zod";
import { describeIssue } from "../base/describe-issue.ts";
import { ReelmillError } from "../base/errors.ts";
import prices from "./prices.json" with { type: "json" };

/** Every price that an estimate may need. */
export const PRICE_NAMES = [
  "fargate.vcpuHour",
  "fargate.memoryGbHour",
  "fargate.storageGbHour",
  "fargateSpot.vcpuHour",
  "fargateSpot.memoryGbHour",
  "ec2.g4dnXlargeHour",
  "ec2Spot.g4dnXlargeHour",
  "ebs.gp3GbMonth",
  "s3.storageGbMonth",
  "s3.putRequest",
  "s3.getRequest",
  "dynamodb.writeUnit",
  "dynamodb.readUnit",
  "sqs.request",
  "lambda.request",
  "lambda.gbSecond",
  "transfer.outGb",
  "vpc.endpointHour",
  "mediaConvert.basicMinute",
  "mediaConvert.professionalMinute",
] as const;

/** One of `PRICE_NAMES`. */
export type PriceName = (typeof PRICE_NAMES)[number];

const DATE = z.iso.date().describe("Day of which it is known; not that until which it holds.");
const ADDRESS = z.url({ protocol: /^https?$/ }).max(500);

const ORIGIN = {
  asOf: DATE,
  source: ADDRESS.describe("Where it is published."),
  seenAt: ADDRESS.optional().describe("Where it was read, if not there."),
  note: z.string().max(500).optional(),
};

const PRICE = z.strictObject({
  usd: z.number().min(0).max(1_000_000),
  per: z.string().min(1).max(200).describe("Unit that it is paid for."),
  region: z.string().min(1).max(40),
  ...ORIGIN,
});

/** One price, and where it comes from. */
export type Price = z.output<typeof PRICE>;

const FACTOR = z.number().positive().max(1000);

const CODECS = ["h264", "hevc", "vp9", "av1"] as const;

const TIER_FACTORS = z.strictObject({ basic: FACTOR.optional(), professional: FACTOR.optional() });

const MEDIA_CONVERT = z.strictObject({
  multipliers: z.strictObject({
    codec: z.partialRecord(z.enum(CODECS), TIER_FACTORS).describe("By tier; what is left out is not known."),
    resolution: z.strictObject({ sd: FACTOR, hd: FACTOR, uhd: FACTOR }),
    frameRate: z.strictObject({ upTo30: FACTOR, upTo60: FACTOR, upTo120: FACTOR }),
  }),
  ...ORIGIN,
});

const TABLE = z.strictObject({
  schema: z.literal(1),
  currency: z.literal("USD"),
  // Null takes one away, so that an estimate tells that it lacks it.
  prices: z.partialRecord(z.enum(PRICE_NAMES), PRICE.nullable()).default({}),
  mediaConvert: MEDIA_CONVERT.optional(),
});

/** How AWS Elemental MediaConvert makes normalized minutes of minutes. */
export type MediaConvertFactors = z.output<typeof MEDIA_CONVERT>;

/** The prices that an estimate is made with. */
export interface PriceTable {
  readonly prices: Readonly<Partial<Record<PriceName, Price>>>;
  readonly mediaConvert: MediaConvertFactors;
}

const SHIPPED = TABLE.required({ mediaConvert: true }).parse(prices);

/** The table that Reelmill comes with. */
export function shippedPrices(): PriceTable {
  return { prices: withoutNulls(SHIPPED.prices), mediaConvert: SHIPPED.mediaConvert };
}

/**
 * The shipped table with the prices in place that a document of the same form has; null takes one away. `origin` names the document. Throws
 * CONFIG_INVALID naming what is wrong with it.
 */
export function overridePrices(given: unknown, origin: string): PriceTable {
  const parsed = TABLE.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      (issue) => `${issue.path.join(".") || "it"}: ${describeIssue(issue, given)}`,
    );
    throw new ReelmillError("CONFIG_INVALID", `${origin} is no price table: ${faults.slice(0, 10).join("; ")}.`);
  }
  const { prices: own, mediaConvert } = parsed.data;
  return {
    prices: withoutNulls({ ...SHIPPED.prices, ...own }),
    mediaConvert: mediaConvert ?? SHIPPED.mediaConvert,
  };
}

function withoutNulls(table: z.output<typeof TABLE>["prices"]): PriceTable["prices"] {
  return Object.fromEntries(Object.entries(table).filter(([, price]) => price !== null)) as PriceTable["prices"];
}
