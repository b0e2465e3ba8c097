import { ReelmillError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { isEnded, type Job } from "./job.ts";
import type { TaskQueue } from "./ports.ts";
import type { Engine } from "./run-task.ts";
import { runWorkerLoop } from "./worker-loop.ts";

/** How one job is run by itself. */
export interface RunJobOptions {
  readonly queue: TaskQueue;
  /** Tasks at a time, ≥ 1. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Who holds the leases, in this process and in those before it. */
  readonly owner: string;
  /** As `WorkerLoopOptions` has it. */
  readonly pollMs?: number;
  /** Ends the run: what is being worked at goes back to the queue. */
  readonly signal: AbortSignal;
}

/** Tells that a run ended before its job did. */
export function stoppedEarly({ reason }: AbortSignal): ReelmillError {
  const advice = "Run it again: it goes on with what it has.";
  return new ReelmillError("ABORTED", `The worker was stopped (${String(reason)}) before the job was done.`, {
    advice,
  });
}

/**
 * Runs one job to its end in this process, by the same loop as all workers; what an earlier process of this owner held is taken back at once.
 * Gives the job as it then is, which has not ended where the signal was given; undefined where there is none.
 */
export async function runJob(engine: Engine, jobId: string, options: RunJobOptions): Promise<Job | undefined> {
  const { store, pipelines } = engine;
  const { queue, concurrency, leaseMs, owner, pollMs, signal } = options;
  await queue.releaseOwner(owner);
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const waitForWork = async (timeoutMs: number): Promise<void> => {
    const job = await store.get(jobId);
    if (job === undefined || isEnded(job.status)) ending.abort();
    else await pause(timeoutMs, either);
  };
  const queues = pipelines.all.map(({ name }) => ({ name, maxInFlight: Number.MAX_SAFE_INTEGER, jobId }));
  await Promise.all(
    Array.from({ length: concurrency }, () =>
      runWorkerLoop(engine, {
        ...{ owner, leaseMs, queues, waitForWork },
        ...(pollMs === undefined ? {} : { pollMs }),
        signal: either,
        idleEndMs: Number.POSITIVE_INFINITY,
        onBusy: () => undefined,
      }),
    ),
  );
  return await store.get(jobId);
}
