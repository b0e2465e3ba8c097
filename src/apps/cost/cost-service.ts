import { ReelmillError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { CostReport } from "../../cost/cost-report.ts";
import { estimateJob, reportFinished } from "../../cost/estimate.ts";
import { spreadsOverCores, unitOf } from "../../cost/pace.ts";
import type { PriceTable } from "../../cost/price-table.ts";
import type { VideoOutput } from "../../cost/workload.ts";
import { isEnded, type Job } from "../../jobs/job.ts";
import type { PipelineRegistry } from "../../jobs/pipeline.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { describeVariant, describeWorkload } from "./describe-workload.ts";
import { type ExaminedFile, type ExamineObject, unexamined } from "./examined-file.ts";
import { describeMeasured, listMeasured, measureJob } from "./job-history.ts";
import { madeOutputs } from "./made-outputs.ts";

/** A job that may be submitted. */
export interface Plan {
  readonly pipeline: string;
  /** As for a submission, but for the keys of the recordings where `files` are given. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Recordings that need not be uploaded yet; undefined: those whose keys are among the params. */
  readonly files: readonly ExaminedFile[] | undefined;
  /** Jobs a month; null: no month is reckoned. */
  readonly perMonth: number | null;
}

/** What estimates stand on. */
export interface CostPorts {
  /** Undefined: there are no finished jobs to go by. */
  readonly store: JobStore | undefined;
  readonly pipelines: PipelineRegistry;
  readonly prices: PriceTable;
  /** Of the machine that the workers run on. */
  readonly cores: number;
  readonly examine: ExamineObject;
}

/** Tells what jobs cost on AWS. */
export interface CostService {
  /** Throws PIPELINE_UNKNOWN, PARAMS_INVALID, OBJECT_KEY_INVALID, OBJECT_NOT_FOUND, ESTIMATE_IMPOSSIBLE, FFMPEG_TIMEOUT. */
  estimate(plan: Plan): Promise<CostReport>;
  /** Of a job that has ended. Throws JOB_STATE, ESTIMATE_IMPOSSIBLE. */
  actual(job: Job, perMonth: number | null): Promise<CostReport>;
}

/** The service on the ports given. */
export function createCostService(ports: CostPorts): CostService {
  const { store, pipelines, prices, cores } = ports;
  return {
    estimate: async ({ pipeline, params: given, files, perMonth }) => {
      const { params, keys } = resolveParams(pipelines, pipeline, given, files?.length);
      const examined =
        files ?? (await Promise.all(keys.map((key) => requireExamined(ports, key, unitOf(pipeline) === "byte"))));
      const workload = describeWorkload(pipeline, params, examined);
      const history = store === undefined ? [] : await listMeasured(store, pipeline, workload.variant, cores);
      return estimateJob(workload, history, { prices, perMonth });
    },
    actual: async (job, perMonth) => {
      if (!isEnded(job.status)) {
        throw new ReelmillError(
          "JOB_STATE",
          `The job ${job.id} is ${job.status}; what it cost is known when it has ended.`,
        );
      }
      const tasks = (await store?.listTasks(job.id)) ?? [];
      const measured = measureJob(job, tasks, cores);
      const { pipeline } = job;
      const workload = {
        pipeline,
        variant: describeVariant(pipeline, job.params),
        files: spreadsOverCores(pipeline)
          ? [{ bytes: measured.bytes, seconds: measured.mediaSeconds }]
          : tasks.filter(({ stage }) => stage === "work").map(({ weight }) => ({ bytes: weight, seconds: null })),
        outputs: await outputsOf(job, ports),
      };
      return reportFinished({ workload, measured, basis: describeMeasured(job, tasks, cores) }, { prices, perMonth });
    },
  };
}

/** Where no recording is there yet, params name this one. */
const NO_KEY = "uploads/none";

function resolveParams(
  pipelines: PipelineRegistry,
  name: string,
  given: Plan["params"],
  fileCount: number | undefined,
): { readonly params: Json; readonly keys: readonly string[] } {
  const { parseParams, paramsSchema } = pipelines.get(name);
  const { properties = {} } = paramsSchema as { readonly properties?: Readonly<Record<string, Json>> };
  const [placeholder, param] = Object.hasOwn(properties, "inputs") ? [[NO_KEY], "inputs"] : [NO_KEY, "input"];
  if (param === "input" && (fileCount ?? 1) > 1) {
    throw new ReelmillError("PARAMS_INVALID", `The pipeline ${name} takes one recording a job, not ${fileCount}.`);
  }
  const isNeeded = fileCount !== undefined && Object.hasOwn(properties, param);
  const params = parseParams(isNeeded ? { [param]: placeholder, ...given } : given);
  const keys = (params as Readonly<Record<string, Json>>)[param] ?? [];
  return { params, keys: [keys].flat().map(String) };
}

async function requireExamined({ examine }: CostPorts, key: string, isSizeEnough: boolean): Promise<ExaminedFile> {
  const file = await examine(key, isSizeEnough);
  if (file === undefined) throw new ReelmillError("OBJECT_NOT_FOUND", `There is no object ${key}.`);
  return file;
}

/** By the result where it tells, else by what was made or the recording, as long as they are there and can be looked at. */
async function outputsOf(job: Job, { examine }: CostPorts): Promise<readonly VideoOutput[]> {
  const told = madeOutputs(job);
  if (told !== undefined) return told;
  const { pipeline, params } = job;
  const { input, output } = { ...(params as { input?: unknown }), ...(job.result as { output?: unknown } | null) };
  const made = pipeline === "convert" && typeof output === "string" ? await examine(output, false) : undefined;
  const file = made ?? (typeof input === "string" ? await examine(input, false) : undefined);
  if (file === undefined && pipeline === "repair") return [];
  return describeWorkload(pipeline, params, [file ?? unexamined(0)]).outputs;
}
