import type { Json } from "./json.ts";

/** What is known of a code before any instance of it is thrown. */
interface ErrorCodeEntry {
  /** Whether trying the same thing again, unchanged, may succeed. */
  readonly retryable: boolean;
  /** One sentence for docs/reference/errors.md: what happened and what to do. */
  readonly meaning: string;
}

/** Every stable error code of Reelmill. A code is never renamed and never reused for something else. */
export const ERROR_CODES = {
  USAGE: {
    retryable: false,
    meaning:
      "The command line names something that does not exist or is out of range, or lacks something; nothing was begun.",
  },
  CONFIG_INVALID: { retryable: false, meaning: "An environment variable or setting has a value that is not allowed." },
  INPUT_NOT_FOUND: { retryable: false, meaning: "No file lies at the path given." },
  INPUT_UNREADABLE: {
    retryable: false,
    meaning: "The file cannot be opened or read; check its permissions and the disk.",
  },
  INPUT_IS_DIRECTORY: { retryable: false, meaning: "A folder was given where a single file is needed." },
  INPUT_FOLDER_EMPTY: {
    retryable: false,
    meaning:
      "The folder given holds no recordings, nor does one in it; a file without their usual extensions is to be named by itself.",
  },
  INPUT_SYMLINK_LOOP: { retryable: false, meaning: "The path leads round in a circle of symbolic links." },
  INPUT_NAME_INVALID: {
    retryable: false,
    meaning:
      "A file in the watch folder has a name that no job can name it by, such as one with a control character or one that is not in UTF-8; rename the file.",
  },
  INPUT_EMPTY: { retryable: false, meaning: "The file holds no bytes." },
  INPUT_NOT_VIDEO: {
    retryable: false,
    meaning: "The file's content is not a recording of a kind that Reelmill knows.",
  },
  INPUT_TOO_LONG: {
    retryable: false,
    meaning:
      "By its times the recording would become more than is made: an HLS package of more than 48 hours, or, at an even frame rate, more than 16,777,216 pictures. A time of it is wrong, or it has to be cut first.",
  },
  INPUT_DISCONTINUOUS: {
    retryable: false,
    meaning:
      "The times of the recording jump back in the middle of it, as where MPEG-TS files were joined byte by byte; write it anew so that its times go on.",
  },
  INPUT_TOO_SHORT: {
    retryable: false,
    meaning:
      "The recording is so short, and without sound, that no rung of an HLS package could keep to the 192 kbit/s that one must; lengthen it.",
  },
  SUBSAMPLES_TOO_MANY: {
    retryable: false,
    meaning:
      "A picture that was encoded has more slices or tiles than fragmented MP4 can tell of when each is encrypted by itself, 42; encrypt segments as a whole (aes-128), or choose MPEG-TS.",
  },
  REFERENCE_REQUIRED: {
    retryable: false,
    meaning:
      "The damaged file lacks its codec configuration; give a healthy recording of the same device and settings: with -r, among a job's references, or in the watch folder.",
  },
  REFERENCE_MISMATCH: {
    retryable: false,
    meaning: "The reference's tracks do not fit the damaged file; the message names the track and the mismatch.",
  },
  REFERENCE_UNUSABLE: {
    retryable: false,
    meaning: "The reference is itself damaged or holds no tracks; give a file that plays.",
  },
  NOTHING_RECOVERED: { retryable: false, meaning: "No packet of any track could be found in the damaged file." },
  OUTPUT_EXISTS: {
    retryable: false,
    meaning: "The output's name is taken by another file; choose another name or remove that file.",
  },
  OUTPUT_UNWRITABLE: { retryable: false, meaning: "The output's folder or file cannot be written." },
  OUTPUT_NOT_VERIFIED: {
    retryable: false,
    meaning: "What was repaired, converted or packaged did not pass the checks on the output; it was not published.",
  },
  NO_SPACE: { retryable: true, meaning: "The disk is full; nothing half-written was left behind." },
  FFMPEG_MISSING: { retryable: false, meaning: "ffmpeg or ffprobe is not installed or not on the PATH." },
  FFMPEG_FAILED: { retryable: false, meaning: "ffmpeg or ffprobe refused its input or stopped with an error." },
  PROGRAM_KILLED: {
    retryable: true,
    meaning:
      "ffmpeg, or another program that was started, was killed from outside, as the system does when memory runs out.",
  },
  FFMPEG_TIMEOUT: {
    retryable: true,
    meaning: "ffmpeg or ffprobe did not finish within its time bound and was stopped.",
  },
  ENCODER_MISSING: {
    retryable: false,
    meaning:
      "The ffmpeg in use has no working encoder for the codec wished; the message names the encoder and how to get it.",
  },
  FILTER_MISSING: {
    retryable: false,
    meaning: "The ffmpeg in use lacks a filter that what was asked for needs; the message names it.",
  },
  TARGET_UNREACHABLE: {
    retryable: false,
    meaning:
      "No quality that the encoder has gives the score or the size aimed at; the message names the best that can be had.",
  },
  ENGINE_MISSING: { retryable: false, meaning: "The program that --engine names is not installed or not on the PATH." },
  ENGINE_FAILED: {
    retryable: false,
    meaning: "The program that --engine names wrote nothing usable or did not finish within its time bound.",
  },
  ABORTED: { retryable: true, meaning: "The work was cancelled before it was done." },
  PIPELINE_UNKNOWN: { retryable: false, meaning: "No pipeline has the name given; the message names those there are." },
  PARAMS_INVALID: {
    retryable: false,
    meaning: "A job's params do not fit its pipeline's schema; the message names each field.",
  },
  REQUEST_INVALID: {
    retryable: false,
    meaning: "A request's path, query, header or body is not as the interface wants it; the message names the part.",
  },
  JOB_NOT_FOUND: {
    retryable: false,
    meaning: "No job has the id given, or it ended so long ago that it was forgotten.",
  },
  JOB_STATE: {
    retryable: false,
    meaning:
      "What was asked for is not possible in the state that the job is in, such as cancelling one that has ended.",
  },
  IDEMPOTENCY_CONFLICT: {
    retryable: false,
    meaning: "The idempotency key was used before, for another request; use a new key for a new request.",
  },
  CURSOR_INVALID: { retryable: false, meaning: "The cursor of a list is not one that an earlier page gave." },
  BATCH_EMPTY: {
    retryable: false,
    meaning:
      "No recording to be repaired lies below the prefix that was given to the batch API, besides its reference.",
  },
  QUEUE_UNKNOWN: { retryable: false, meaning: "No queue has the name given." },
  DEAD_LETTER_NOT_FOUND: {
    retryable: false,
    meaning: "No dead letter has the id given; it may have been replayed already.",
  },
  WORKER_LOST: {
    retryable: false,
    meaning:
      "Several workers in a row ended in the middle of the same task, by a crash or a lack of memory; or AWS Batch gave up the job's container, which may have taken longer than it may (job_timeout_seconds).",
  },
  TASK_BUSY: {
    retryable: true,
    meaning: "A task that was asked for by name is not due for now: somebody else works at it, or its queue is paused.",
  },
  TASK_TIMEOUT: { retryable: true, meaning: "A task took longer than its pipeline allows and was ended." },
  OBJECT_KEY_INVALID: {
    retryable: false,
    meaning: "An object's key is empty, too long, or holds parts that could lead out of the store.",
  },
  OBJECT_KEY_CONFLICT: {
    retryable: false,
    meaning:
      "A store of files cannot keep an object under a key that names a folder, or below one that names an object; choose another key.",
  },
  OBJECT_NOT_FOUND: { retryable: false, meaning: "No object has the key given." },
  STORE_UNAVAILABLE: {
    retryable: true,
    meaning: "The disk, share or service that keeps objects or jobs does not answer for now.",
  },
  STORE_REFUSED: {
    retryable: false,
    meaning:
      "The service that keeps objects or jobs refuses the credentials in use or what is asked of it, or does not know the bucket, table or queue; check settings and permissions.",
  },
  UNAUTHORIZED: { retryable: false, meaning: "The API key is missing or not one that is allowed." },
  RATE_LIMITED: { retryable: true, meaning: "Too many requests in a short time; the answer tells when to try again." },
  ANSWER_TOO_LARGE: {
    retryable: false,
    meaning:
      "The answer is larger than a function on AWS may give; ask for a range of the object, or fetch it from the bucket.",
  },
  BODY_TOO_LARGE: { retryable: false, meaning: "The request's body is larger than allowed." },
  NOT_FOUND: { retryable: false, meaning: "Nothing is served at the path given." },
  FORBIDDEN: {
    retryable: false,
    meaning:
      "A request came by way of another web site, for another host name, or wants to change what is only to be read.",
  },
  METHOD_NOT_ALLOWED: { retryable: false, meaning: "The path is served, but not by the method of the request." },
  MEDIA_TYPE_UNSUPPORTED: { retryable: false, meaning: "The request's body is of a type that is not taken there." },
  URL_TOO_LONG: { retryable: false, meaning: "The request's URL is longer than allowed." },
  HEADERS_TOO_LARGE: { retryable: false, meaning: "The request's headers are larger than allowed." },
  REQUEST_TIMEOUT: { retryable: true, meaning: "The request was not sent within the time allowed." },
  RANGE_UNSATISFIABLE: { retryable: false, meaning: "The range asked for begins behind the object's end." },
  UPLOAD_NOT_FOUND: {
    retryable: false,
    meaning: "No upload has the id given; it may have been removed, or was not resumed for too long.",
  },
  UPLOAD_REFUSED: {
    retryable: false,
    meaning:
      "A request of the upload protocol does not fit the upload, such as one that goes on at another offset; or the store behind a link did not take the file.",
  },
  DELIVERY_NOT_FOUND: { retryable: false, meaning: "No webhook delivery has the id given." },
  WATCH_NOT_CONFIGURED: { retryable: false, meaning: "The server has no watch folder; start it with --watch." },
  WEBHOOK_REFUSED: {
    retryable: false,
    meaning: "A webhook's address is not allowed: not http or https, or it leads into a private network.",
  },
  WEBHOOK_FAILED: {
    retryable: true,
    meaning: "A webhook's receiver could not be reached or did not answer with success.",
  },
  DATA_FOLDER_IN_USE: {
    retryable: false,
    meaning: "Another Reelmill server or worker works with the data folder; each needs one of its own.",
  },
  ADDRESS_UNUSABLE: {
    retryable: false,
    meaning:
      "The server cannot listen at the address and port given: another program does, or they are not this machine's.",
  },
  SERVER_UNREACHABLE: {
    retryable: true,
    meaning: "No Reelmill server answers at the address; start one with `reelmill up`, or name another with --server.",
  },
  CLOUD_UNREACHABLE: {
    retryable: true,
    meaning: "The batch API at AWS_REPAIR_API_BASE_URL, or the store behind it, did not answer, or could not for now.",
  },
  CLOUD_REFUSED: {
    retryable: false,
    meaning: "The batch API refused a request, such as one with a wrong AWS_API_KEY, or answered what is no answer.",
  },
  CLOUD_JOB_FAILED: {
    retryable: false,
    meaning: "The batch API took the file, but could not repair it in time or at all.",
  },
  SERVER_ANSWER_INVALID: {
    retryable: false,
    meaning:
      "What answers at the address is no Reelmill server, or one of another version, or it failed; check the address and the server's log.",
  },
  UPLOAD_CHANGED: { retryable: true, meaning: "A file changed or shrank while it was being uploaded." },
  FEATURE_MISSING: {
    retryable: false,
    meaning: "A setting asks for what this version of Reelmill does not have yet; the message names both.",
  },
  AWS_NOT_CONFIGURED: {
    retryable: false,
    meaning:
      "No region, or no credentials of AWS, are found in any place where the AWS SDK looks; the message says which, and how to name them.",
  },
  STACK_NOT_FOUND: {
    retryable: false,
    meaning:
      "No stack has the name given in this account and region, or it is not one that has the API; the message names what was asked for.",
  },
  STACK_PACKAGES_MISSING: {
    retryable: false,
    meaning:
      "The packages of infra/, which deploying needs, are not installed or of other versions; run `npm ci` there.",
  },
  CONTAINER_ENGINE_MISSING: {
    retryable: false,
    meaning: "No program that builds images (docker, podman) is on the PATH, or it does not answer.",
  },
  DEPLOY_FAILED: {
    retryable: false,
    meaning:
      "A step of `reelmill deploy` failed; the message names it, and what its program said stands above. The same command again goes on from there.",
  },
  ESTIMATE_IMPOSSIBLE: {
    retryable: false,
    meaning: "What a job costs cannot be told: nothing like it was measured yet, or its size is not known.",
  },
  MEDIA_MALFORMED: { retryable: false, meaning: "A box or bitstream breaks its specification at the place named." },
  INTERNAL: { retryable: false, meaning: "A fault in Reelmill itself; please report it with the message." },
} as const satisfies Readonly<Record<string, ErrorCodeEntry>>;

/** A code of the registry. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error may carry besides its code and message. */
interface ErrorOptions {
  readonly cause?: unknown;
  readonly advice?: string;
  readonly details?: Json;
}

/** The one error class: a stable code, whether a retry may help, and a message in the user's terms. */
export class ReelmillError extends Error {
  override readonly name = "ReelmillError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** The message without its advice, for one that is told as part of another. */
  readonly problem: string;
  /** What the user may do, one sentence; empty where the problem alone says it. */
  readonly advice: string;
  /** What else is known of it, for reports. */
  readonly details: Json | undefined;

  /** The message is `problem`, followed by the advice where one is given. */
  constructor(code: ErrorCode, problem: string, options: ErrorOptions = {}) {
    const { advice = "", details, ...rest } = options;
    super(advice === "" ? problem : `${problem} ${advice}`, rest);
    this.details = details;
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.problem = problem;
    this.advice = advice;
  }
}
