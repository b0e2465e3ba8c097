import { ReelmillError } from "../base/errors.ts";
import { formatCount, formatElapsedMs } from "../base/units.ts";
import { benchmarkPace } from "./benchmark-pace.ts";
import type { CostReport } from "./cost-report.ts";
import { type CostLine, costOfJob, costOfMonth, type JobCost } from "./job-cost.ts";
import { priceByMediaConvert } from "./media-convert.ts";
import { type MeasuredJob, type Pace, paceOf, spreadsOverCores, unitsOf } from "./pace.ts";
import type { PriceName, PriceTable } from "./price-table.ts";
import { countRequests } from "./requests.ts";
import { describeResources, type Resources, resourcesFor } from "./resources.ts";
import { inputBytes, inputSeconds, type Workload } from "./workload.ts";

/** A job that has ended, and what it took. */
export interface FinishedJob {
  readonly workload: Workload;
  readonly measured: MeasuredJob;
  /** How it was measured, for people. */
  readonly basis: string;
}

/** What is reckoned besides one job. */
export interface ReportOptions {
  readonly prices: PriceTable;
  /** Jobs in each month; null: no month is reckoned. */
  readonly perMonth: number | null;
}

/** Assumed: Fargate is paid for from when it begins to fetch the image. */
const FARGATE_START_SECONDS = 60;

/**
 * What a job would cost by the pace of finished jobs of its kind, or, where there are none, by that of the benchmarks. Throws
 * ESTIMATE_IMPOSSIBLE where neither tells, where nothing runs the pipeline on AWS, and where a recording's length is needed and not known.
 */
export function estimateJob(workload: Workload, history: readonly MeasuredJob[], options: ReportOptions): CostReport {
  const { pipeline, variant } = workload;
  const resources = requireResources(workload);
  const units = unitsOf(workload);
  if (units === null) {
    throw impossible("How long the recordings play is not known, and what the job costs grows with it.");
  }
  const pace = paceOf(pipeline, history) ?? benchmarkPace(workload);
  if (pace === undefined) {
    const kind = `${pipeline}${variant === "" ? "" : ` (${variant})`}`;
    const message = `No job of ${kind} has finished here yet, and the benchmarks have none for recordings like these.`;
    throw impossible(message, "Run one, and ask again.");
  }
  const work = { workSeconds: pace.workSecondsPerUnit * units, tasks: pace.tasks };
  const outputBytes = outputBytesOf(workload, pace, units);
  const notes = notesOf(workload, resources, pace, outputBytes === null);
  return report(
    "estimate",
    workload,
    resources,
    { ...work, outputBytes: outputBytes ?? inputBytes(workload) },
    options,
    {
      basis: describePace(pace),
      notes,
    },
  );
}

/** What a finished job cost, had it run on AWS for as long as it was measured to run. Throws ESTIMATE_IMPOSSIBLE. */
export function reportFinished({ workload, measured, basis }: FinishedJob, options: ReportOptions): CostReport {
  const resources = requireResources(workload);
  const notes = notesOf(workload, resources, undefined, measured.outputBytes === null);
  const work = { ...measured, outputBytes: measured.outputBytes ?? measured.bytes };
  return report("actual", workload, resources, work, options, { basis, notes });
}

function requireResources(workload: Workload): Resources {
  const resources = resourcesFor(workload);
  if (resources === undefined) throw impossible(`The stacks run no jobs of ${workload.pipeline} on AWS yet.`);
  return resources;
}

function impossible(problem: string, advice = ""): ReelmillError {
  return new ReelmillError("ESTIMATE_IMPOSSIBLE", problem, { advice });
}

/** What a job takes, apart from what it runs on. */
interface Work {
  /** As `Pace.workSecondsPerUnit` counts it. */
  readonly workSeconds: number;
  readonly tasks: number;
  readonly outputBytes: number;
}

function report(
  kind: CostReport["kind"],
  workload: Workload,
  resources: Resources,
  { workSeconds, tasks, outputBytes }: Work,
  { prices, perMonth }: ReportOptions,
  told: { readonly basis: string; readonly notes: readonly string[] },
): CostReport {
  const { pipeline, variant, files } = workload;
  const bytes = inputBytes(workload);
  const busySeconds = spreadsOverCores(pipeline) ? workSeconds / resources.vcpu : workSeconds;
  const seconds = busySeconds + (resources.kind === "fargate" ? FARGATE_START_SECONDS : 0);
  const usesQueue = resources.kind === "machine";
  const requests = countRequests({ tasks, workSeconds: busySeconds, outputBytes, usesQueue });
  const cost = costOfJob({ resources, seconds, requests, storedBytes: bytes + outputBytes }, prices);
  const mediaConvert = [...priceByMediaConvert(workload, prices)];
  return {
    schema: 1,
    kind,
    pipeline,
    variant,
    prices: datesOf(cost, prices, mediaConvert),
    input: { files: files.length, bytes, seconds: inputSeconds(workload) },
    resources: describeResources(resources),
    seconds,
    basis: told.basis,
    lines: cost.lines.map((line): CostLine => ({ ...line })),
    job: cost.job,
    storageMonth: cost.storageMonth,
    month: perMonth === null ? null : costOfMonth(cost, perMonth),
    mediaConvert,
    notIncluded: [
      ...cost.missing.map((name) => `${name}: the price table has no price for it.`),
      "Network endpoints, logs, alarms and what else is paid for whether a job runs or not.",
      "Bytes that are downloaded to the internet.",
    ],
    notes: [...told.notes, ...spotNotes(resources, prices)],
  };
}

/** Of the prices that were used, and of MediaConvert's where it was reckoned. */
function datesOf(
  { used }: JobCost,
  { prices, mediaConvert }: PriceTable,
  tiers: CostReport["mediaConvert"],
): CostReport["prices"] {
  const priced = tiers.filter(({ usd }) => usd !== null);
  const names: readonly PriceName[] = [...used, ...priced.map(({ tier }) => `mediaConvert.${tier}Minute` as const)];
  const found = names.flatMap((name) => prices[name] ?? []);
  const days = [...found.map(({ asOf }) => asOf), ...(priced.length > 0 ? [mediaConvert.asOf] : [])].sort();
  return {
    regions: [...new Set(found.map(({ region }) => region))].sort(),
    oldest: days[0] ?? "",
    newest: days.at(-1) ?? "",
  };
}

/** Null where nothing tells. */
function outputBytesOf({ pipeline, outputs }: Workload, pace: Pace, units: number): number | null {
  if (pace.outputBytesPerUnit !== null) return pace.outputBytesPerUnit * units;
  const rates = outputs.map(({ kilobitsPerSecond }) => kilobitsPerSecond);
  if (pipeline === "repair" || rates.length === 0 || rates.includes(null)) return null;
  return (rates.reduce<number>((sum, rate) => sum + (rate ?? 0), 0) * 1000 * units) / 8;
}

function describePace({ basis }: Pace): string {
  if (basis.kind === "benchmark") {
    return "No job of this kind has finished here: times are those of docs/reference/benchmarks.md, on two cores.";
  }
  const spread = `the quickest took ${basis.lowest.toFixed(2)} times as long, the slowest ${basis.highest.toFixed(2)} times`;
  const jobs = `${formatCount(basis.jobs, "finished job")} of this kind`;
  return basis.jobs === 1 ? `Measured on ${jobs}.` : `The median of ${jobs}; ${spread}.`;
}

function notesOf(
  { pipeline, outputs }: Workload,
  resources: Resources,
  pace: Pace | undefined,
  isOutputAssumed: boolean,
): readonly string[] {
  const start = formatElapsedMs(FARGATE_START_SECONDS * 1000);
  const isEncoding = spreadsOverCores(pipeline);
  const isScaled = pace?.basis.kind === "benchmark" && isEncoding;
  return [
    ...(isScaled ? ["Assumed: the time grows with the number of pixels."] : []),
    ...(isEncoding ? ["Assumed: a vCPU works as fast as a core of the machine that was measured."] : []),
    ...(isOutputAssumed ? ["Assumed: the output is as large as the recordings."] : []),
    ...(outputs.some(({ framesPerSecond }) => framesPerSecond === null)
      ? ["Assumed: no more than 30 pictures a second."]
      : []),
    ...(resources.kind === "fargate"
      ? [`Assumed: ${start} until the container runs. Reading from S3 takes time that was not measured.`]
      : [
          "Times of encoding by processors: the machine's GPU takes less.",
          "The machine's start and its last ten minutes without work are shared by all its jobs, and left out.",
        ]),
  ];
}

/** What is to be said of prices that float. */
function spotNotes(resources: Resources, { prices }: PriceTable): readonly string[] {
  const price = prices[resources.kind === "machine" ? "ec2Spot.g4dnXlargeHour" : "fargateSpot.vcpuHour"];
  return price?.note === undefined ? [] : [`Spot: ${price.note}`];
}
