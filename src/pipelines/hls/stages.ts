import { constants as fileConstants, mkdirSync, readdirSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import type { PlannedTask, StageContext, TaskResult } from "../../jobs/pipeline.ts";
import { lendInput, partKey, putPlan, readPlan, removeOutputs, removeParts } from "../job-parts.ts";
import { lendFiles } from "../object-files.ts";
import { checkEncryption, readNamedKey } from "./content-key.ts";
import { type EncodedPart, encodePart, uniteRungs } from "./encode-part.ts";
import { finishPackage } from "./finish.ts";
import type { LendSpans } from "./join-rungs.ts";
import { beginAsset, completeAsset, markTranscoded, packagePrefix } from "./media-asset.ts";
import type { HlsSettings } from "./options.ts";
import { MAIN_PLAYLIST, type PackagePlan } from "./packaging.ts";
import { describePart, type EncodePart, filesOf, partsOf } from "./parts.ts";
import { planPackage } from "./plan.ts";
import { type Params, RESULT, type Result } from "./schemas.ts";
import { takeTurn } from "./take-turn.ts";

/** Of the time of the last stage, checking; what is left is putting the package into the store. */
const CHECKING_SHARE = 0.9;

type PartResults = readonly TaskResult<EncodePart, EncodedPart>[];

/** Plans the spans of the rungs, and the sound. */
export async function planStreams(params: Params, context: StageContext): Promise<readonly PlannedTask<EncodePart>[]> {
  const { objects, jobId, signal, environment } = context;
  const { input, message } = params;
  // A message that comes once more finds its package made.
  if (message !== undefined && (await beginAsset(message, input, context)) !== null) return [];
  const tools = await requireFfmpeg(environment);
  // Before hours of encoding, not behind them.
  const contentKey = await readNamedKey(params.encryptKey, environment);
  checkEncryption(settingsOf(params), contentKey !== undefined);
  const plan = await lendInput(objects, input, (path) => planPackage(path, settingsOf(params), { tools, signal }));
  await putPlan(objects, jobId, plan);
  return partsOf(plan).map((part) => ({ label: describePart(plan, part), input: part }));
}

function settingsOf({ input: _input, message: _message, encryptKey: _key, ...settings }: Params): HlsSettings {
  return settings;
}

/** Encodes one of them. */
export async function workPart({ input }: Params, part: EncodePart, context: StageContext): Promise<EncodedPart> {
  const { objects, jobId, signal, environment, onProgress } = context;
  const plan = await readPlan<PackagePlan>(objects, jobId);
  const folder = await context.workFolder();
  const hooks = {
    tools: await requireFfmpeg(environment),
    signal,
    onProgress: (fraction: number) => onProgress(fraction, "encoding"),
  };
  const encoded = await lendInput(objects, input, (path) => encodePart(plan, part, path, folder, hooks));
  for (const path of filesOf(plan, part, folder)) await objects.putFile(partKey(jobId, basename(path)), path);
  return encoded;
}

/** The parts go when the result is kept: an attempt that is cut off behind that finds the result, one before it the parts. */
export async function finishStreams(params: Params, results: PartResults, context: StageContext): Promise<Result> {
  const { objects, jobId, checkpoint, saveCheckpoint } = context;
  const { message } = params;
  const made = checkpoint ?? (message === undefined ? null : await markTranscoded(message, context));
  const result = made === null ? await packageStreams(params, results, context) : RESULT.parse(made);
  if (made === null) await saveCheckpoint(result);
  if (message !== undefined) await completeAsset(message, { playlistKey: result.playlist, result }, context);
  await removeParts(objects, jobId);
  return result;
}

async function packageStreams(
  { input, message, encryptKey }: Params,
  results: PartResults,
  context: StageContext,
): Promise<Result> {
  const { objects, jobId, signal, environment, onProgress } = context;
  const planned = await readPlan<PackagePlan>(objects, jobId);
  const prefix = packagePrefix(jobId, message);
  // Of an attempt that ended while it published. The playlist that leads to all goes first.
  await objects.delete(`${prefix}${MAIN_PLAYLIST}`);
  await removeOutputs(objects, jobId, prefix);
  const folder = await context.workFolder();
  const [encodedFolder, packageFolder] = [join(folder, "encoded"), join(folder, "package")];
  mkdirSync(encodedFolder);
  const hooks = {
    tools: await requireFfmpeg(environment),
    signal,
    onProgress: (fraction: number) => onProgress(CHECKING_SHARE * fraction, "checking"),
  };
  const contentKey = await readNamedKey(encryptKey, environment);
  const made = results.map((one) => ({ part: one.input, ...outcomeOf(one) }));
  const report = await lendInput(objects, input, async (inputPath) => {
    await fetchWhole(planned, encodedFolder, context);
    const lend = (again: ReadonlySet<string>): LendSpans => lendSpans(context, again);
    const plan = await uniteRungs(planned, made, { inputPath, folder: encodedFolder, lend }, hooks);
    return await finishPackage(plan, { inputPath, encodedFolder, packageFolder, contentKey }, hooks);
  });
  await publish(packageFolder, prefix, context);
  return {
    schema: 1,
    playlist: `${prefix}${MAIN_PLAYLIST}`,
    report: {
      ...report,
      variants: report.variants.map((variant) => ({ ...variant, codecs: [...variant.codecs] })),
      rules: { ...report.rules },
      findings: [...report.findings],
    },
  };
}

function outcomeOf(result: TaskResult<EncodePart, EncodedPart>): EncodedPart {
  // A task that an earlier version did tells nothing of silence, damage or changes.
  return {
    deviceFault: null,
    silenced: [],
    isDamaged: false,
    disorder: null,
    change: null,
    ...(result.status === "succeeded" ? result.output : {}),
  };
}

/** Spans as the tasks left them, one rung's at a time, but for those that lie in the folder of the work. */
function lendSpans(context: StageContext, again: ReadonlySet<string>): LendSpans {
  return async (paths, use) => {
    const others = paths.filter((path) => !again.has(path));
    const keys = others.map((path) => partKey(context.jobId, basename(path)));
    return await lendFiles(context.objects, keys, async (lent) => {
      const places = new Map(others.map((path, index) => [path, lent[index]?.path ?? path]));
      return await use(paths.map((path) => places.get(path) ?? path));
    });
  };
}

/** Brings what tasks encoded into a folder that needs no joining. What is lent stays as it is; packaging moves its files. */
async function fetchWhole(plan: PackagePlan, folder: string, context: StageContext): Promise<void> {
  const { objects, jobId, signal } = context;
  const parts = partsOf(plan).filter(({ hasSound }) => hasSound);
  for (const path of parts.flatMap((part) => filesOf(plan, part, folder))) {
    await takeTurn(signal);
    // Where the file system can, nothing is copied.
    await objects.withLocalFile(partKey(jobId, basename(path)), (place) =>
      copyFile(place, path, fileConstants.COPYFILE_FICLONE),
    );
  }
}

/** The multivariant playlist comes last: where it is, all that it leads to is. */
async function publish(folder: string, prefix: string, { objects, onProgress, signal }: StageContext): Promise<void> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort((a, b) => Number(a === MAIN_PLAYLIST) - Number(b === MAIN_PLAYLIST));
  for (const [index, path] of files.entries()) {
    if (signal.aborted) throw new ReelmillError("ABORTED", "The packaging was cancelled.");
    await objects.putFile(`${prefix}${path}`, join(folder, path));
    onProgress(CHECKING_SHARE + ((1 - CHECKING_SHARE) * (index + 1)) / files.length, "publishing");
  }
}
