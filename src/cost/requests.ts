/** What a job asks of the services that are paid for by the request. */
export interface Requests {
  readonly s3Puts: number;
  readonly s3Gets: number;
  /** Request units. */
  readonly tableWrites: number;
  readonly tableReads: number;
  readonly queueRequests: number;
  readonly functionCalls: number;
  /** Memory of the functions by their time. */
  readonly functionGbSeconds: number;
}

/** The size of a job, as far as its requests go. */
export interface RequestSize {
  /** Parts that it is worked at in. */
  readonly tasks: number;
  /** How long it is worked at. */
  readonly workSeconds: number;
  readonly outputBytes: number;
  /** Whether its tasks are told of by SQS. */
  readonly usesQueue: boolean;
}

/** The engine on DynamoDB, measured on the emulator with jobs of 1, 2, 10 and 40 tasks: a job with none, and what each task adds. */
const JOB_WRITES = 47;
const TASK_WRITES = 20;
const JOB_READS = 20;
const TASK_READS = 8;
/** A running attempt tells how far it has come twice a second, one unit read and one written each time. */
const BEATS_PER_SECOND = 2;
/** Sent, received, deleted. */
const QUEUE_REQUESTS_PER_TASK = 3;
/** Plan and end, besides the work. */
const OUTER_TASKS = 2;
/** The parts that objects are uploaded in; larger ones come with objects above 8 GB. */
const PART_BYTES = 8 * 1024 ** 2;
/** Assumed: an upload's address, the submission and one look at the job, each 0.3 s of a function with 1 GB. */
const FUNCTION_CALLS = 3;
const FUNCTION_SECONDS = 0.3;
const FUNCTION_GB = 1;
/**
 * The table's stream calls a function where a job is made, and where an attempt at a task begins and ends, each time with one read; what comes at once it is
 * told at once, which is not counted on. Not for beats: `item-patterns.ts`. Assumed: 0.05 s each, of a function with half a GB.
 */
const STREAM_CALLS_PER_JOB = 1;
const STREAM_CALLS_PER_TASK = 2;
const STREAM_SECONDS = 0.05;
const STREAM_GB = 0.5;

/** The requests of one job; those of S3 and SQS are counted from what the adapters do, not measured. */
export function countRequests({ tasks, workSeconds, outputBytes, usesQueue }: RequestSize): Requests {
  const beats = BEATS_PER_SECOND * workSeconds;
  // What the tasks made is put together into the output: bytes are put twice.
  const parts = 2 * Math.ceil(outputBytes / PART_BYTES);
  const streamCalls = STREAM_CALLS_PER_JOB + STREAM_CALLS_PER_TASK * (tasks + OUTER_TASKS);
  return {
    s3Puts: parts + tasks + OUTER_TASKS,
    s3Gets: 2 * tasks + OUTER_TASKS,
    tableWrites: JOB_WRITES + TASK_WRITES * tasks + beats,
    tableReads: JOB_READS + TASK_READS * tasks + beats + streamCalls,
    queueRequests: usesQueue ? QUEUE_REQUESTS_PER_TASK * (tasks + OUTER_TASKS) : 0,
    functionCalls: FUNCTION_CALLS + streamCalls,
    functionGbSeconds: FUNCTION_CALLS * FUNCTION_SECONDS * FUNCTION_GB + streamCalls * STREAM_SECONDS * STREAM_GB,
  };
}
