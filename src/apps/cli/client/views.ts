import { z } from "zod";

// What this version reads of the server's answers. Fields that it does not know are let through, so that a newer server can be
// asked too; what it shows has to be there.

const TIME = z.string().nullable();
const FRACTION = z.number();
const ERROR = z.object({ code: z.string(), message: z.string() });
const COUNT = z.int().min(0);

/** A job. */
export const JOB = z.object({
  id: z.string().min(1),
  pipeline: z.string(),
  params: z.json(),
  status: z.enum(["queued", "running", "succeeded", "partial", "failed", "cancelled"]),
  stage: z.string(),
  progress: FRACTION,
  tasks: z.object({ total: COUNT, succeeded: COUNT, failed: COUNT }),
  priority: z.number(),
  parentJobId: z.string().nullable(),
  attempt: z.number(),
  createdAt: z.string(),
  startedAt: TIME,
  finishedAt: TIME,
  etaSeconds: z.number().min(0).nullable(),
  error: ERROR.nullable(),
  result: z.json(),
  webhook: z.object({ url: z.string() }).nullable(),
});

/** A job. */
export type JobView = z.output<typeof JOB>;

/** A page of jobs. */
export const JOB_PAGE = z.object({ jobs: z.array(JOB), nextCursor: z.string().min(1).nullable() });

/** A page of objects. */
export const OBJECT_PAGE = z.object({
  objects: z.array(z.object({ key: z.string() })),
  nextAfter: z.string().min(1).nullable(),
});

/** A job's tasks. */
export const TASKS = z.object({
  tasks: z.array(
    z.object({
      stage: z.string(),
      index: COUNT,
      label: z.string(),
      status: z.string(),
      attempt: COUNT,
      failures: COUNT,
      progress: FRACTION,
      phase: z.string(),
      error: ERROR.nullable(),
    }),
  ),
});

/** One task. */
export type TaskView = z.output<typeof TASKS>["tasks"][number];

/** Where the messages of a job's open tasks stand. */
export const MESSAGES = z.object({
  messages: z.array(
    z.object({
      stage: z.string(),
      index: COUNT,
      state: z.string(),
      until: TIME,
      holder: z.string().nullable(),
      sentAt: z.string(),
    }),
  ),
});

/** Where one message stands. */
export type MessageView = z.output<typeof MESSAGES>["messages"][number];

/** What jobs depend on, looked at. */
export const CHECKS = z.object({
  checks: z.array(
    z.object({ check: z.string(), status: z.string(), detail: z.string(), command: z.string().nullable() }),
  ),
});

/** One thing that jobs depend on, looked at. */
export type CheckView = z.output<typeof CHECKS>["checks"][number];

/** What happened to a job. */
export const EVENT = z.object({ seq: z.number(), at: z.string(), type: z.string(), data: z.json() });

/** A queue. */
export const QUEUE = z.object({
  queue: z.string(),
  waiting: COUNT,
  inFlight: COUNT,
  dead: COUNT,
  isPaused: z.boolean(),
  oldestSentAt: TIME,
});

/** A queue. */
export type QueueView = z.output<typeof QUEUE>;

/** All queues. */
export const QUEUES = z.object({ queues: z.array(QUEUE) });

/** Messages that were given up. */
export const DEAD_LETTERS = z.object({
  deadLetters: z.array(
    z.object({
      id: z.int(),
      queue: z.string(),
      jobId: z.string(),
      stage: z.string(),
      index: COUNT,
      receiveCount: COUNT,
      sentAt: z.string(),
      deadAt: z.string(),
      reason: ERROR,
    }),
  ),
});

/** A message that was given up. */
export type DeadLetterView = z.output<typeof DEAD_LETTERS>["deadLetters"][number];

/** How many dead letters went back to their queues. */
export const REPLAYED = z.object({ replayed: COUNT });

/** A job's log lines, oldest first. */
export const LOG_LINES = z.object({
  lines: z.array(z.looseObject({ timestamp: z.string(), level: z.string(), message: z.string() })),
  /** A line may come so long after it was written; earlier servers do not say. */
  delayMs: z.number().min(0).default(0),
});

/** One log line. */
export type LogLine = z.output<typeof LOG_LINES>["lines"][number];

const UPLOADS = z.object({ by: z.enum(["parts", "link"]), maxBytes: COUNT });

/** How files come to a server, as it tells itself. */
export type UploadWay = z.output<typeof UPLOADS>;

/** What the server offers. */
export const PIPELINES = z.object({
  /** Earlier servers take parts, and say themselves what is too large. */
  uploads: UPLOADS.default({ by: "parts", maxBytes: Number.MAX_SAFE_INTEGER }),
  pipelines: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      paramsSchema: z.record(z.string(), z.json()),
      resultSchema: z.json(),
    }),
  ),
});

/** How busy the server is. */
export const STATS = z.object({
  jobs: z.object({ byStatus: z.record(z.string(), COUNT), endedLastDay: COUNT }),
  queues: z.array(QUEUE),
  workers: z.object({ desired: COUNT, running: COUNT, busy: COUNT, max: COUNT }),
  containers: z.object({ desired: COUNT, running: COUNT, pending: COUNT }).nullable().default(null),
  startsContainers: z.boolean().default(false),
  uptimeSeconds: z.number(),
});

/** How busy the server is. */
export type StatsView = z.output<typeof STATS>;
