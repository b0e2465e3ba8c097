import { posix } from "node:path";
import type { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import { numberedName } from "../../base/fitting-name.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { definePipeline, type PlannedTask, type StageContext, type TaskResult } from "../../jobs/pipeline.ts";
import { describeRepairCompletion } from "./completion-payload.ts";
import { planContainer } from "./plan-container.ts";
import { type FileInput, type FileOutcome, PARAMS, type Params, RESULT } from "./schemas.ts";

const TASK_TIMEOUT_MS = 6 * 3600_000;

/** The repair of recordings in an object store: one task a file. */
export const repairPipeline = definePipeline<Params, FileInput, FileOutcome, z.output<typeof RESULT>>({
  name: "repair",
  description: "Makes recordings play again that a dead battery or a pulled card left unplayable.",
  params: PARAMS,
  result: RESULT,
  onTaskFailure: "continue",
  maxConcurrentTasks: 2,
  taskTimeoutMs: TASK_TIMEOUT_MS,
  plan: planFiles,
  // Only with the first task: most processes that know a pipeline do none.
  work: async (params, input, context) => await (await import("./work-object.ts")).workObject(params, input, context),
  finish: async (_params, results) => finishFiles(results),
  describeCompletion: describeRepairCompletion,
  planContainer,
});

async function planFiles(
  { inputs, references, outputPrefix }: Params,
  { objects, jobId }: StageContext,
): Promise<readonly PlannedTask<FileInput>[]> {
  await Promise.all(references.map((key) => requireObject(objects, key)));
  const prefix = outputPrefix ?? `outputs/${jobId}`;
  const taken = new Set<string>();
  const tasks: PlannedTask<FileInput>[] = [];
  for (const input of new Set(inputs)) {
    const { bytes } = await requireObject(objects, input);
    const output = await freeKey(objects, prefix, posix.basename(input), taken);
    taken.add(foldedKey(output));
    tasks.push({ label: posix.basename(input), input: { input, output }, weight: Math.max(1, bytes) });
  }
  return tasks;
}

async function requireObject(objects: ObjectStore, key: string): Promise<{ readonly bytes: number }> {
  const info = await objects.head(key);
  if (info !== undefined) return info;
  const advice =
    "It may have been removed; files of a watch folder move to originals/ or quarantine/ once they are done.";
  throw new ReelmillError("OBJECT_NOT_FOUND", `There is no object ${key}.`, { advice });
}

/**
 * `prefix/clip.mp4`, then `prefix/clip-2.mp4` … for the first key that no object and no other task of the job has: what is
 * published replaces what has its key, which could be the original.
 */
async function freeKey(
  objects: ObjectStore,
  prefix: string,
  name: string,
  taken: ReadonlySet<string>,
): Promise<string> {
  for (let number = 1; ; number++) {
    const key = `${prefix}/${numberedName(name, number)}`;
    if (!taken.has(foldedKey(key)) && (await objects.head(key)) === undefined) return key;
  }
}

/** The same for keys that some file systems take for one. */
function foldedKey(key: string): string {
  return key.normalize("NFC").toLowerCase();
}

function finishFiles(results: readonly TaskResult<FileInput, FileOutcome>[]): z.output<typeof RESULT> {
  const files = results.map((result) => (result.status === "succeeded" ? result.output : failed(result)));
  const count = (status: FileOutcome["status"]): number => files.filter((file) => file.status === status).length;
  const summary = { repaired: count("repaired"), healthy: count("healthy"), failed: count("failed") };
  return { schema: 1, files, summary };
}

function failed({ input, error }: TaskResult<FileInput, FileOutcome> & { readonly status: "failed" }): FileOutcome {
  const { code, message, details } = error;
  const { notices = [], report = null } = (details ?? {}) as {
    readonly notices?: readonly string[];
    readonly report?: FileOutcome["report"];
  };
  const empty = { output: null, references: [], checks: [], moved: null };
  return { input: input.input, status: "failed", ...empty, report, notices: [...notices], error: { code, message } };
}
