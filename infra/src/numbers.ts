import { GPU_MACHINE, GPU_MACHINE_TASK_MB, GPU_MACHINE_VCPUS } from "./gpu-machine.ts";

/** One number that the stacks are made with. */
export interface NumberSetting {
  readonly value: number;
  /** Both included. */
  readonly min: number;
  readonly max: number;
  /** What it is, with its unit. */
  readonly meaning: string;
  readonly isFraction?: true;
}

function whole(value: number, min: number, max: number, meaning: string): NumberSetting {
  return { value, min, max, meaning };
}

function fraction(value: number, min: number, max: number, meaning: string): NumberSetting {
  return { value, min, max, meaning, isFraction: true };
}

/** SQS hides a message for at most 12 h. */
const MAX_VISIBILITY_SECONDS = 43_200;
const MAX_QUEUE_SECONDS = 1_209_600;
const DAY_SECONDS = 86_400;
const VISIBILITY =
  "seconds that a received message of the queue stays hidden without a sign of life; it only wakes workers: the task of one that died is taken again by its lease in the table, but what scales the workers counts the message that long";
const CONTRACT_RESOURCES = "of a repair job in AWS Batch that is not sized to its input";

/** Every number, by the name that the contract has for it where it has one. The contract's values are the defaults. */
export const NUMBERS = {
  job_vcpu: whole(4, 1, 16, `vCPUs ${CONTRACT_RESOURCES}; with the memory a combination that Fargate accepts`),
  job_memory_mb: whole(8192, 512, 122_880, `MiB of memory ${CONTRACT_RESOURCES}`),
  job_ephemeral_storage_gb: whole(100, 21, 200, "GiB of disk of a job in AWS Batch that is not sized to its input"),
  job_timeout_seconds: whole(7200, 60, 604_800, "seconds that one attempt of a job in AWS Batch may take"),
  job_retry_attempts: whole(2, 1, 10, "attempts of a job in AWS Batch, the first one included"),
  batch_max_vcpus: whole(16, 1, 10_000, "vCPUs that all jobs in AWS Batch may have together"),
  convert_vcpu: whole(2, 1, 16, "vCPUs of a conversion"),
  convert_memory_mb: whole(4096, 512, 122_880, "MiB of memory of a conversion"),
  log_retention_days: whole(30, 1, 3653, "days that logs are kept; one of the numbers that CloudWatch knows"),
  raw_file_retention_days: whole(30, 1, 3650, "days that what was uploaded, and old versions of objects, are kept"),
  job_retention_days: whole(30, 1, 3650, "days that jobs which have ended, and what they left, are kept"),
  unfinished_upload_days: whole(7, 1, 365, "days after which the parts of an upload that nobody finished are removed"),

  hls_visibility_timeout_seconds: whole(600, 30, MAX_VISIBILITY_SECONDS, VISIBILITY),
  hls_message_retention_seconds: whole(
    4 * DAY_SECONDS,
    60,
    MAX_QUEUE_SECONDS,
    "seconds that a message waits for a worker",
  ),
  chunking_visibility_timeout_seconds: whole(900, 30, MAX_VISIBILITY_SECONDS, VISIBILITY),
  inference_visibility_timeout_seconds: whole(1800, 30, MAX_VISIBILITY_SECONDS, VISIBILITY),
  reassembly_visibility_timeout_seconds: whole(600, 30, MAX_VISIBILITY_SECONDS, VISIBILITY),
  stereo_message_retention_seconds: whole(
    4 * DAY_SECONDS,
    60,
    MAX_QUEUE_SECONDS,
    "seconds that a message of the three stereo queues waits for a worker",
  ),
  dead_letter_retention_seconds: whole(MAX_QUEUE_SECONDS, 60, MAX_QUEUE_SECONDS, "seconds that a dead letter is kept"),
  SQS_LONG_POLL_WAIT_SECONDS: whole(20, 0, 20, "seconds that a worker's question for messages waits at the queue"),
  maxReceiveCount: whole(
    1000,
    1,
    1000,
    "receipts of a message in SQS after which it becomes a dead letter there; it only tells of a task, whose own attempts the table counts, and is received again while the task waits",
  ),

  messages_per_worker: whole(10, 1, 1000, "messages, visible and in flight, for which one stereo worker is wanted"),
  media_worker_max_capacity: whole(10, 1, 100, "stereo workers that split and reassemble, at most"),
  ecs_video_worker_max_capacity: whole(8, 1, 100, "stereo workers that infer, at most"),
  stereo_vcpu: whole(4, 1, 16, "vCPUs of a stereo worker"),
  stereo_memory_mb: whole(8192, 512, 122_880, "MiB of memory of a stereo worker"),
  stereo_ephemeral_storage_gb: whole(100, 21, 200, "GiB of disk of a stereo worker"),
  worker_stop_timeout_seconds: whole(120, 2, 120, "seconds from SIGTERM to SIGKILL; Fargate allows no more than 120"),

  gpu_messages_per_worker: whole(1, 1, 1000, "messages, visible and in flight, for which one GPU worker is wanted"),
  gpu_max_capacity: whole(3, 1, 100, "GPU workers, and machines for them, at most"),
  gpu_on_demand_base_capacity: whole(
    1,
    0,
    100,
    "GPU machines that are on demand before any other; at most `gpu_max_capacity`",
  ),
  gpu_on_demand_percentage_above_base: whole(0, 0, 100, "per cent of the further GPU machines that are on demand"),
  gpu_vcpu: whole(4, 1, GPU_MACHINE_VCPUS, `vCPUs of a GPU worker; its machine, a ${GPU_MACHINE}, has no more`),
  gpu_memory_mb: whole(
    15_360,
    512,
    GPU_MACHINE_TASK_MB,
    `MiB of memory of a GPU worker; its machine, a ${GPU_MACHINE}, has 16 GiB less what its system needs`,
  ),
  gpu_disk_gb: whole(200, 30, 16_384, "GiB of disk of a GPU machine"),

  scale_out_cooldown_seconds: whole(60, 0, 3600, "seconds between two scalings out"),
  scale_in_cooldown_seconds: whole(
    300,
    60,
    3600,
    "seconds, in minutes, for which there must be too many workers before one is stopped",
  ),
  idle_minutes_to_zero: whole(
    10,
    1,
    1440,
    "minutes for which a queue must be empty before its last workers are stopped",
  ),

  api_memory_mb: whole(1024, 128, 10_240, "MiB of memory of the function that serves the API"),
  api_timeout_seconds: whole(29, 1, 29, "seconds that one request may take; API Gateway waits for 30"),
  api_requests_per_second: whole(50, 1, 10_000, "requests per second that the API takes over time"),
  api_burst_requests: whole(100, 1, 5000, "requests that the API takes at once"),
  event_memory_mb: whole(512, 128, 10_240, "MiB of memory of each function that is called by an event"),
  event_timeout_seconds: whole(60, 1, 900, "seconds that a function called by an event may take"),
  event_attempts: whole(
    3,
    1,
    3,
    "attempts of a function at one event, the first one included; Lambda makes no more than 3",
  ),
  stream_retry_attempts: whole(
    10,
    0,
    10_000,
    "times that a change of the table which its function refused is given again",
  ),
  sweep_interval_minutes: whole(1, 1, 60, "minutes between two calls of the sweeper"),

  clip_max_concurrency: whole(5, 1, 40, "clips of one job that are made at a time"),
  clip_timeout_seconds: whole(600, 60, 840, "seconds that one clip may take; a function has 900"),
  clip_memory_mb: whole(3008, 512, 10_240, "MiB of memory of the function that makes clips; it has CPU by that"),

  endpoint_zones: whole(
    1,
    1,
    2,
    "zones that each endpoint of the workers' network is in, where `workers_reach` is `endpoints`; each is paid for by the hour, and a second one is for a zone that fails",
  ),
  alarm_period_seconds: whole(
    300,
    60,
    86_400,
    "seconds in which one failed job or one error of a function is an alarm",
  ),
  monthly_budget_usd: fraction(
    100,
    1,
    1_000_000,
    "US dollars per month of the whole account: told of at 80 % of it, and when more is forecast",
  ),
} as const satisfies Readonly<Record<string, NumberSetting>>;

/** Name of a number. */
export type NumberName = keyof typeof NUMBERS;
