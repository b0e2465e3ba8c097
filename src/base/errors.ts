/** What is known of a code before any instance of it is thrown. */
interface ErrorCodeEntry {
  /** Whether trying the same thing again, unchanged, may succeed. */
  readonly retryable: boolean;
  /** One sentence for docs/reference/errors.md: what happened and what to do. */
  readonly meaning: string;
}

/** Every stable error code of Reelmill. A code is never renamed and never reused for something else. */
export const ERROR_CODES = {
  USAGE: { retryable: false, meaning: "The command line names something that does not exist or is out of range." },
  CONFIG_INVALID: { retryable: false, meaning: "An environment variable or setting has a value that is not allowed." },
  INPUT_NOT_FOUND: { retryable: false, meaning: "No file lies at the path given." },
  INPUT_UNREADABLE: {
    retryable: false,
    meaning: "The file cannot be opened or read; check its permissions and the disk.",
  },
  INPUT_IS_DIRECTORY: { retryable: false, meaning: "A folder was given where a single file is needed." },
  INPUT_SYMLINK_LOOP: { retryable: false, meaning: "The path leads round in a circle of symbolic links." },
  INPUT_EMPTY: { retryable: false, meaning: "The file holds no bytes, so there is nothing to recover." },
  INPUT_NOT_VIDEO: {
    retryable: false,
    meaning: "The file's content is not a recording of a kind that Reelmill knows.",
  },
  REFERENCE_REQUIRED: {
    retryable: false,
    meaning:
      "The damaged file lacks its codec configuration; give a healthy recording of the same device and settings with -r.",
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
    meaning: "The repaired file did not pass the checks on the output; it was not published.",
  },
  NO_SPACE: { retryable: true, meaning: "The disk is full; nothing half-written was left behind." },
  FFMPEG_MISSING: { retryable: false, meaning: "ffmpeg or ffprobe is not installed or not on the PATH." },
  FFMPEG_FAILED: { retryable: false, meaning: "ffmpeg or ffprobe refused its input or stopped with an error." },
  FFMPEG_TIMEOUT: {
    retryable: true,
    meaning: "ffmpeg or ffprobe did not finish within its time bound and was stopped.",
  },
  ENGINE_MISSING: { retryable: false, meaning: "The program that --engine names is not installed or not on the PATH." },
  ENGINE_FAILED: {
    retryable: false,
    meaning: "The program that --engine names wrote nothing usable or did not finish within its time bound.",
  },
  ABORTED: { retryable: true, meaning: "The work was cancelled before it was done." },
  MEDIA_MALFORMED: { retryable: false, meaning: "A box or bitstream breaks its specification at the place named." },
  INTERNAL: { retryable: false, meaning: "A fault in Reelmill itself; please report it with the message." },
} as const satisfies Readonly<Record<string, ErrorCodeEntry>>;

/** A code of the registry. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** The one error class: a stable code, whether a retry may help, and a message in the user's terms. */
export class ReelmillError extends Error {
  override readonly name = "ReelmillError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** The message without its advice, for one that is told as part of another. */
  readonly problem: string;
  /** What the user may do, one sentence; empty where the problem alone says it. */
  readonly advice: string;

  /** The message is `problem`, followed by the advice where one is given. */
  constructor(code: ErrorCode, problem: string, options: { readonly cause?: unknown; readonly advice?: string } = {}) {
    const { advice = "", ...rest } = options;
    super(advice === "" ? problem : `${problem} ${advice}`, rest);
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.problem = problem;
    this.advice = advice;
  }
}
