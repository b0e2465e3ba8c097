import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createUuid } from "../../base/ids.ts";
import type { Json } from "../../base/json.ts";
import type { Logger } from "../../base/log.ts";
import { type BatchApi, type BatchApiOptions, type BatchJobState, createBatchApi, pause } from "./batch-api.ts";
import type { RepairOutcome, RepairRequest, RepairService } from "./repair-service.ts";

/** How files are repaired by the batch API. */
export interface CloudRepairOptions extends BatchApiOptions {
  readonly referenceStrategy: "smallest" | "newest";
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two looks at a job, once it has taken long; default 15,000. */
  readonly pollIntervalMs?: number;
  /** A job that takes longer is given up; default 4 h. */
  readonly jobTimeoutMs?: number;
}

const POLL_INTERVAL_MS = 15_000;
/** Small files are done soon; after each look it is twice as long to the next. */
const FIRST_POLL_MS = 1000;
const JOB_TIMEOUT_MS = 4 * 3_600_000;
/** Shares of the whole in the progress that is shown. */
const UPLOADED = 0.3;
const WORKED = 0.8;

/**
 * Has the batch API repair a file: uploads it with its first reference, submits a job, waits for it, and downloads the
 * result, which is still to be verified. Throws CLOUD_UNREACHABLE, CLOUD_REFUSED, ABORTED, and what the system says of the
 * files.
 */
export function createCloudRepair(options: CloudRepairOptions): RepairService {
  const api = createBatchApi(options);
  return { repair: (request) => repair(api, options, request) };
}

async function repair(api: BatchApi, options: CloudRepairOptions, request: RepairRequest): Promise<RepairOutcome> {
  const { input, references, outputFolder, signal, onProgress } = request;
  const id = createUuid(options.clock.nowMs());
  const inputPrefix = `edge/${id}`;
  const [reference] = references;
  // Names from outside stay here: a key is plain in every store, and the reference may have the file's own name.
  const key = `${inputPrefix}/damaged${extname(input).toLowerCase()}`;
  const referenceKey =
    reference === undefined ? undefined : `${inputPrefix}/reference${extname(reference).toLowerCase()}`;
  // The larger one first, which may be more than the store takes.
  const files = [
    { key, path: input },
    ...(reference === undefined || referenceKey === undefined ? [] : [{ key: referenceKey, path: reference }]),
  ];
  await uploadAll(api, files, signal, (share) => onProgress(UPLOADED * share, "uploading"));
  const { referenceStrategy } = options;
  const jobId = await api.submit({ inputPrefix, referenceKey, referenceStrategy, idempotencyKey: id }, signal);
  options.log.info("Given to the batch API", { file: basename(input), job_id: jobId });
  onProgress(UPLOADED, "waiting for the batch API");
  const state = await waitFor(api, options, jobId, signal);
  const report: Json = { job_id: jobId, input_prefix: inputPrefix, status: state?.status ?? null };
  const outputKey = state?.success_files?.find((file) => file === key || basename(file) === basename(key));
  if (state === undefined || outputKey === undefined) {
    return { status: "failed", error: { code: "CLOUD_JOB_FAILED", message: describe(jobId, state) }, report, jobId };
  }
  const output = join(outputFolder, `repaired${extname(input).toLowerCase()}`);
  onProgress(WORKED, "downloading");
  // What the payload lists are the inputs; each output has the same name below the output prefix.
  const downloadKey = `${(state.output_prefix ?? inputPrefix).replace(/\/+$/, "")}/${basename(outputKey)}`;
  const bucket = state.output_bucket;
  const bytes = await api.download({ key: downloadKey, bucket, path: output, signal });
  if (bytes === 0) throw new ReelmillError("CLOUD_REFUSED", `What ${jobId} left at ${downloadKey} is empty.`);
  return { status: "repaired", output, report, jobId };
}

function describe(jobId: string, state: BatchJobState | undefined): string {
  if (state === undefined) return `The job ${jobId} was not done in time.`;
  return `The job ${jobId} ended as ${state.status}: ${state.message ?? "it gave no reason"}`;
}

async function uploadAll(
  api: BatchApi,
  files: readonly { readonly key: string; readonly path: string }[],
  signal: AbortSignal,
  onShare: (share: number) => void,
): Promise<void> {
  const sized = await Promise.all(files.map(async (file) => ({ ...file, bytes: (await stat(file.path)).size })));
  const totalBytes = sized.reduce((sum, { bytes }) => sum + bytes, 0);
  let sentBytes = 0;
  for (const { key, path, bytes } of sized) {
    const onProgress = (fileBytes: number): void => onShare((sentBytes + fileBytes) / totalBytes);
    await api.upload({ key, path, bytes, signal, onProgress });
    sentBytes += bytes;
  }
}

/** The job as it ended; undefined where it did not in time. */
async function waitFor(
  api: BatchApi,
  { clock, pollIntervalMs = POLL_INTERVAL_MS, jobTimeoutMs = JOB_TIMEOUT_MS }: CloudRepairOptions,
  jobId: string,
  signal: AbortSignal,
): Promise<BatchJobState | undefined> {
  const endMs = clock.monotonicMs() + jobTimeoutMs;
  for (let waitMs = FIRST_POLL_MS; clock.monotonicMs() < endMs; waitMs *= 2) {
    const state = await api.look(jobId, signal);
    if (["COMPLETED", "PARTIAL", "FAILED"].includes(state.status)) return state;
    await pause(Math.min(waitMs, pollIntervalMs), signal);
  }
  return undefined;
}
