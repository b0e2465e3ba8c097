import { availableParallelism } from "node:os";
import { loadConfig } from "../../base/config.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import type { PlannedTask, StageContext, TaskResult } from "../../jobs/pipeline.ts";
import { lendInput, partKey, putPlan, readPlan, removeParts } from "../job-parts.ts";
import { lendFiles, withKeys } from "../object-files.ts";
import type { ConversionPlan } from "./conversion.ts";
import { finishConversion } from "./finish.ts";
import { type ConvertSettings, extensionFor } from "./options.ts";
import { type EncodedPart, encodePart, type Part, partName, partsOf } from "./parts.ts";
import { planConversion } from "./plan.ts";
import { describeSearch } from "./plan-search.ts";
import { type Params, RESULT, type Result } from "./schemas.ts";
import { createTrialMemory } from "./trial-memory.ts";

type PartResults = readonly TaskResult<Part, EncodedPart>[];

function keyOf(jobId: string, part: Part): string {
  return partKey(jobId, partName(part));
}

/** Plans the spans of the pictures, and the sound. */
export async function planParts(params: Params, context: StageContext): Promise<readonly PlannedTask<Part>[]> {
  const { objects, jobId, signal, environment, clock, workFolder, onProgress, log } = context;
  const settings = settingsOf(params);
  const tools = await requireFfmpeg(environment);
  const cores = availableParallelism();
  const processes = Math.min(cores, loadConfig(environment).server.maxWorkers);
  const memory = createTrialMemory(context);
  const hooks = { tools, signal, cores, processes, clock, workFolder, memory, onProgress };
  const plan = await lendInput(objects, params.input, (path) => planConversion(path, settings, hooks));
  if (plan.search !== null) log.info(describeSearch(plan.search));
  await putPlan(objects, jobId, plan);
  // Long ones first, so that none is left over at the end.
  return partsOf(plan)
    .map(({ part, label, weight }) => ({ label, input: part, weight }))
    .toSorted((a, b) => b.weight - a.weight);
}

function settingsOf({ input: _input, ...settings }: Params): ConvertSettings {
  return settings;
}

/** Encodes one of them. */
export async function workPart(params: Params, input: Part, context: StageContext): Promise<EncodedPart> {
  const { objects, jobId, signal, environment, onProgress } = context;
  const plan = await readPlan<ConversionPlan>(objects, jobId);
  const hooks = {
    tools: await requireFfmpeg(environment),
    signal,
    onProgress: (fraction: number) => onProgress(fraction, "encoding"),
  };
  const key = keyOf(jobId, input);
  return await lendFiles(objects, [params.input], (lent) =>
    objects.withLocalOutput(key, (outputPath) =>
      withKeys([...lent, { key, path: outputPath }], () =>
        encodePart(plan, input, lent[0]?.path ?? "", outputPath, hooks),
      ),
    ),
  );
}

/** The parts go when the result is kept: an attempt that is cut off behind that finds the result, one before it the parts. */
export async function finishParts(params: Params, results: PartResults, context: StageContext): Promise<Result> {
  const { objects, jobId, checkpoint, saveCheckpoint } = context;
  const result = checkpoint === null ? await joinParts(params, results, context) : RESULT.parse(checkpoint);
  if (checkpoint === null) await saveCheckpoint(result);
  await removeParts(objects, jobId);
  return result;
}

/** The plan has long spans first, so results are told apart by what they are of. A task that an earlier version did tells nothing of damage or changes. */
function outcomeOf(part: Part, results: PartResults): Pick<EncodedPart, "deviceFault" | "isDamaged" | "change"> {
  const result = results.find(({ input }) => partName(input) === partName(part));
  return {
    deviceFault: null,
    isDamaged: false,
    change: null,
    ...(result?.status === "succeeded" ? result.output : {}),
  };
}

async function joinParts(params: Params, results: PartResults, context: StageContext): Promise<Result> {
  const { objects, jobId, signal, environment, workFolder, onProgress } = context;
  const plan = await readPlan<ConversionPlan>(objects, jobId);
  const hooks = {
    tools: await requireFfmpeg(environment),
    signal,
    workFolder,
    onProgress: (fraction: number) => onProgress(fraction, "checking"),
  };
  const parts = partsOf(plan).map(({ part }) => part);
  const partKeys = parts.map((part) => keyOf(jobId, part));
  const spanCount = parts.filter(({ part }) => part === "span").length;
  const output = `outputs/${jobId}/output${extensionFor(params.to)}`;
  const report = await lendFiles(objects, [params.input, ...partKeys], (lent) => {
    const [inputPath = "", ...paths] = lent.map(({ path }) => path);
    const spans = parts
      .slice(0, spanCount)
      .map((part, index) => ({ path: paths[index] ?? "", ...outcomeOf(part, results) }));
    const audioPath = paths[spanCount];
    const isSoundDamaged = outcomeOf({ part: "sound" }, results).isDamaged;
    return objects.withLocalOutput(output, (outputPath) =>
      withKeys([...lent, { key: output, path: outputPath }], () =>
        finishConversion(plan, { inputPath, spans, audioPath, isSoundDamaged }, outputPath, params.verify, hooks),
      ),
    );
  });
  return {
    schema: 1,
    output,
    report: {
      ...report,
      checks: report.checks.map((check) => ({ ...check })),
      findings: [...report.findings],
      search: report.search && { ...report.search, trials: [...report.search.trials] },
    },
  };
}
