import { availableParallelism } from "node:os";
import { createWorkFolders } from "../../adapters/local/work-folders.ts";
import { withoutSecrets } from "../../base/config.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createUuid } from "../../base/ids.ts";
import { isEnded, type Job } from "../../jobs/job.ts";
import { runJob, stoppedEarly } from "../../jobs/run-job.ts";
import { openTelemetry } from "../telemetry.ts";
import { type WorkerContext, withOpenWorker } from "./open-worker.ts";

/** How often to look for tasks that others have put back, and whether the job has ended. */
const POLL_MS = 2000;

/**
 * Works at one job that a server or function made, until it has ended, and gives it as it then is. Others may work at it besides; another
 * container goes on where this one is lost. Throws JOB_NOT_FOUND, ABORTED where the signal was given before the end, and as `withOpenWorker`.
 */
export async function runOneJob(jobId: string, context: WorkerContext): Promise<Job> {
  return await withOpenWorker(context, async ({ config, parts, log, owner }) => {
    const { environment, clock, signal, writeOutput: write } = context;
    const { store, queue, objects, pipelines, workRoot } = parts;
    const found = await store.get(jobId);
    if (found === undefined) throw new ReelmillError("JOB_NOT_FOUND", `There is no job ${jobId}.`);
    const { flush, ...telling } = await openTelemetry({ metrics: config.metrics, environment, write, log, clock });
    const engine = {
      ...telling,
      ...{ store, objects, pipelines, clock, log },
      workFolders: createWorkFolders(workRoot, owner),
      environment: withoutSecrets(environment),
      random: Math.random,
    };
    const running = runJob(engine, jobId, {
      ...{ queue, signal, leaseMs: config.server.leaseMs },
      // Many machines have a process of this name; leases are one's own.
      owner: `${owner}~${createUuid(clock.nowMs())}`,
      pollMs: POLL_MS,
      concurrency: Math.min(availableParallelism(), config.server.maxWorkers),
    });
    const job = await running.finally(flush);
    if (job !== undefined && isEnded(job.status)) return job;
    if (signal.aborted) throw stoppedEarly(signal);
    throw new ReelmillError("JOB_NOT_FOUND", `There is no job ${jobId} any more.`);
  });
}
