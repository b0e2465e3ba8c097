import { relative, sep } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { pause } from "../../base/pause.ts";
import { isEnded, type Job } from "../../jobs/job.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import type { JobStore } from "../../jobs/ports.ts";
import type { JobService } from "../../jobs/service.ts";
import type { RepairOutcome, RepairRequest, RepairService } from "../edge/index.ts";
import { errorWithFiles } from "./watch-errors.ts";

/** What watch-folder repairs stand on. */
export interface WatchRepairPorts {
  readonly service: JobService;
  readonly store: JobStore;
  readonly objects: ObjectStore;
  /** As the object store's. */
  readonly mounts: Readonly<Record<string, string>>;
}

const POLL_MS = 200;

/** Repairs the files of the watch folder as jobs like any other, so that they are seen, retried and survive with the others. */
export function createWatchRepairs({ service, store, objects, mounts }: WatchRepairPorts): RepairService {
  const keyOf = (path: string): string => {
    for (const [name, folder] of Object.entries(mounts)) {
      if (path.startsWith(`${folder}${sep}`)) return [name, ...relative(folder, path).split(sep)].join("/");
    }
    throw new ReelmillError("INTERNAL", `${path} lies in none of the folders that are watched.`);
  };
  return {
    repair: async ({ key, input, references, signal, onJob, onProgress }) => {
      const params = { inputs: [keyOf(input)], references: references.map(keyOf) };
      // After a restart the same try finds its job again.
      const submitted = await service.submit({ pipeline: "repair", params, idempotencyKey: `watch-${key}` });
      // It was cancelled because the watch folder was stopped.
      const job = submitted.job.status === "cancelled" ? await service.retry(submitted.job.id) : submitted.job;
      onJob(job.id);
      const ended = await follow(store, service, job, { signal, onProgress });
      const outcome = await outcomeOf(ended, objects);
      if (outcome.status !== "failed") return outcome;
      const files = new Map([input, ...references].map((path) => [keyOf(path), path]));
      return { ...outcome, error: errorWithFiles(outcome.error, files) };
    },
  };
}

async function follow(
  store: JobStore,
  service: JobService,
  submitted: Job,
  { signal, onProgress }: Pick<RepairRequest, "signal" | "onProgress">,
): Promise<Job> {
  let job: Job | undefined = submitted;
  while (!isEnded(job.status)) {
    if (signal.aborted) {
      // It may end by itself in this very moment.
      await service.cancel(job.id).catch(() => undefined);
      throw new ReelmillError("ABORTED", "The watch folder stopped waiting for the repair.");
    }
    await pause(POLL_MS, signal);
    job = await store.get(submitted.id);
    if (job === undefined) throw new ReelmillError("JOB_NOT_FOUND", `The job ${submitted.id} is gone.`);
    // The first call says that the work has begun.
    if (job.status !== "queued") onProgress(job.progress, job.stage);
  }
  return job;
}

/** The one file of the job's result, as the repair pipeline writes it. */
interface FileOutcome {
  readonly status: "repaired" | "healthy" | "failed";
  readonly output: string | null;
}

async function outcomeOf(job: Job, objects: ObjectStore): Promise<RepairOutcome> {
  const report = job.result;
  const result = job.result as { readonly files: readonly FileOutcome[] } | null;
  const file = result?.files[0];
  if (job.status === "succeeded" && file?.status === "healthy") return { status: "healthy", report, jobId: job.id };
  if (job.status === "succeeded" && file?.output !== null && file?.output !== undefined) {
    const output = await objects.withLocalFile(file.output, (path) => Promise.resolve(path));
    return { status: "repaired", output, report, jobId: job.id };
  }
  if (job.status === "cancelled") throw new ReelmillError("ABORTED", `The job ${job.id} was cancelled.`);
  const error = job.error ?? { code: "INTERNAL" as const, message: "The job ended without saying why." };
  return { status: "failed", error, report: report as Json, jobId: job.id };
}
