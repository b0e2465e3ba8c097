import { baseName } from "../../api/object-urls.ts";
import type { JobStatus, JobView, Json } from "../../api/types.ts";
import { formatSeconds, showName } from "../../ui/formats.ts";

const FILE_PARAMS = ["inputs", "input", "source"] as const;

/** What to call a job: by its files, or else by its pipeline. */
export function jobTitle({ pipeline, params, id }: Pick<JobView, "pipeline" | "params" | "id">): string {
  const names = inputKeys(params).map(baseName);
  const [first] = names;
  if (first === undefined) return `${pipeline} ${id.slice(-8)}`;
  return names.length === 1 ? showName(first) : `${showName(first)} and ${names.length - 1} more`;
}

/** Whether a job has come to its end. */
export function isEnded(status: JobStatus): boolean {
  return status !== "queued" && status !== "running";
}

function inputKeys(params: Json): readonly string[] {
  if (typeof params !== "object" || params === null || Array.isArray(params)) return [];
  const fields = params as Readonly<Record<string, Json>>;
  const value = FILE_PARAMS.map((name) => fields[name]).find((one) => one !== undefined && one !== null);
  const list = Array.isArray(value) ? value : [value];
  return list.filter((key): key is string => typeof key === "string");
}

/** How long an ended job took, for people; null where it has not ended or never began. */
export function jobDuration({ startedAt, finishedAt, status }: JobView): string | null {
  if (startedAt === null || finishedAt === null || !isEnded(status)) return null;
  return formatSeconds((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
}
