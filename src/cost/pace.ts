import { inputBytes, inputSeconds, type Workload } from "./workload.ts";

/** What finished jobs, or a benchmark, tell of the time that work takes. */
export interface Pace {
  /** What the work grows with: bytes of a repair, seconds of pictures that are encoded. */
  readonly unit: "byte" | "second";
  /** Seconds of work for each unit; of one core where the work spreads over all that there are, else of the container. */
  readonly workSecondsPerUnit: number;
  /** Bytes made for each unit; null where nothing tells. */
  readonly outputBytesPerUnit: number | null;
  /** Parts that a job is worked at in. */
  readonly tasks: number;
  readonly basis: PaceBasis;
}

/** Where a pace comes from. */
export interface PaceBasis {
  readonly kind: "history" | "benchmark";
  /** Jobs that it is the median of; 0 for a benchmark. */
  readonly jobs: number;
  /** Work by unit of the quickest and the slowest of those jobs, against the median: 0.8 and 1.3 tell of a fifth less and nearly a third more. */
  readonly lowest: number;
  readonly highest: number;
}

/** A finished job as it was measured. */
export interface MeasuredJob {
  /** As `Pace.workSecondsPerUnit` counts it, of the whole job. */
  readonly workSeconds: number;
  readonly bytes: number;
  /** Of the pictures; null where the job makes none. */
  readonly mediaSeconds: number | null;
  /** Null where it is not told. */
  readonly outputBytes: number | null;
  readonly tasks: number;
}

/** Whether a pipeline's work spreads over all cores that a machine has; that of repairs is one file after the other. */
export function spreadsOverCores(pipeline: string): boolean {
  return pipeline !== "repair";
}

/** What a pipeline's work grows with. */
export function unitOf(pipeline: string): Pace["unit"] {
  return pipeline === "repair" ? "byte" : "second";
}

/** How many units a workload has; null where it is not known. */
export function unitsOf(workload: Workload): number | null {
  return unitOf(workload.pipeline) === "byte" ? inputBytes(workload) : inputSeconds(workload);
}

/** The pace of finished jobs of one kind: medians; undefined where none of them tells its size. */
export function paceOf(pipeline: string, jobs: readonly MeasuredJob[]): Pace | undefined {
  const unit = unitOf(pipeline);
  const sized = jobs.flatMap((job) => {
    const units = unit === "byte" ? job.bytes : (job.mediaSeconds ?? 0);
    return units > 0 && job.workSeconds > 0 ? [{ ...job, units }] : [];
  });
  if (sized.length === 0) return undefined;
  const paces = sized.map(({ workSeconds, units }) => workSeconds / units);
  const outputs = sized.flatMap(({ outputBytes, units }) => (outputBytes === null ? [] : [outputBytes / units]));
  const workSecondsPerUnit = medianOf(paces);
  return {
    unit,
    workSecondsPerUnit,
    outputBytesPerUnit: outputs.length === 0 ? null : medianOf(outputs),
    tasks: Math.max(1, Math.round(medianOf(sized.map(({ tasks }) => tasks)))),
    basis: {
      kind: "history",
      jobs: sized.length,
      lowest: Math.min(...paces) / workSecondsPerUnit,
      highest: Math.max(...paces) / workSecondsPerUnit,
    },
  };
}

/** The middle value, of an even number of values the mean of the two in the middle. Throws RangeError where there are none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError("There is no median of nothing.");
  return (lower + upper) / 2;
}
