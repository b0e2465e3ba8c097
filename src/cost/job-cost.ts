import type { PriceName, PriceTable } from "./price-table.ts";
import type { Requests } from "./requests.ts";
import type { Resources } from "./resources.ts";

/** US dollars on both kinds of capacity; null where a price without which it would mean nothing is missing. */
export interface Sum {
  readonly spotUsd: number | null;
  readonly onDemandUsd: number | null;
}

/** One thing that is paid for. */
export interface CostLine extends Sum {
  /** `compute` and `requests` are paid once for each job, `storage` for each month that its objects are kept. */
  readonly group: "compute" | "requests" | "storage";
  readonly name: string;
  readonly quantity: number;
  readonly unit: string;
}

/** What one job uses. */
export interface Usage {
  readonly resources: Resources;
  /** For how long it has them. */
  readonly seconds: number;
  readonly requests: Requests;
  /** Recordings and outputs together. */
  readonly storedBytes: number;
}

/** What one job costs. */
export interface JobCost {
  readonly lines: readonly CostLine[];
  /** Compute and requests. */
  readonly job: Sum;
  /** For each month that recordings and outputs are kept. */
  readonly storageMonth: Sum;
  /** Prices that it was reckoned with. */
  readonly used: readonly PriceName[];
  /** Prices that the table lacks; what they would be paid for is in no sum. */
  readonly missing: readonly PriceName[];
}

/** What a number of jobs in each month costs. */
export interface MonthCost {
  readonly jobs: number;
  readonly jobsSum: Sum;
  /** Of as many jobs' objects as a month brings, each kept for a month. */
  readonly storage: Sum;
  readonly total: Sum;
}

const HOUR_SECONDS = 3600;
const MONTH_HOURS = 730;
/** S3 counts in powers of two. */
const GB = 1024 ** 3;
const GB_OF_MB = 1024;
/** Fargate gives so much disk to every task. */
const FREE_STORAGE_GB = 20;

/** Something used, and the price of its unit on each kind of capacity. */
interface Item extends Pick<CostLine, "group" | "name" | "quantity" | "unit"> {
  readonly spot: PriceName;
  readonly onDemand: PriceName;
}

/** What a job costs by a table. */
export function costOfJob(usage: Usage, { prices }: PriceTable): JobCost {
  const items = [...computeItems(usage), ...requestItems(usage.requests), storageItem(usage.storedBytes)].filter(
    ({ quantity }) => quantity > 0,
  );
  const paid = (name: PriceName, quantity: number): number | null => {
    const price = prices[name];
    return price === undefined ? null : price.usd * quantity;
  };
  const lines = items.map(({ spot, onDemand, ...item }) => ({
    ...item,
    spotUsd: paid(spot, item.quantity),
    onDemandUsd: paid(onDemand, item.quantity),
  }));
  const needed = [...new Set(items.flatMap(({ spot, onDemand }) => [spot, onDemand]))];
  const of = (...groups: readonly CostLine["group"][]) => lines.filter(({ group }) => groups.includes(group));
  return {
    lines,
    job: addSums(sumOf(of("compute"), true), sumOf(of("requests"), false)),
    storageMonth: sumOf(of("storage"), true),
    used: needed.filter((name) => prices[name] !== undefined),
    missing: needed.filter((name) => prices[name] === undefined),
  };
}

/** What so many jobs in each month cost. */
export function costOfMonth({ job, storageMonth }: JobCost, jobs: number): MonthCost {
  const jobsSum = scaleSum(job, jobs);
  const storage = scaleSum(storageMonth, jobs);
  return { jobs, jobsSum, storage, total: addSums(jobsSum, storage) };
}

function computeItems({ resources, seconds }: Usage): readonly Item[] {
  const hours = seconds / HOUR_SECONDS;
  const group = "compute" as const;
  if (resources.kind === "machine") {
    const machine = { spot: "ec2Spot.g4dnXlargeHour", onDemand: "ec2.g4dnXlargeHour" } as const;
    const disk = { spot: "ebs.gp3GbMonth", onDemand: "ebs.gp3GbMonth" } as const;
    const gbMonths = (resources.storageGb * hours) / MONTH_HOURS;
    return [
      { group, name: `machine (${resources.machine})`, quantity: hours, unit: "hours", ...machine },
      { group, name: "the machine's disk", quantity: gbMonths, unit: "GB-months", ...disk },
    ];
  }
  const { vcpu, memoryMb, storageGb } = resources;
  const cores = { spot: "fargateSpot.vcpuHour", onDemand: "fargate.vcpuHour" } as const;
  const memory = { spot: "fargateSpot.memoryGbHour", onDemand: "fargate.memoryGbHour" } as const;
  // Spot is of cores and memory alone.
  const disk = { spot: "fargate.storageGbHour", onDemand: "fargate.storageGbHour" } as const;
  const diskGb = Math.max(0, storageGb - FREE_STORAGE_GB);
  return [
    { group, name: "processors", quantity: vcpu * hours, unit: "vCPU-hours", ...cores },
    { group, name: "memory", quantity: (memoryMb / GB_OF_MB) * hours, unit: "GB-hours", ...memory },
    { group, name: "disk", quantity: diskGb * hours, unit: "GB-hours", ...disk },
  ];
}

function requestItems(requests: Requests): readonly Item[] {
  const { s3Puts, s3Gets, tableWrites, tableReads, queueRequests, functionCalls, functionGbSeconds } = requests;
  const rows: readonly (readonly [string, number, string, PriceName])[] = [
    ["objects written", s3Puts, "requests", "s3.putRequest"],
    ["objects read", s3Gets, "requests", "s3.getRequest"],
    ["table written", tableWrites, "units", "dynamodb.writeUnit"],
    ["table read", tableReads, "units", "dynamodb.readUnit"],
    ["queue", queueRequests, "requests", "sqs.request"],
    ["functions called", functionCalls, "calls", "lambda.request"],
    ["functions' time", functionGbSeconds, "GB-seconds", "lambda.gbSecond"],
  ];
  return rows.map(([name, quantity, unit, price]) => ({
    group: "requests",
    name,
    quantity,
    unit,
    spot: price,
    onDemand: price,
  }));
}

function storageItem(bytes: number): Item {
  const price = { spot: "s3.storageGbMonth", onDemand: "s3.storageGbMonth" } as const;
  return { group: "storage", name: "objects kept", quantity: bytes / GB, unit: "GB-months", ...price };
}

/** Where `needsAll`, a line without a price leaves no sum; else it is left out, and named as missing. */
function sumOf(lines: readonly CostLine[], needsAll: boolean): Sum {
  const add = (amounts: readonly (number | null)[]): number | null =>
    needsAll && amounts.includes(null) ? null : amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0);
  return {
    spotUsd: add(lines.map(({ spotUsd }) => spotUsd)),
    onDemandUsd: add(lines.map(({ onDemandUsd }) => onDemandUsd)),
  };
}

function addSums(a: Sum, b: Sum): Sum {
  const add = (one: number | null, other: number | null) => (one === null || other === null ? null : one + other);
  return { spotUsd: add(a.spotUsd, b.spotUsd), onDemandUsd: add(a.onDemandUsd, b.onDemandUsd) };
}

function scaleSum({ spotUsd, onDemandUsd }: Sum, factor: number): Sum {
  const scale = (amount: number | null) => amount && amount * factor;
  return { spotUsd: scale(spotUsd), onDemandUsd: scale(onDemandUsd) };
}
