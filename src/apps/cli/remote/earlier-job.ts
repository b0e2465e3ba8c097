import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ReelmillError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";
import { safeUploadName } from "../../server/upload-name.ts";
import type { Answer, ApiClient } from "../client/api-client.ts";
import { objectPath, withQuery } from "../client/paths.ts";
import { JOB, JOB_PAGE, type JobView, type UploadWay } from "../client/views.ts";
import { asObject, type JsonObject, paramSchema } from "./submit-params.ts";

/** A local file and the parameter that its key goes into. */
export interface LocalFile {
  readonly path: string;
  readonly param: string;
}

/** What is to be done, before any file was uploaded. */
export interface Wanted {
  readonly pipeline: string;
  /** As given, without the local files. */
  readonly params: JsonObject;
  readonly files: readonly LocalFile[];
  readonly schema: JsonObject;
  /** How they come to the server. */
  readonly uploads: UploadWay;
  readonly priority: number;
  readonly webhook: string | null;
}

/**
 * The job that an idempotency key has made within the last two days. Files get new keys with each upload, so the server itself
 * would take the same command for another request. Throws IDEMPOTENCY_CONFLICT where the job is not what is wanted now, and what
 * `ApiClient` does.
 */
export async function findEarlierJob(
  client: ApiClient,
  idempotencyKey: string,
  wanted: Wanted,
): Promise<Answer<JobView> | undefined> {
  const { jobs } = (await client.ask(withQuery("/v1/jobs", { idempotencyKey, limit: "1" }), JOB_PAGE)).value;
  const [found] = jobs;
  if (found === undefined) return undefined;
  const difference = await findDifference(client, found, wanted);
  if (difference === undefined) return await client.ask(`/v1/jobs/${encodeURIComponent(found.id)}`, JOB);
  throw new ReelmillError(
    "IDEMPOTENCY_CONFLICT",
    `The idempotency key "${idempotencyKey}" made the job ${found.id}, whose ${difference}. Use a new key.`,
  );
}

/** What of the job is not as wanted, for a sentence; undefined where all is. */
async function findDifference(client: ApiClient, job: JobView, wanted: Wanted): Promise<string | undefined> {
  const { pipeline, files, schema, priority, webhook } = wanted;
  if (job.pipeline !== pipeline) return `pipeline is ${job.pipeline}`;
  if (job.priority !== priority) return `priority is ${job.priority}`;
  if ((job.webhook?.url ?? null) !== webhook) return "webhook is another one";
  const made = asObject(job.params);
  const names = new Set([...Object.keys(asObject(schema["properties"] ?? null)), ...Object.keys(wanted.params)]);
  for (const name of names) {
    const expected = wanted.params[name] ?? paramSchema(schema, name)?.["default"];
    const here = files.filter(({ param }) => param === name);
    const isSame =
      here.length === 0
        ? isDeepStrictEqual(made[name], expected)
        : await areSameFiles(client, made[name] ?? null, expected ?? null, here);
    if (!isSame) return `parameter "${name}" is another one`;
  }
  return undefined;
}

/** Whether a parameter holds the keys given, and behind them those of uploads of the files. */
async function areSameFiles(client: ApiClient, made: Json, given: Json, files: readonly LocalFile[]): Promise<boolean> {
  const keys: readonly Json[] = Array.isArray(made) ? made : [made];
  const before: readonly Json[] = Array.isArray(given) ? given : [];
  if (keys.length !== before.length + files.length) return false;
  if (!isDeepStrictEqual(keys.slice(0, before.length), before)) return false;
  for (const [index, { path }] of files.entries()) {
    const key = keys[before.length + index];
    if (typeof key !== "string" || !(await isUploadOf(client, key, path))) return false;
  }
  return true;
}

/** By name and, as long as the upload is there, by size. */
async function isUploadOf(client: ApiClient, key: string, path: string): Promise<boolean> {
  if (!key.startsWith("uploads/") || key.split("/").at(-1) !== safeUploadName(basename(path))) return false;
  try {
    const headers = await client.tell(objectPath(key), { method: "HEAD" });
    return headers.get("content-length") === String((await stat(path)).size);
  } catch (error) {
    if (error instanceof ReelmillError && (error.code === "NOT_FOUND" || error.code === "OBJECT_NOT_FOUND"))
      return true;
    throw error;
  }
}
