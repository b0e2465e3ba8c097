import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { ReelmillError } from "../base/errors.ts";
import { createUuid } from "../base/ids.ts";
import type { Json } from "../base/json.ts";
import type { Tracer } from "../base/tracer.ts";
import type { Job, JobWebhook } from "./job.ts";
import { spanOfJob } from "./job-trace.ts";
import type { PipelineRegistry } from "./pipeline.ts";
import type { Decide, Idempotency, JobStore, TaskQueue } from "./ports.ts";
import { onCancel, onRetry, onRetryTask } from "./transitions.ts";

const IDEMPOTENCY_KEEP_MS = 48 * 3600_000;

/** What a user asks for. */
export interface Submission {
  readonly pipeline: string;
  /** As the client gave them. */
  readonly params: unknown;
  /** -100 to 100; default 0. */
  readonly priority?: number | undefined;
  /** 1 to 255 printable characters. */
  readonly idempotencyKey?: string | undefined;
  readonly webhook?: JobWebhook | undefined;
}

/** A job, and whether this very request made it. */
export interface Submitted {
  readonly job: Job;
  readonly isNew: boolean;
}

/** What users may do with jobs. */
export interface JobService {
  /** Throws PIPELINE_UNKNOWN, PARAMS_INVALID, OBJECT_KEY_INVALID, IDEMPOTENCY_CONFLICT, WEBHOOK_REFUSED. */
  submit(submission: Submission): Promise<Submitted>;
  /** Throws JOB_NOT_FOUND, JOB_STATE. */
  cancel(jobId: string): Promise<Job>;
  /** The same job again, as far as it did not succeed. Throws JOB_NOT_FOUND, JOB_STATE. */
  retry(jobId: string): Promise<Job>;
  /** A new job with the same params, linked to the old one. Throws JOB_NOT_FOUND. */
  replay(jobId: string): Promise<Job>;
  /** Puts a dead letter's task back to work. Throws DEAD_LETTER_NOT_FOUND, JOB_NOT_FOUND, JOB_STATE. */
  replayDeadLetter(id: number): Promise<void>;
  /** Forgets a dead letter. Throws DEAD_LETTER_NOT_FOUND. */
  discardDeadLetter(id: number): Promise<void>;
}

/** What the service stands on. */
export interface JobServicePorts {
  readonly store: JobStore;
  readonly queue: TaskQueue;
  readonly pipelines: PipelineRegistry;
  readonly clock: Clock;
  /** Called when there is something new to work at. */
  readonly onWork: () => void;
  /** Throws WEBHOOK_REFUSED for a URL that no webhook may go to; where it is left out, that shows when one is sent. */
  readonly requireWebhook?: ((url: string) => void) | undefined;
  /** Where it is left out, jobs belong to no trace of a request's, and one that is cancelled is told to nobody. */
  readonly tracer?: Tracer | undefined;
}

/** The service on the ports given. */
export function createJobService(ports: JobServicePorts): JobService {
  const { store, queue, pipelines, clock, onWork, requireWebhook, tracer } = ports;
  const change = async (jobId: string, decide: Decide, refused: string): Promise<Job> => {
    const changed = await store.update(jobId, decide);
    if (changed !== undefined) return changed;
    const { status } = await requireJob(store, jobId);
    throw new ReelmillError("JOB_STATE", `The job ${jobId} is ${status}; ${refused}`);
  };
  const add = async (submission: Submission, parentJobId: string | null): Promise<Submitted> => {
    const { pipeline, priority = 0, webhook } = submission;
    const { parseParams, idempotencyKeyOf } = pipelines.get(pipeline);
    const params = parseParams(submission.params);
    // A replay is wanted beside the job that it replays.
    const ownKey = parentJobId === null ? idempotencyKeyOf?.(params) : undefined;
    const idempotencyKey = submission.idempotencyKey ?? ownKey;
    if (webhook !== undefined) requireWebhook?.(webhook.url);
    const asked = [pipeline, params, priority, webhook === undefined ? null : { ...webhook }];
    const id = createUuid(clock.nowMs());
    const created = await store.create({
      id,
      pipeline,
      params,
      priority,
      parentJobId,
      webhook: webhook ?? null,
      traceparent: tracer?.context(),
      idempotency: idempotencyKey === undefined ? null : idempotencyOf(idempotencyKey, asked),
    });
    onWork();
    return created;
  };
  return {
    submit: (submission) => add(submission, null),
    cancel: async (jobId) => {
      const job = await change(jobId, onCancel, "only one that is queued or running can be cancelled.");
      tracer?.tell(spanOfJob(job));
      return job;
    },
    retry: async (jobId) => {
      const job = await change(jobId, onRetry, "only one that is partial, failed or cancelled can be retried.");
      onWork();
      return job;
    },
    replay: async (jobId) => {
      const { pipeline, params, priority, webhook } = await requireJob(store, jobId);
      const submission = { pipeline, params, priority, ...(webhook === null ? {} : { webhook }) };
      return (await add(submission, jobId)).job;
    },
    replayDeadLetter: async (id) => {
      const letter = await queue.getDead(id);
      if (letter === undefined) throw noDeadLetter(id);
      // The task's messages are replaced by a new one, the dead one too.
      await change(letter.ref.jobId, onRetryTask(letter.ref), "the task of this dead letter is not wanted any more.");
      if ((await queue.getDead(id)) !== undefined) {
        throw new ReelmillError(
          "JOB_STATE",
          `The task of the dead letter ${id} has neither failed nor was it cancelled.`,
        );
      }
      onWork();
    },
    discardDeadLetter: async (id) => {
      if (!(await queue.discard(id))) throw noDeadLetter(id);
    },
  };
}

async function requireJob(store: JobStore, jobId: string): Promise<Job> {
  const job = await store.get(jobId);
  if (job === undefined) throw new ReelmillError("JOB_NOT_FOUND", `There is no job ${jobId}.`);
  return job;
}

function noDeadLetter(id: number): ReelmillError {
  return new ReelmillError("DEAD_LETTER_NOT_FOUND", `There is no dead letter ${id}.`);
}

function idempotencyOf(key: string, asked: Json): Idempotency {
  return { key, bodyHash: hashJson(asked), keepMs: IDEMPOTENCY_KEEP_MS };
}

/** The same for equal values, whatever the order of their fields. */
function hashJson(value: Json): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex");
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value as Readonly<Record<string, Json>>);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, sorted(inner)]));
}
