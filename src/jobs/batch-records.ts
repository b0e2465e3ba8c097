/** Where a job of the batch worker stands, in the words of its contract. */
export type BatchStatus = "PROCESSING" | "COMPLETED" | "FAILED";

/** What is kept of a job whose owner is another program, which reads here how it goes. Times are milliseconds since 1970-01-01T00:00:00Z. */
export interface BatchRecord {
  readonly jobId: string;
  readonly status: BatchStatus;
  readonly outputCodec: string;
  readonly bucket: string;
  readonly inputKey: string;
  /** Null unless it is COMPLETED. */
  readonly outputKey: string | null;
  /** Null unless it FAILED. */
  readonly errorMessage: string | null;
  /** Of the last attempt. */
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  /** Null while it is PROCESSING. */
  readonly finishedAtMs: number | null;
}

/** What is to be recorded of a job. */
export type BatchChange =
  | {
      readonly status: "PROCESSING";
      readonly outputCodec: string;
      /** Where the recording lies and the result goes. */
      readonly bucket: string;
      readonly inputKey: string;
    }
  | { readonly status: "COMPLETED"; readonly outputKey: string }
  | { readonly status: "FAILED"; readonly errorMessage: string };

/** Keeps a record for each job of the batch worker. Every method throws STORE_UNAVAILABLE and NO_SPACE. */
export interface BatchRecords {
  get(jobId: string): Promise<BatchRecord | undefined>;
  /**
   * Records a change as `nextBatchRecord` has it, in one step with reading the record before, and gives the record as it then is.
   * Throws JOB_NOT_FOUND where an attempt ends that never began.
   */
  record(jobId: string, change: BatchChange): Promise<BatchRecord>;
}

/**
 * The record behind a change: one that is COMPLETED stays as it is, one that FAILED can be begun again. Undefined where there is no
 * record and the change is not its beginning.
 */
export function nextBatchRecord(
  record: BatchRecord | undefined,
  jobId: string,
  change: BatchChange,
  nowMs: number,
): BatchRecord | undefined {
  if (record?.status === "COMPLETED") return record;
  if (change.status === "PROCESSING") {
    const ending = { outputKey: null, errorMessage: null };
    return { jobId, ...change, ...ending, startedAtMs: nowMs, updatedAtMs: nowMs, finishedAtMs: null };
  }
  if (record === undefined) return undefined;
  const ended = { ...record, updatedAtMs: nowMs, finishedAtMs: nowMs };
  return change.status === "COMPLETED"
    ? { ...ended, ...change, errorMessage: null }
    : { ...ended, ...change, outputKey: null };
}
