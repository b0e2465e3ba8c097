import { z } from "zod";
import { COST_REPORT, ESTIMATE } from "../../cost/cost-report.ts";
import { JOB_STATUSES, STAGES } from "../../jobs/job.ts";
import { HEALTH_CHECK } from "../health-check.ts";

/*
 * What the interface answers with, written once: the types of the views and the schemas of the OpenAPI page come from here.
 * Answers are not checked against them while the server runs; a test does that.
 */

const TIME = z.string().meta({ format: "date-time" });
const TIME_OR_NULL = TIME.nullable();
const JSON_VALUE = z.unknown().meta({ id: "Json", description: "Any JSON." });
const COUNT = z.int().min(0);
const SHARE = z.number().min(0).max(1);

const FAILURE = z
  .strictObject({ code: z.string(), message: z.string(), details: JSON_VALUE.optional() })
  .meta({ id: "Failure", description: "Why something failed." });

const JOB = z
  .strictObject({
    id: z.string(),
    pipeline: z.string(),
    params: JSON_VALUE,
    status: z.enum(JOB_STATUSES),
    stage: z.enum(STAGES),
    progress: SHARE,
    tasks: z.strictObject({ total: COUNT, succeeded: COUNT, failed: COUNT }),
    priority: z.int(),
    idempotencyKey: z.string().nullable(),
    parentJobId: z.string().nullable(),
    attempt: COUNT,
    createdAt: TIME,
    startedAt: TIME_OR_NULL,
    finishedAt: TIME_OR_NULL,
    updatedAt: TIME,
    etaSeconds: COUNT.nullable(),
    error: FAILURE.nullable(),
    result: JSON_VALUE,
    webhook: z.strictObject({ url: z.string(), format: z.enum(["standard", "slack"]) }).nullable(),
  })
  .meta({ id: "Job" });

const TASK = z
  .strictObject({
    stage: z.enum(STAGES),
    index: COUNT,
    label: z.string(),
    status: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
    attempt: COUNT,
    failures: COUNT,
    input: JSON_VALUE,
    output: JSON_VALUE,
    error: FAILURE.nullable(),
    progress: SHARE,
    phase: z.string(),
    weight: z.number(),
    startedAt: TIME_OR_NULL,
    finishedAt: TIME_OR_NULL,
  })
  .meta({ id: "Task" });

const EVENT = z
  .strictObject({ seq: COUNT, jobId: z.string(), at: TIME, type: z.string(), data: JSON_VALUE })
  .meta({ id: "Event" });

const QUEUE = z
  .strictObject({
    queue: z.string(),
    waiting: COUNT,
    inFlight: COUNT,
    dead: COUNT,
    isPaused: z.boolean(),
    oldestSentAt: TIME_OR_NULL,
  })
  .meta({ id: "Queue" });

const DEAD_LETTER = z
  .strictObject({
    id: z.int(),
    queue: z.string(),
    jobId: z.string(),
    stage: z.enum(STAGES),
    index: COUNT,
    receiveCount: COUNT,
    sentAt: TIME,
    deadAt: TIME,
    reason: z.strictObject({ code: z.string(), message: z.string() }),
  })
  .meta({ id: "DeadLetter" });

const MESSAGE = z.strictObject({
  stage: z.enum(STAGES),
  index: COUNT,
  state: z
    .enum(["due", "put-off", "held", "lapsed"])
    .describe("`held` by a worker, `lapsed`: it was, but its lease ran out; `put-off` until it is tried again."),
  until: TIME.nullable().describe("When a lease or a delay ends or ended; null for what was never held nor put off."),
  holder: z.string().nullable().describe("The worker's name: host, process and more."),
  receiveCount: COUNT,
  sentAt: TIME,
});

const OBJECT = z.strictObject({ key: z.string(), bytes: COUNT, modifiedAt: TIME }).meta({ id: "Object" });

const WATCH = z
  .strictObject({
    isConfigured: z.boolean(),
    isRunning: z.boolean(),
    isPaused: z.boolean(),
    reason: z.string().nullable(),
    readyFolder: z.string(),
    exportFolder: z.string(),
    quarantineFolder: z.string(),
    currentReference: z.string().nullable(),
    files: z.array(
      z.strictObject({
        name: z.string(),
        bytes: COUNT,
        state: z.string(),
        progress: SHARE.nullable(),
        detail: z.string().nullable(),
      }),
    ),
    counters: z.record(z.string(), z.number()),
  })
  .meta({ id: "Watch" });

const DELIVERY = z
  .strictObject({
    id: z.string(),
    jobId: z.string(),
    url: z.string().describe("Scheme, host and port; the rest may be a secret."),
    format: z.string(),
    state: z.string(),
    createdAt: TIME,
    nextAttemptAt: TIME_OR_NULL,
    attempts: z.array(
      z.strictObject({
        at: TIME,
        durationMs: z.number(),
        status: z.int().nullable(),
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: "Delivery" });

const PIPELINE = z
  .strictObject({
    name: z.string(),
    description: z.string(),
    paramsSchema: JSON_VALUE,
    resultSchema: JSON_VALUE,
    maxConcurrentTasks: z.int(),
    isPaused: z.boolean(),
  })
  .meta({ id: "Pipeline" });

const WORKERS = z.strictObject({ desired: COUNT, running: COUNT, busy: COUNT, max: COUNT });

/** Where a batch lies. */
const BATCH_PLACES = {
  input_bucket: z.string(),
  input_prefix: z.string(),
  output_bucket: z.string(),
  output_prefix: z.string(),
};

/** Schemas of all answers by what they are. */
export const VIEWS = {
  json: JSON_VALUE,
  failure: FAILURE,
  job: JOB,
  jobPage: z.strictObject({ jobs: z.array(JOB), nextCursor: z.string().nullable() }).meta({ id: "JobPage" }),
  task: TASK,
  tasks: z.strictObject({ tasks: z.array(TASK) }).meta({ id: "TaskList" }),
  messages: z.strictObject({ messages: z.array(MESSAGE) }).meta({ id: "MessageList" }),
  checks: z.strictObject({ checks: z.array(HEALTH_CHECK) }).meta({ id: "HealthCheckList" }),
  event: EVENT,
  events: z.strictObject({ events: z.array(EVENT) }).meta({ id: "EventList" }),
  logLines: z
    .strictObject({
      lines: z.array(JSON_VALUE),
      delayMs: z.int().min(0).meta({ description: "A line is here no later than so long after it was written." }),
    })
    .meta({ id: "LogLines" }),
  pipeline: PIPELINE,
  pipelines: z
    .strictObject({
      pipelines: z.array(PIPELINE),
      uploads: z
        .strictObject({
          by: z
            .enum(["parts", "link"])
            .describe(
              "`parts`: tus at /v1/uploads, which can go on; `link`: POST /upload-url, then one PUT, or one for each part.",
            ),
          maxBytes: COUNT.describe("Of one file."),
        })
        .describe("How files come to this server."),
    })
    .meta({ id: "PipelineList" }),
  cost: COST_REPORT.meta({ id: "Cost" }),
  estimate: ESTIMATE.meta({ id: "Estimate" }),
  queue: QUEUE,
  queues: z.strictObject({ queues: z.array(QUEUE) }).meta({ id: "QueueList" }),
  deadLetter: DEAD_LETTER,
  deadLetters: z.strictObject({ deadLetters: z.array(DEAD_LETTER) }).meta({ id: "DeadLetterList" }),
  replayed: z.strictObject({ replayed: COUNT }).meta({ id: "Replayed" }),
  object: OBJECT,
  objects: z.strictObject({ objects: z.array(OBJECT), nextAfter: z.string().nullable() }).meta({ id: "ObjectList" }),
  stats: z
    .strictObject({
      jobs: z.strictObject({ byStatus: z.record(z.enum(JOB_STATUSES), COUNT), endedLastDay: COUNT }),
      queues: z.array(QUEUE),
      workers: WORKERS,
      containers: z
        .strictObject({ desired: COUNT, running: COUNT, pending: COUNT })
        .nullable()
        .describe(
          "Those of AWS Batch and ECS that work elsewhere; null: none are known, or they cannot be counted. At most 5000 of Batch in each state.",
        ),
      startsContainers: z.boolean().describe("Whether containers are started for jobs, which then need no worker."),
      uptimeSeconds: COUNT,
    })
    .meta({ id: "Stats" }),
  system: z
    .strictObject({
      version: z.string(),
      node: z.string(),
      platform: z.string(),
      cpus: COUNT,
      memoryBytes: COUNT,
      freeMemoryBytes: COUNT,
      disk: z.strictObject({ path: z.string(), totalBytes: COUNT, freeBytes: COUNT }),
      ffmpeg: z
        .strictObject({
          version: z.string(),
          path: z.string(),
          encoders: z.array(z.string()),
          missing: z.array(z.string()),
        })
        .nullable(),
      settings: z.array(z.strictObject({ name: z.string(), value: z.string(), source: z.string() })),
    })
    .meta({ id: "System" }),
  watch: WATCH,
  edgeStats: z.record(z.string(), JSON_VALUE).meta({ id: "EdgeStats" }),
  delivery: DELIVERY,
  deliveries: z.strictObject({ deliveries: z.array(DELIVERY) }).meta({ id: "DeliveryList" }),
  accepted: z.strictObject({ status: z.literal("accepted") }).meta({ id: "Accepted" }),
  lent: z
    .strictObject({
      url: z.string().describe("A secret while it lasts."),
      headers: z.record(z.string(), z.string()).describe("To be sent along."),
      expires_in_seconds: COUNT,
    })
    .meta({ id: "Lent" }),
  multipartUpload: z
    .strictObject({
      upload_id: z.string().describe("For POST /upload-part-url, /complete-upload and /abort-upload."),
      part_bytes: COUNT.describe("Of every part but the last."),
    })
    .meta({ id: "MultipartUpload" }),
  completedUpload: z.strictObject({ key: z.string().describe("In the input bucket.") }).meta({ id: "CompletedUpload" }),
  batchSubmitted: z
    .strictObject({
      message: z.string(),
      job_id: z.string().describe("`untrunc-` and 12 hexadecimal digits."),
      batch_job_id: z
        .string()
        .describe("The id of its container in AWS Batch; where none is started, the one that the job has at /v1/jobs."),
      ...BATCH_PLACES,
      reference_file: z.string().describe("Empty where no recording of the batch is known to play."),
      reference_size_mb: z.number().describe("In units of 1024, as all sizes."),
      reference_strategy: z.enum(["smallest", "newest"]),
      files_to_repair: z.array(z.string()),
      file_count: COUNT,
      total_size_mb: z.number(),
      largest_file_mb: z.number(),
      resources: z
        .strictObject({ vcpu: z.string(), memory_mb: COUNT, storage_gb: COUNT, auto_scaled: z.boolean() })
        .describe("What a container on Fargate would be given."),
    })
    .meta({ id: "BatchSubmitted" }),
  batchState: z
    .strictObject({
      job_id: z.string(),
      status: z.enum(["QUEUED", "RUNNING", "COMPLETED", "PARTIAL", "FAILED"]),
      message: z.string(),
      ...BATCH_PLACES,
      reference_file: z.string().describe("The one that was learnt from; one that is kept by its whole key."),
      total_files: COUNT,
      success_count: COUNT,
      failure_count: COUNT,
      success_files: z.array(z.string()).describe("Repaired, or sound already."),
      failed_files: z.array(z.string()),
      timestamp: z.string(),
    })
    .meta({ id: "BatchState" }),
  health: z
    .strictObject({
      status: z.enum(["healthy", "degraded"]),
      reason: z.string().nullable(),
      service: z.literal("reelmill"),
      version: z.string(),
      default_input_bucket: z.string(),
      default_output_bucket: z.string(),
      scanner_running: z.boolean(),
      known_files: COUNT,
      current_reference: z.string().nullable(),
    })
    .meta({ id: "Health" }),
  state: z.strictObject({ status: z.literal("ok") }).meta({ id: "State" }),
  session: z.strictObject({ expiresAt: TIME_OR_NULL }).meta({ id: "Session" }),
  problem: z
    .strictObject({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
      code: z.string(),
      instance: z.string(),
    })
    .meta({ id: "Problem", description: "Problem details (RFC 9457) with a stable code." }),
} as const;
