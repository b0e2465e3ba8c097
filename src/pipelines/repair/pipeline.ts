import { basename, posix } from "node:path";
import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import { numberedName } from "../../base/fitting-name.ts";
import type { Json } from "../../base/json.ts";
import { checkObjectKey, OBJECT_KEY } from "../../jobs/object-key-schema.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { definePipeline, type PlannedTask, type StageContext, type TaskResult } from "../../jobs/pipeline.ts";
import { errorWithKeys, lendFiles, type Paths } from "../object-files.ts";
import { BATCH_PLACE, describeRepairCompletion } from "./completion-payload.ts";
import { withKeys } from "./keys.ts";
import { createOverallProgress } from "./overall-progress.ts";
import { planRepair } from "./plan.ts";
import { adviseJob } from "./reference-advice.ts";
import type { FileResult } from "./result.ts";
import { workRepair } from "./work.ts";

const MAX_FILES = 1000;
const TASK_TIMEOUT_MS = 6 * 3600_000;

/** Kept with a task whose output may have been published. */
const PUBLISHING = "publishing";

const KEY = z.string().min(1).max(1024);

const PARAMS = z.strictObject({
  inputs: z
    .array(OBJECT_KEY)
    .min(1)
    .max(MAX_FILES)
    .describe(
      "Keys of the damaged recordings. Healthy ones among them are left as they are and may serve as references.",
    ),
  references: z
    .array(OBJECT_KEY)
    .max(MAX_FILES)
    .default([])
    .describe("Keys of healthy recordings by the same device with the same settings. Empty: sought near the inputs."),
  keptReferences: z
    .array(OBJECT_KEY)
    .max(MAX_FILES)
    .optional()
    .describe(
      "Keys of healthy recordings that are tried for an input that the references do not fit; those not there are passed over.",
    ),
  batch: BATCH_PLACE.optional().describe("What the batch API calls the job and its places; told in webhooks."),
  outputPrefix: z
    .string()
    .min(1)
    .max(900)
    .regex(/^outputs\/(.*[^/])$/s, "must begin with outputs/ and not end in a slash")
    .superRefine(checkObjectKey)
    .optional()
    .describe(
      "Where the repaired files go, below outputs/: this, a slash, and the input's name, numbered where an object has that key. Default: outputs/ and the job's id.",
    ),
  engine: z.enum(["auto", "native", "untrunc"]).default("auto").describe("What does the work."),
  faststart: z.boolean().default(false).describe("Put the index at the front, for playing over a network."),
  verify: z
    .enum(["none", "quick", "full"])
    .default("quick")
    .describe("How much of the result is checked: nothing, its index and first pictures, or every picture."),
});

const FILE = z.strictObject({
  input: KEY,
  output: KEY.nullable(),
  status: z.enum(["repaired", "healthy", "failed"]),
  references: z.array(z.string()),
  report: z.json().describe("What was found and recovered; null where it did not come so far."),
  checks: z.array(z.strictObject({ name: z.string(), status: z.string(), detail: z.string() })),
  notices: z.array(z.string()),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

const RESULT = z.strictObject({
  schema: z.literal(1),
  files: z.array(FILE).describe("In the order of the inputs."),
  summary: z.strictObject({ repaired: z.int(), healthy: z.int(), failed: z.int() }),
});

type Params = z.output<typeof PARAMS>;
type FileOutcome = z.output<typeof FILE>;

/** One file: its key and the key of its result. */
interface FileInput {
  readonly input: string;
  readonly output: string;
}

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
  work: workFile,
  finish: async (_params, results) => finishFiles(results),
  describeCompletion: describeRepairCompletion,
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

/**
 * Looks again, right before it is published, that no other job has put an object there since the plan. Throws OUTPUT_EXISTS;
 * where an earlier attempt came so far, what lies there is its own.
 */
async function requireFreeKey(output: string, { objects, checkpoint, saveCheckpoint }: StageContext): Promise<void> {
  if (checkpoint === PUBLISHING) return;
  if ((await objects.head(output)) !== undefined) {
    const advice = "Submit the job again, or name another place for its outputs.";
    throw new ReelmillError("OUTPUT_EXISTS", `Another object has been put at ${output} meanwhile.`, { advice });
  }
  await saveCheckpoint(PUBLISHING);
}

async function workFile(params: Params, { input, output }: FileInput, context: StageContext): Promise<FileOutcome> {
  const { objects } = context;
  const isNamed = params.references.length > 0;
  // Where no reference is named, the other inputs may serve.
  const others = isNamed ? params.references : params.inputs.filter((key) => key !== input);
  return await lendFiles(objects, [input, ...others], async (paths) => {
    let result: FileResult | undefined;
    await objects.withLocalOutput(output, async (outputPath) => {
      const places = [...paths, { key: output, path: outputPath }];
      try {
        result = await repairByAny(params, places, context);
        if (result.status === "repaired") await requireFreeKey(output, context);
      } catch (error) {
        throw errorWithKeys(error, places, adviseJob);
      }
    });
    if (result === undefined) throw noTask(input);
    return conclude(result, input);
  });
}

/** Failures that another reference may avoid. */
const MISFITS: readonly string[] = [
  "REFERENCE_REQUIRED",
  "REFERENCE_MISMATCH",
  "REFERENCE_UNUSABLE",
  "NOTHING_RECOVERED",
];

/** As `repairAt`; where nothing of the references fits, by those kept. The first failure is told where those do not fit either. */
async function repairByAny(params: Params, places: Paths, context: StageContext): Promise<FileResult> {
  const { objects } = context;
  const first = withKeys(await repairAt(params, places, context), places);
  const { keptReferences = [], references } = params;
  const [input] = places;
  if (first.error === undefined || !MISFITS.includes(first.error.code) || input === undefined) return first;
  const tried = new Set([input.key, ...references]);
  const found = await Promise.all(keptReferences.filter((key) => !tried.has(key)).map((key) => objects.head(key)));
  const kept = found.flatMap((info) => (info === undefined ? [] : [info.key]));
  if (kept.length === 0) return first;
  return await lendFiles(objects, kept, async (paths) => {
    const others = [input, ...paths, ...places.slice(-1)];
    const second = withKeys(await repairAt({ ...params, references: kept }, others, context), others);
    if (second.error === undefined) return second;
    const notice = `No recording that is kept fits either: ${second.error.message}`;
    return { ...first, notices: [...first.notices, notice] };
  });
}

/** Repairs the first of the files, by the others, to the last. */
async function repairAt(params: Params, places: Paths, context: StageContext): Promise<FileResult> {
  const { references, faststart, engine, verify } = params;
  const { signal, environment, onProgress } = context;
  const [inputPath = "", ...rest] = places.map(({ path }) => path);
  const others = rest.slice(0, -1);
  const isNamed = references.length > 0;
  const plan = planRepair([inputPath], {
    references: isNamed ? others : [],
    neighbours: isNamed ? [] : others,
    output: rest.at(-1),
    inPlace: false,
    faststart,
    engine,
    dryRun: false,
    verify,
    environment,
    signal,
  });
  const [task] = plan.tasks;
  if (task === undefined) throw plan.failures[0]?.error ?? noTask(places[0]?.key ?? "");
  return await workRepair(task, { signal, onProgress: createOverallProgress(verify, onProgress) });
}

function noTask(key: string): ReelmillError {
  return new ReelmillError("INTERNAL", `No task was planned for ${key}.`);
}

/** A failure is thrown, so that the engine knows; what was found goes with it. */
function conclude(result: FileResult, input: string): FileOutcome {
  const { status, error, output, references, report, checks, notices } = result;
  if (error !== undefined || status === "failed" || status === "repairable") {
    const { code, message } = error ?? { code: "INTERNAL" as const, message: `${basename(input)} was not repaired.` };
    throw new ReelmillError(code, message, { details: { notices: [...notices], report: report as unknown as Json } });
  }
  return {
    input,
    output,
    status,
    references: [...references],
    report: report as unknown as FileOutcome["report"],
    checks: checks.map((check) => ({ ...check })),
    notices: [...notices],
  };
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
  const empty = { output: null, references: [], checks: [] };
  return { input: input.input, status: "failed", ...empty, report, notices: [...notices], error: { code, message } };
}
