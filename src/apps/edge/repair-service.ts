import type { Json } from "../../base/json.ts";
import type { JobError } from "../../jobs/job.ts";

/** A file to be repaired. All paths are absolute. */
export interface RepairRequest {
  /**
   * The same for the same file with the same offered to it, also after a restart, so that a job that is already there can be
   * found again; another one for another try. 64 hexadecimal digits.
   */
  readonly key: string;
  /** Stays where it is and is only read. */
  readonly input: string;
  /**
   * Healthy recordings, the one to be tried first in front; empty: what the file tells itself, or healthy ones that lie
   * beside it.
   */
  readonly references: readonly string[];
  /** A folder of this request alone, there and empty. What lies in it when the request ends is taken or removed. */
  readonly outputFolder: string;
  /** Ends the work; then `repair` throws ABORTED, and nothing writes into the folder any more. */
  readonly signal: AbortSignal;
  /** Hears the id of the job, as soon as there is one on this machine. */
  readonly onJob: (jobId: string) => void;
  /**
   * Hears a fraction from 0 to 1 and what is being done. The first call says that the work has begun: the time that a repair
   * may take counts from then, not from a place in a queue.
   */
  readonly onProgress: (fraction: number, phase: string) => void;
}

/** What became of a request. A file that cannot be repaired is an outcome; what is thrown is the service's own trouble. */
export type RepairOutcome =
  /**
   * `output` is a verified file of any name, best in the request's folder; one that lies elsewhere is linked or copied from
   * there, or moved. `report` says what was found, done and checked.
   */
  | { readonly status: "repaired"; readonly output: string; readonly report: Json; readonly jobId?: string }
  | { readonly status: "healthy"; readonly report: Json; readonly jobId?: string }
  | { readonly status: "failed"; readonly error: JobError; readonly report: Json; readonly jobId?: string };

/** Whoever repairs files for the watch folder: a job queue, the pipeline itself, or the batch API. */
export interface RepairService {
  /** Throws ABORTED, and retryable errors such as SERVER_UNREACHABLE or NO_SPACE. */
  repair(request: RepairRequest): Promise<RepairOutcome>;
}
