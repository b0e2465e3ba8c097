import { statSync } from "node:fs";
import { basename, posix } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { MovedBytes, ObjectInfo } from "../../jobs/object-store.ts";
import type { StageContext } from "../../jobs/pipeline.ts";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { errorWithKeys, lendFiles, type Paths } from "../object-files.ts";
import { withKeys } from "./keys.ts";
import { createOverallProgress } from "./overall-progress.ts";
import { repairRanged } from "./ranged/repair-ranged.ts";
import { isRecordingName } from "./recording-name.ts";
import { adviseJob } from "./reference-advice.ts";
import { remuxedContainerOf } from "./remuxed-container.ts";
import type { FileResult } from "./result.ts";
import type { FileInput, FileOutcome, Params } from "./schemas.ts";

/** Kept with a task whose output may have been published. */
const PUBLISHING = "publishing";

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

/** Failures that another reference may avoid. */
const MISFITS: readonly string[] = [
  "REFERENCE_REQUIRED",
  "REFERENCE_MISMATCH",
  "REFERENCE_UNUSABLE",
  "NOTHING_RECOVERED",
];

/**
 * Repairs one object by the references, or where none of them fits by those kept. Throws what became of it where that is no output; the first
 * failure where those kept do not fit either.
 */
export async function workObject(params: Params, file: FileInput, context: StageContext): Promise<FileOutcome> {
  try {
    return await repairObject(params, file, context);
  } catch (failure) {
    if (!(failure instanceof ReelmillError) || !MISFITS.includes(failure.code)) throw failure;
    const kept = (await isRemuxed(file.input, context)) ? [] : await keptFor(params, file, context);
    if (kept.length === 0) throw failure;
    try {
      return await repairObject({ ...params, references: kept }, file, context);
    } catch (second) {
      if (!(second instanceof ReelmillError) || second.retryable || second.code === "ABORTED") throw second;
      throw withNotice(failure, `No recording that is kept fits either: ${second.message}`);
    }
  }
}

/** Those that are there and were not tried. */
async function keptFor(
  { keptReferences = [], references }: Params,
  { input }: FileInput,
  { objects }: StageContext,
): Promise<string[]> {
  const tried = new Set([input, ...references]);
  const found = await Promise.all(keptReferences.filter((key) => !tried.has(key)).map((key) => objects.head(key)));
  return found.flatMap((info) => (info === undefined ? [] : [info.key]));
}

const HEAD_BYTES = 1024;

/** Whether the object is of a container that needs no reference, by its first bytes. */
async function isRemuxed(key: string, { objects }: StageContext): Promise<boolean> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await objects.read(key, { start: 0, end: HEAD_BYTES })) chunks.push(chunk);
  return remuxedContainerOf(createMemorySource(Buffer.concat(chunks))) !== undefined;
}

function withNotice({ code, problem, advice, details, cause }: ReelmillError, notice: string): ReelmillError {
  // As `conclude` gives them.
  const { notices = [], ...found } = (details ?? {}) as { readonly notices?: readonly Json[]; readonly report?: Json };
  return new ReelmillError(code, problem, { advice, details: { ...found, notices: [...notices, notice] }, cause });
}

/**
 * Where the store lends no files in place, the object is read in ranges and the output put together by the store; files are fetched only for
 * what another program has to mend.
 */
async function repairObject(params: Params, file: FileInput, context: StageContext): Promise<FileOutcome> {
  const { objects } = context;
  if (objects.lendsInPlace || params.engine === "untrunc") return await workOnFiles(params, file, context, 0);
  const { input, output } = file;
  const { references, neighbours: inputs } = sourcesOf(params, input);
  const { faststart, engine, verify } = params;
  const near = references.length > 0 ? [] : await findNear(input, context);
  const neighbours = [...new Set([...inputs, ...near])];
  const job = { input, output, references, neighbours, faststart, engine, verify };
  const onProgress = createOverallProgress(verify, context.onProgress);
  const { result, usesReferences, parts, downloadedBytes } = await repairRanged(job, { ...context, onProgress });
  if (result === undefined) {
    const needed = usesReferences ? params : { ...params, inputs: [input], references: [] };
    return await workOnFiles(needed, file, context, downloadedBytes);
  }
  const outcome = conclude(withKeys(result, []), input, { ...NOTHING_MOVED, downloadedBytes });
  if (parts === undefined || result.status !== "repaired") return outcome;
  await requireFreeKey(output, context);
  const { moved } = await objects.compose(output, parts, context.signal);
  return { ...outcome, moved: { ...moved, downloadedBytes: downloadedBytes + moved.downloadedBytes } };
}

const NOTHING_MOVED: MovedBytes = { downloadedBytes: 0, uploadedBytes: 0, copiedBytes: 0 };

/** Where no reference is named, the other inputs may serve. */
function sourcesOf({ references, inputs }: Params, input: string) {
  return { references, neighbours: references.length > 0 ? [] : inputs.filter((key) => key !== input) };
}

/** Objects of a folder that are looked at for recordings, and recordings that are offered. */
const MAX_LISTED = 1000;
const MAX_NEAR = 16;

/** Recordings that lie beside the object, the nearest in time first: what a repair on this machine finds in its folder by itself. */
async function findNear(input: string, { objects }: StageContext): Promise<readonly string[]> {
  const folder = `${posix.dirname(input)}/`;
  const [found, own] = await Promise.all([objects.list(folder, { limit: MAX_LISTED }), objects.head(input)]);
  const distanceMs = ({ modifiedAtMs }: ObjectInfo): number => Math.abs(modifiedAtMs - (own?.modifiedAtMs ?? 0));
  return found
    .filter(({ key }) => key !== input && isRecordingName(key.slice(folder.length)))
    .toSorted((a, b) => distanceMs(a) - distanceMs(b))
    .slice(0, MAX_NEAR)
    .map(({ key }) => key);
}

/** Repairs files that the store lends. `fetchedBytes` have come from it before. */
async function workOnFiles(
  params: Params,
  { input, output }: FileInput,
  context: StageContext,
  fetchedBytes: number,
): Promise<FileOutcome> {
  const { objects } = context;
  const { references, neighbours } = sourcesOf(params, input);
  return await lendFiles(objects, [input, ...references, ...neighbours], async (paths) => {
    const lentBytes = paths.reduce((sum, { path }) => sum + statSync(path).size, fetchedBytes);
    let result: FileResult | undefined;
    await objects.withLocalOutput(output, async (outputPath) => {
      const places = [...paths, { key: output, path: outputPath }];
      try {
        result = withKeys(await repairAt(params, places, context), places);
        if (result.status === "repaired") await requireFreeKey(output, context);
      } catch (error) {
        throw errorWithKeys(error, places, adviseJob);
      }
    });
    if (result === undefined) throw noTask(input);
    if (objects.lendsInPlace) return conclude(result, input, NOTHING_MOVED);
    const uploadedBytes = result.status === "repaired" ? ((await objects.head(output))?.bytes ?? 0) : 0;
    return conclude(result, input, { downloadedBytes: lentBytes, uploadedBytes, copiedBytes: 0 });
  });
}

/** Repairs the first of the files, by the others, to the last. */
async function repairAt(params: Params, places: Paths, context: StageContext): Promise<FileResult> {
  const { references, faststart, engine, verify } = params;
  const { signal, environment, onProgress } = context;
  const [inputPath = "", ...rest] = places.map(({ path }) => path);
  const others = rest.slice(0, -1);
  const isNamed = references.length > 0;
  // Where objects are read in ranges, the engine is in another thread, and would take its memory twice.
  const [{ planRepair }, { workRepair }] = await Promise.all([import("./plan.ts"), import("./work.ts")]);
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
function conclude(result: FileResult, input: string, moved: MovedBytes): FileOutcome {
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
    moved: { ...moved },
  };
}
