import type { JobView, Json, NewJob } from "../../api/types.ts";
import { parseFields } from "../../schema-form/fields.ts";

/** Failures that another healthy recording may avoid. */
const CODES: ReadonlySet<string> = new Set(["REFERENCE_REQUIRED", "REFERENCE_MISMATCH", "REFERENCE_UNUSABLE"]);

/** Whether a job, or one of its files, failed for want of a healthy recording that fits. */
export function needsReference(job: Pick<JobView, "status" | "error" | "result">): boolean {
  if (job.status !== "failed" && job.status !== "partial") return false;
  const files = asObject(job.result)["files"];
  const errors = [job.error, ...(Array.isArray(files) ? files.map((file: Json) => asObject(file)["error"]) : [])];
  return errors.some((error) => CODES.has(String(asObject(error)["code"])));
}

/** Whether a pipeline with this schema of its parameters takes healthy recordings. */
export function takesReferences(schema: Json): boolean {
  return parseFields(schema).some(({ name, input }) => name === "references" && input.kind === "files" && input.isList);
}

/** The same job once more, with another healthy recording in place of those that it had. */
export function withReference({ pipeline, params, priority, webhook }: JobView, key: string): NewJob {
  const job: NewJob = { pipeline, params: { ...asObject(params), references: [key] }, priority };
  return webhook === null ? job : { ...job, webhook };
}

function asObject(value: unknown): { readonly [key: string]: Json } {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as { readonly [key: string]: Json }) : {};
}
