import { createUuid } from "../base/ids.ts";
import type { Job, JobEvent } from "./job.ts";

/** A job that succeeded, but for what is given. */
export function makeJob(given: Partial<Job> = {}): Job {
  return {
    id: createUuid(1_700_000_000_000),
    pipeline: "echo",
    params: { text: "hello" },
    status: "succeeded",
    stage: "finish",
    progress: 1,
    tasks: { total: 2, succeeded: 2, failed: 0 },
    priority: 0,
    idempotencyKey: "a-key-of-the-client",
    parentJobId: null,
    traceparent: null,
    attempt: 1,
    createdAtMs: 1_700_000_000_000,
    startedAtMs: 1_700_000_001_000,
    finishedAtMs: 1_700_000_002_000,
    updatedAtMs: 1_700_000_002_000,
    error: null,
    result: { text: "HELLO" },
    webhook: null,
    changeSeq: 7,
    ...given,
  };
}

/** Jobs and events in memory: what the delivery loop needs of a job store, and ways to make jobs end. */
export class EndedJobs {
  readonly #jobs = new Map<string, Job>();
  readonly #events: JobEvent[] = [];

  /** Keeps a job as it is, and appends the event that fits its status. */
  put(job: Job): Job {
    this.#jobs.set(job.id, job);
    const type = job.status === "running" ? "job.started" : (`job.${job.status}` as const);
    this.#events.push({ seq: this.#events.length + 1, jobId: job.id, atMs: job.updatedAtMs, type, data: null });
    return job;
  }

  forget(jobId: string): void {
    this.#jobs.delete(jobId);
  }

  get(jobId: string): Promise<Job | undefined> {
    return Promise.resolve(this.#jobs.get(jobId));
  }

  listEvents({ afterSeq, limit }: { readonly afterSeq: number; readonly limit: number }): Promise<readonly JobEvent[]> {
    return Promise.resolve(this.#events.filter(({ seq }) => seq > afterSeq).slice(0, limit));
  }
}
