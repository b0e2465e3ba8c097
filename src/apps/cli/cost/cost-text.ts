import { printableLine } from "../../../base/printable.ts";
import { formatCount, formatElapsedMs } from "../../../base/units.ts";
import type { CostReport } from "../../../cost/cost-report.ts";
import { formatTable } from "../table.ts";

const AMOUNTS = [
  { title: "US dollars" },
  { title: "spot", align: "right" },
  { title: "on demand", align: "right" },
] as const;

/** A cost report for people. */
export function formatCost(report: CostReport): string {
  const { lines } = report;
  const columns = [...AMOUNTS, { title: "for", align: "right" }, { title: "" }] as const;
  const rows = lines.map(({ name, spotUsd, onDemandUsd, quantity, unit }) => [
    `  ${name}`,
    formatUsd(spotUsd),
    formatUsd(onDemandUsd),
    formatQuantity(quantity),
    unit,
  ]);
  return [
    heading(report),
    formatTable(AMOUNTS, sumRows(report)),
    formatTable(columns, rows),
    formatMediaConvert(report),
    remarks(report),
  ].join("\n");
}

/** A cost report, and what MediaConvert asks for the same pictures. */
export function formatComparison(report: CostReport): string {
  const { job, mediaConvert } = report;
  const columns = [
    { title: "" },
    { title: "US dollars", align: "right" },
    { title: "to Reelmill on spot", align: "right" },
    { title: "to it on demand", align: "right" },
  ] as const;
  const against = (usd: number | null): readonly string[] => [
    formatRatio(usd, job.spotUsd),
    formatRatio(usd, job.onDemandUsd),
  ];
  const row = (name: string, usd: number | null) => [name, formatUsd(usd), ...against(usd)];
  const rows = [
    row("Reelmill, spot", job.spotUsd),
    row("Reelmill, on demand", job.onDemandUsd),
    ...mediaConvert.map(({ tier, usd }) => row(`MediaConvert, ${tier} tier`, usd)),
  ];
  return [heading(report), formatTable(columns, rows), formatMediaConvert(report), remarks(report)].join("\n");
}

/** A cost in one sentence, without its stop. */
export function summarizeCost({ job, mediaConvert }: CostReport): string {
  const listed = mediaConvert.find(({ usd }) => usd !== null);
  const other =
    listed === undefined ? "" : `; MediaConvert's list price is ${formatUsd(listed.usd)} (${listed.tier} tier)`;
  return `On AWS about ${formatUsd(job.spotUsd)} on spot, ${formatUsd(job.onDemandUsd)} on demand${other}`;
}

function heading({ kind, pipeline, variant, resources, seconds, input }: CostReport): string {
  const what = variant === "" ? pipeline : `${pipeline} (${variant})`;
  const verb = kind === "estimate" ? "would take" : "would have taken";
  const line = `${what} of ${formatCount(input.files, "file")} ${verb} ${formatElapsedMs(seconds * 1000)} on ${resources}`;
  return `${printableLine(line)}\n`;
}

function sumRows({ job, storageMonth, month }: CostReport): readonly (readonly string[])[] {
  const row = (name: string, { spotUsd, onDemandUsd }: CostReport["job"]) => [
    name,
    formatUsd(spotUsd),
    formatUsd(onDemandUsd),
  ];
  return [
    row("one job", job),
    row("its objects, each month", storageMonth),
    ...(month === null
      ? []
      : [row(`${formatQuantity(month.jobs)} such jobs a month, objects kept a month`, month.total)]),
  ];
}

function formatMediaConvert({ mediaConvert }: CostReport): string {
  if (mediaConvert.length === 0) return "MediaConvert has nothing of this kind to compare with.\n";
  const told = mediaConvert.map(({ tier, usd, normalizedMinutes, reason }) =>
    usd === null || normalizedMinutes === null
      ? `MediaConvert, ${tier} tier: not known, ${reason}.`
      : `MediaConvert, ${tier} tier: ${formatUsd(usd)} for ${formatQuantity(normalizedMinutes)} normalized minutes.`,
  );
  return told.map((line) => `${printableLine(line)}\n`).join("");
}

function remarks({ basis, notes, notIncluded, prices }: CostReport): string {
  const days = prices.oldest === prices.newest ? prices.newest : `${prices.oldest} to ${prices.newest}`;
  const all = [
    basis,
    ...notes,
    ...notIncluded.map((line) => `Not included: ${line}`),
    `Prices: ${prices.regions.join(", ")}, known as of ${days}.`,
  ];
  return all.map((line) => `${printableLine(line)}\n`).join("");
}

const SIGNIFICANT_DIGITS = 3;

/** An amount of money as `$12.34`, below a dollar with three digits that count; `unknown` where there is none. */
export function formatUsd(usd: number | null): string {
  if (usd === null) return "unknown";
  if (usd === 0) return "$0";
  if (usd >= 1) return `$${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${usd.toLocaleString("en", { maximumSignificantDigits: SIGNIFICANT_DIGITS, maximumFractionDigits: 20 })}`;
}

function formatQuantity(quantity: number): string {
  return quantity.toLocaleString("en", {
    maximumSignificantDigits: quantity >= 1000 ? 15 : SIGNIFICANT_DIGITS,
    maximumFractionDigits: quantity >= 1000 ? 0 : 20,
  });
}

function formatRatio(usd: number | null, base: number | null): string {
  return usd === null || base === null || base === 0 ? "" : `${(usd / base).toFixed(2)} ×`;
}
