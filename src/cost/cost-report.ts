import { z } from "zod";

const USD_OR_NULL = z
  .number()
  .nullable()
  .describe("US dollars; null where a price is missing without which it would mean nothing.");

const SUM = z.object({ spotUsd: USD_OR_NULL, onDemandUsd: USD_OR_NULL });

const LINE = z.object({
  group: z.enum(["compute", "requests", "storage"]),
  name: z.string(),
  quantity: z.number(),
  unit: z.string(),
  spotUsd: USD_OR_NULL,
  onDemandUsd: USD_OR_NULL,
});

const TIER = z.object({
  tier: z.enum(["basic", "professional"]),
  normalizedMinutes: z.number().nullable(),
  usd: USD_OR_NULL,
  reason: z.string().describe("Why there is no price; empty where there is one."),
});

/** What a job would cost, or did cost, on AWS: what the interface answers with and `--json` prints. */
export const COST_REPORT = z.object({
  schema: z.literal(1),
  kind: z.enum(["estimate", "actual"]),
  pipeline: z.string(),
  variant: z.string().describe("Jobs with the same word take equally long for equal recordings."),
  prices: z.object({
    regions: z.array(z.string()).describe("Of the prices used; several where the table has none of one region alone."),
    oldest: z.string().describe("Day of which the oldest of them is known."),
    newest: z.string(),
  }),
  input: z.object({ files: z.number(), bytes: z.number(), seconds: z.number().nullable() }),
  resources: z.string().describe("What the job runs on."),
  seconds: z.number().describe("For how long it has that, its start included."),
  basis: z.string().describe("Where the time comes from."),
  lines: z.array(LINE),
  job: SUM.describe("Compute and requests of one job."),
  storageMonth: SUM.describe("Of its recordings and outputs, for each month that they are kept."),
  month: z
    .object({ jobs: z.number(), jobsSum: SUM, storage: SUM, total: SUM })
    .nullable()
    .describe("Of so many jobs a month, each one's objects kept for a month; null where it was not asked for."),
  mediaConvert: z.array(TIER).describe("AWS Elemental MediaConvert's list price; none where it has no such service."),
  notIncluded: z.array(z.string()),
  notes: z.array(z.string()),
});

/** An estimate, or why there is none: that nobody can tell is an answer, too. */
export const ESTIMATE = z.object({
  estimate: COST_REPORT.nullable(),
  reason: z.string().nullable().describe("Why there is no estimate; null where there is one."),
});

/** What a job would cost, or did cost, on AWS. */
export type CostReport = z.output<typeof COST_REPORT>;
