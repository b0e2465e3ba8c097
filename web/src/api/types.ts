/** Any value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Where a job stands; the last four are ends. */
export type JobStatus = "queued" | "running" | "succeeded" | "partial" | "failed" | "cancelled";

/** The steps of every job, in order. */
export type Stage = "plan" | "work" | "finish";

/** Why something failed, in its stable form. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details?: Json;
}

/** A job as the server tells it. Times are ISO 8601 in UTC. */
export interface JobView {
  readonly id: string;
  readonly pipeline: string;
  readonly params: Json;
  readonly status: JobStatus;
  readonly stage: Stage;
  /** From 0 to 1. */
  readonly progress: number;
  readonly tasks: { readonly total: number; readonly succeeded: number; readonly failed: number };
  readonly priority: number;
  readonly idempotencyKey: string | null;
  readonly parentJobId: string | null;
  readonly attempt: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly updatedAt: string;
  readonly etaSeconds: number | null;
  readonly error: Failure | null;
  readonly result: Json;
  readonly webhook: JobWebhook | null;
}

/** Where the outcome of a job is told. */
export interface JobWebhook {
  readonly url: string;
  readonly format?: "standard" | "slack";
}

/** One page of jobs, newest first. */
export interface JobPage {
  readonly jobs: readonly JobView[];
  readonly nextCursor: string | null;
}

/** Where a task stands. */
export type TaskStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** One part of a job. */
export interface TaskView {
  readonly stage: Stage;
  readonly index: number;
  readonly label: string;
  readonly status: TaskStatus;
  readonly attempt: number;
  readonly failures: number;
  readonly error: Failure | null;
  /** From 0 to 1. */
  readonly progress: number;
  readonly phase: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** What happened to a job. */
export interface EventView {
  readonly seq: number;
  readonly jobId: string;
  readonly at: string;
  readonly type: string;
  readonly data: Json;
}

/** One line of a job's log. */
export interface LogLine {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: Json;
}

/** What a user sends to create a job. */
export interface NewJob {
  readonly pipeline: string;
  readonly params: Json;
  readonly priority?: number;
  readonly webhook?: JobWebhook;
}

/** US dollars on spot and on-demand capacity; null where a price is missing. */
export interface CostSum {
  readonly spotUsd: number | null;
  readonly onDemandUsd: number | null;
}

/** What a job would cost on AWS. */
export interface CostView {
  /** What it would run on. */
  readonly resources: string;
  /** For how long. */
  readonly seconds: number;
  /** Where the time comes from. */
  readonly basis: string;
  readonly job: CostSum;
  /** Of its recordings and outputs, for each month. */
  readonly storageMonth: CostSum;
  /** What AWS Elemental MediaConvert asks by its list price; none where it has no such service. */
  readonly mediaConvert: readonly { readonly tier: string; readonly usd: number | null; readonly reason: string }[];
  readonly notIncluded: readonly string[];
  readonly notes: readonly string[];
  readonly prices: { readonly regions: readonly string[]; readonly oldest: string; readonly newest: string };
}

/** What a job would cost, or why nobody can tell. */
export interface EstimateView {
  readonly estimate: CostView | null;
  readonly reason: string | null;
}

/** One kind of job, with the schema (JSON Schema 2020-12) of its parameters. */
export interface PipelineView {
  readonly name: string;
  readonly description: string;
  readonly paramsSchema: Json;
  readonly maxConcurrentTasks: number;
  readonly isPaused: boolean;
}

/** What the store has below a key. */
export interface ObjectView {
  readonly key: string;
  readonly bytes: number;
}

/** A link by which one object can be written without a key. */
export interface LentView {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An object that is to be written in parts. */
export interface MultipartView {
  readonly upload_id: string;
  /** Of all parts but the last. */
  readonly part_bytes: number;
}

/** State of one queue. */
export interface QueueView {
  readonly queue: string;
  readonly waiting: number;
  readonly inFlight: number;
  readonly dead: number;
  readonly isPaused: boolean;
  readonly oldestSentAt: string | null;
}

/** A message that was given up. */
export interface DeadLetterView {
  readonly id: number;
  readonly queue: string;
  readonly jobId: string;
  readonly stage: Stage;
  readonly index: number;
  readonly receiveCount: number;
  readonly sentAt: string;
  readonly deadAt: string;
  readonly reason: { readonly code: string; readonly message: string };
}

/** Counts over the whole server. */
export interface StatsView {
  readonly jobs: { readonly byStatus: Readonly<Partial<Record<JobStatus, number>>>; readonly endedLastDay: number };
  readonly workers: { readonly desired: number; readonly running: number; readonly busy: number; readonly max: number };
  /** Elsewhere; null: none are known. */
  readonly containers: { readonly desired: number; readonly running: number; readonly pending: number } | null;
  readonly uptimeSeconds: number;
}

/** What the server runs on. */
export interface SystemView {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly disk: { readonly path: string; readonly totalBytes: number; readonly freeBytes: number };
  readonly ffmpeg: {
    readonly version: string;
    readonly path: string;
    readonly encoders: readonly string[];
    readonly missing: readonly string[];
  } | null;
  readonly settings: readonly { readonly name: string; readonly value: Json; readonly source: string }[];
}

/** One file that the watch folder knows. */
export interface WatchedFile {
  readonly name: string;
  readonly bytes: number;
  readonly state: string;
  /** From 0 to 1. */
  readonly progress: number | null;
  readonly detail: string | null;
}

/** State of the watch folder. */
export interface WatchView {
  readonly isConfigured: boolean;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly reason: string | null;
  readonly readyFolder: string;
  readonly exportFolder: string;
  readonly quarantineFolder: string;
  readonly currentReference: string | null;
  readonly files: readonly WatchedFile[];
  readonly counters: Readonly<Record<string, number>>;
}

/** One try to tell a receiver. */
export interface DeliveryAttempt {
  readonly at: string;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
}

/** One message to a webhook. */
export interface DeliveryView {
  readonly id: string;
  readonly jobId: string;
  readonly url: string;
  readonly format: string;
  readonly state: string;
  readonly createdAt: string;
  readonly nextAttemptAt: string | null;
  readonly attempts: readonly DeliveryAttempt[];
}
