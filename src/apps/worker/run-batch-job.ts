import { ReelmillError } from "../../base/errors.ts";
import type { BatchChange, BatchRecord, BatchRecords } from "../../jobs/batch-records.ts";
import { isEnded, type Job, type JobError } from "../../jobs/job.ts";
import type { TaskQueue } from "../../jobs/ports.ts";
import { describeError, MAX_ATTEMPTS, retryDelayMs } from "../../jobs/retry-policy.ts";
import { runJob, stoppedEarly } from "../../jobs/run-job.ts";
import type { Engine } from "../../jobs/run-task.ts";
import { onCancel } from "../../jobs/transitions.ts";
import { extensionFor } from "../../pipelines/convert/index.ts";
import { removeParts } from "../../pipelines/job-parts.ts";
import type { BatchSettings } from "./batch-settings.ts";

/** What the batch worker stands on; store and queue are the job's alone. */
export interface BatchPorts {
  readonly engine: Engine;
  readonly queue: TaskQueue;
  readonly records: BatchRecords;
  readonly leaseMs: number;
  /** Tasks at a time, ≥ 1. */
  readonly concurrency: number;
  /** Resolves after so many milliseconds. */
  readonly sleep: (delayMs: number) => Promise<void>;
  /** Aborted where the worker is to stop; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Aborted where another worker has taken the job: nothing of it is this one's any more. */
  readonly lost: AbortSignal;
  /** Hears that nothing of the job is left to go on with. */
  readonly onForgotten: () => void;
}

const PIPELINE = "convert";
/** Who holds the leases of a job's tasks: the job is one process's, so that what this name holds is its own, or of one that is gone. */
export const BATCH_OWNER = "batch";

/**
 * Runs the job that the settings name, start to end, and keeps its record: PROCESSING, then COMPLETED or FAILED. One that is
 * COMPLETED is left alone; one that was cut short goes on with what it has, where it is still asked for the same of the same
 * recording; one that FAILED begins anew. Throws why the job failed, once that is recorded; ABORTED where it was stopped; JOB_STATE
 * where it was completed in another codec, is another bucket's, or another worker has taken it, which leaves the record as it is; STORE_UNAVAILABLE and NO_SPACE where a status cannot be recorded.
 */
export async function runBatchJob(settings: BatchSettings, ports: BatchPorts): Promise<BatchRecord> {
  const { jobId, outputCodec, bucket } = settings;
  await requireSameBucket(settings, ports);
  const inputKey = `uploads/${jobId}/input.mp4`;
  const outputKey = `outputs/${jobId}/output${extensionFor(outputCodec)}`;
  const begun = await record(ports, jobId, { status: "PROCESSING", outputCodec, bucket, inputKey });
  if (begun.status === "COMPLETED") {
    await tidy(ports, jobId);
    return requireSameCodec(begun, settings, ports);
  }
  try {
    await prepareJob(settings, ports, inputKey, outputKey);
    const signal = AbortSignal.any([ports.signal, ports.lost]);
    requireSuccess(await runJob(ports.engine, jobId, { ...ports, signal, owner: BATCH_OWNER }), jobId, ports.signal);
  } catch (error) {
    await recordFailure(ports, jobId, describeError(error));
    await tidy(ports, jobId);
    requireHeld(ports, jobId);
    throw error;
  }
  const done = await record(ports, jobId, { status: "COMPLETED", outputKey });
  await tidy(ports, jobId);
  return done;
}

/** Nobody else works at the job while this one holds it, so that the record stays as it is read here. */
async function requireSameBucket({ jobId, bucket }: BatchSettings, ports: BatchPorts): Promise<void> {
  const found = await insist(ports, "The record could not be read.", () => ports.records.get(jobId));
  // One that failed may have had the wrong bucket of two.
  if (found === undefined || found.status === "FAILED" || found.bucket === bucket) return;
  const message = `The job ${jobId} is ${found.status} in the bucket ${found.bucket}; ${bucket} takes another job.`;
  if (found.status === "COMPLETED") ports.onForgotten();
  throw new ReelmillError("JOB_STATE", message);
}

/** What another worker has taken is not recorded and not removed any more. */
function requireHeld({ lost }: BatchPorts, jobId: string): void {
  if (lost.aborted) throw new ReelmillError("JOB_STATE", `Another worker has taken the job ${jobId}.`);
}

function requireSameCodec(
  done: BatchRecord,
  { jobId, outputCodec }: BatchSettings,
  { engine }: BatchPorts,
): BatchRecord {
  if (done.outputCodec !== outputCodec) {
    const message = `The job ${jobId} is completed already, as ${done.outputCodec}; ${outputCodec} takes another job.`;
    throw new ReelmillError("JOB_STATE", message);
  }
  engine.log.info("The job is completed already: there is nothing to do.");
  return done;
}

/** Sees to it that there is a job to be run: what an earlier worker left, or a new one. */
async function prepareJob(
  { jobId, outputCodec, bucket }: BatchSettings,
  ports: BatchPorts,
  input: string,
  outputKey: string,
): Promise<void> {
  const { engine } = ports;
  const { store, objects, pipelines, log } = engine;
  const info = await objects.head(input);
  if (info === undefined) {
    throw new ReelmillError("OBJECT_NOT_FOUND", `There is no recording at ${input} in the bucket ${bucket}.`);
  }
  const params = pipelines.get(PIPELINE).parseParams({ input, to: outputCodec });
  const earlier = await store.get(jobId);
  if (earlier !== undefined) {
    const isSame =
      JSON.stringify(earlier.params) === JSON.stringify(params) && info.modifiedAtMs <= earlier.createdAtMs;
    const isCutShort = !isEnded(earlier.status);
    // Only its status could not be recorded.
    const isDone = earlier.status === "succeeded" && (await objects.head(outputKey)) !== undefined;
    if (isSame && (isCutShort || isDone)) {
      log.info("The job goes on with what an earlier worker left.", { tasks: earlier.tasks });
      return;
    }
  }
  await insist(ports, "What an earlier worker left could not be removed.", () => forget(engine, jobId));
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  await store.create({ id: jobId, pipeline: PIPELINE, params, ...rest });
}

/** Throws why the job failed; ABORTED where it was stopped before its end, JOB_STATE where somebody else removed it. */
function requireSuccess(job: Job | undefined, jobId: string, signal: AbortSignal): void {
  if (job?.status === "succeeded") return;
  if (job === undefined && !signal.aborted) {
    throw new ReelmillError("JOB_STATE", `The job ${jobId} was removed while it was worked at.`);
  }
  if (job !== undefined && isEnded(job.status)) {
    const { code, message, details } = job.error ?? { code: "INTERNAL", message: `The job ended as ${job.status}.` };
    throw new ReelmillError(code, message, details === undefined ? {} : { details });
  }
  throw stoppedEarly(signal);
}

/** Removes what is kept to go on with; the store holds this job alone. Throws STORE_UNAVAILABLE where that takes another try. */
async function forget({ store, objects }: Engine, jobId: string): Promise<void> {
  await store.update(jobId, onCancel);
  await store.sweep(Number.MAX_SAFE_INTEGER);
  // What finds ended jobs may hear of the last one late.
  if ((await store.get(jobId)) !== undefined) {
    throw new ReelmillError("STORE_UNAVAILABLE", `The store has not forgotten the job ${jobId} yet.`);
  }
  await removeParts(objects, jobId);
}

/** Forgets a job that has ended; one that was cut short, or was not come to, is gone on with. What cannot be removed changes nothing about how it ended. */
async function tidy({ engine, lost, onForgotten }: BatchPorts, jobId: string): Promise<void> {
  if (lost.aborted) return;
  try {
    const job = await engine.store.get(jobId);
    if (job !== undefined && !isEnded(job.status)) return;
    await forget(engine, jobId);
    onForgotten();
  } catch (error) {
    engine.log.warn("What the job needed on its way could not be removed.", { error });
  }
}

/** What made the job fail is what the caller is told, even where the record cannot be. */
async function recordFailure(ports: BatchPorts, jobId: string, { code, message }: JobError): Promise<void> {
  try {
    await record(ports, jobId, { status: "FAILED", errorMessage: `${message} (${code})` });
  } catch {
    // Told in the log, attempt by attempt.
  }
}

async function record(ports: BatchPorts, jobId: string, change: BatchChange): Promise<BatchRecord> {
  const problem = `The status ${change.status} could not be recorded.`;
  return await insist(ports, problem, () => {
    requireHeld(ports, jobId);
    return ports.records.record(jobId, change);
  });
}

/** Tries again what the records fail at for a while; each failure is told as the problem. */
async function insist<T>({ engine, sleep }: BatchPorts, problem: string, ask: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await ask();
    } catch (error) {
      engine.log.error(problem, { error, attempt: failures });
      if (!(error instanceof ReelmillError && error.retryable) || failures >= MAX_ATTEMPTS) throw error;
      await sleep(retryDelayMs(failures, engine.random));
    }
  }
}
