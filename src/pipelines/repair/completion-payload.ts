import { z } from "zod";
import type { Json } from "../../base/json.ts";
import type { Job } from "../../jobs/job.ts";
import type { JobNews } from "../../jobs/webhook-payload.ts";
import type { RepairDocument } from "./result.ts";

/** What a job of the batch API is called there, and where it lies in the API's terms. */
export const BATCH_PLACE = z.strictObject({
  id: z.string().max(100),
  inputBucket: z.string().max(255),
  inputPrefix: z.string().max(1024),
  outputBucket: z.string().max(255),
  outputPrefix: z.string().max(1024),
  inputRoot: z.string().max(1024).describe("What the keys of the input bucket begin with in the store."),
  vcpu: z.int().min(1).max(16).optional().describe("Of its container, where it gets one of its own."),
  memoryMb: z.int().min(512).max(122_880).optional().describe("Of that container, in MiB."),
  storageGb: z.int().min(21).max(200).optional().describe("Its least disk, in GiB."),
});

/** As `BATCH_PLACE` has it. */
export type BatchPlace = Readonly<z.output<typeof BATCH_PLACE>>;

/** The batch that a job of the pipeline repair is; undefined for one that came another way. */
export function batchOf({ params }: Pick<Job, "params">): BatchPlace | undefined {
  return z.object({ batch: BATCH_PLACE }).safeParse(params).data?.batch;
}

/** Jobs that came another way have no buckets, and name files by whole keys or paths. */
const NO_PLACE: Omit<BatchPlace, "id"> = {
  inputBucket: "",
  inputPrefix: "",
  outputBucket: "",
  outputPrefix: "",
  inputRoot: "",
};

/** What the completion payload needs of the document of a repair. */
export interface RepairOutcome {
  readonly files: readonly Pick<RepairDocument["files"][number], "input" | "status" | "references">[];
}

/** What the completion payload needs of a job. */
export type EndedRepair = Pick<Job, "id" | "status" | "error" | "finishedAtMs" | "updatedAtMs">;

/** What tells the end of a repair: the same fields by the same names wherever it ran. */
export interface RepairCompletion {
  readonly [name: string]: Json;
  readonly job_id: string;
  /** FAILED where no file is sound at the end, or the job itself failed or was cancelled. */
  readonly status: "COMPLETED" | "PARTIAL" | "FAILED";
  readonly message: string;
  readonly input_bucket: string;
  readonly input_prefix: string;
  readonly output_bucket: string;
  readonly output_prefix: string;
  /** The first recording that was learnt from; empty where none was. */
  readonly reference_file: string;
  readonly total_files: number;
  readonly success_count: number;
  readonly failure_count: number;
  /** Inputs that were repaired, that could be (in a dry run), or that needed no repair, in their order. */
  readonly success_files: readonly string[];
  readonly failed_files: readonly string[];
  /** When the job ended (RFC 3339, UTC, whole seconds). */
  readonly timestamp: string;
}

/**
 * The completion payload of a repair. Without a document, as after a failure before any file was looked at, the lists are
 * empty. Without a batch, buckets and prefixes are empty strings: the fields stay, so that a receiver needs no second case. Files are
 * named as in the input bucket; a reference that lies outside it by its whole key.
 */
export function createCompletionPayload(
  job: EndedRepair,
  outcome: RepairOutcome | undefined,
  batch?: BatchPlace,
): RepairCompletion {
  const place = batch ?? NO_PLACE;
  const named = (key: string): string => (key.startsWith(place.inputRoot) ? key.slice(place.inputRoot.length) : key);
  const files = (outcome?.files ?? []).map(({ input, status, references }) => ({
    input: named(input),
    status,
    references: references.map(named),
  }));
  const successes = files.filter(({ status }) => status !== "failed").map(({ input }) => input);
  const failures = files.filter(({ status }) => status === "failed").map(({ input }) => input);
  const status = statusOf(job, successes.length, failures.length);
  return {
    job_id: batch?.id ?? job.id,
    status,
    message: messageOf(job, status, successes.length, files.length),
    input_bucket: place.inputBucket,
    input_prefix: place.inputPrefix,
    output_bucket: place.outputBucket,
    output_prefix: place.outputPrefix,
    reference_file: files.flatMap(({ references }) => references)[0] ?? "",
    total_files: files.length,
    success_count: successes.length,
    failure_count: failures.length,
    success_files: successes,
    failed_files: failures,
    timestamp: new Date(job.finishedAtMs ?? job.updatedAtMs).toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

function statusOf(job: EndedRepair, successes: number, failures: number): RepairCompletion["status"] {
  if (job.status === "failed" || job.status === "cancelled" || (successes === 0 && failures > 0)) return "FAILED";
  return failures > 0 || job.status === "partial" ? "PARTIAL" : "COMPLETED";
}

function messageOf(job: EndedRepair, status: RepairCompletion["status"], successes: number, total: number): string {
  if (job.status === "cancelled") return "The repair was cancelled";
  if (job.error !== null && status === "FAILED") return `The repair failed: ${job.error.message}`;
  const counted = `${total} ${total === 1 ? "file" : "files"}`;
  switch (status) {
    case "COMPLETED":
      return total === 0 ? "There was nothing to repair" : `All of ${counted} repaired or sound`;
    case "PARTIAL":
      return `${successes} of ${counted} repaired or sound, ${total - successes} failed`;
    case "FAILED":
      return `None of ${counted} could be repaired`;
  }
}

/** As much of a job's result as is needed; the rest is let through unread. */
const OUTCOME = z.object({
  files: z.array(
    z.object({
      input: z.string(),
      status: z.enum(["repaired", "repairable", "healthy", "failed"]),
      references: z.array(z.string()),
    }),
  ),
});

/** The news of a repair that has ended, from the document that the job has as its result. */
export function describeRepairCompletion(job: Job): JobNews {
  const payload = createCompletionPayload(job, OUTCOME.safeParse(job.result).data, batchOf(job));
  const { status, message, success_count, failure_count, reference_file } = payload;
  const reference = reference_file === "" ? [] : [{ name: "Reference", value: reference_file }];
  return {
    payload,
    headline: `Repair ${status.toLowerCase()}`,
    facts: [
      { name: "Job", value: payload.job_id },
      { name: "Outcome", value: message },
      { name: "Files", value: `${success_count} repaired or sound, ${failure_count} failed` },
      ...reference,
    ],
  };
}

/** Where a batch stands: the fields of the completion payload, of which lists and counts are empty until it has ended. */
export type BatchState = Omit<RepairCompletion, "status"> & {
  readonly status: "QUEUED" | "RUNNING" | RepairCompletion["status"];
};

/** What the batch API tells of a job; `timestamp` is that of its last change until it has ended. */
export function describeBatch(job: Job): BatchState {
  const payload = createCompletionPayload(job, OUTCOME.safeParse(job.result).data, batchOf(job));
  switch (job.status) {
    case "queued":
      return { ...payload, status: "QUEUED", message: "The repair has not begun yet" };
    case "running":
      return { ...payload, status: "RUNNING", message: `The repair is under way: ${Math.floor(job.progress * 100)} %` };
    default:
      return payload;
  }
}
