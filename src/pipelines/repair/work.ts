import { basename } from "node:path";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { type RepairOutcome, repairSource } from "../../repair/repair-source.ts";
import { type FileSource, openFileSource } from "./file-source.ts";
import { breathe, requireNotAborted, type WorkHooks } from "./hooks.ts";
import { repairInPlace } from "./in-place.ts";
import { requireFreeTarget } from "./output-path.ts";
import type { RepairTask } from "./plan.ts";
import type { ReferenceChoice } from "./references.ts";
import { remuxedContainerOf } from "./remuxed-container.ts";
import type { Achievement, Check, FileResult } from "./result.ts";
import { undoUnfinishedRepair } from "./undo-journal.ts";
import { checkOutput, prepareCheck, requirePassed } from "./verify-output.ts";
import { createOutputDraft } from "./write-output.ts";

/**
 * Repairs one file. A failure of this file is a result, not an exception; the original is then what it was. Throws ABORTED
 * alone.
 */
export async function workRepair(task: RepairTask, hooks: WorkHooks): Promise<FileResult> {
  const notices: string[] = [];
  const base = { input: task.input, output: null, references: [], report: null, checks: [] };
  try {
    // A batch of healthy files does nothing else that would let a signal through.
    await breathe(hooks.signal);
    const achieved = await attempt(task, hooks, notices);
    return { ...base, ...achieved, notices };
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "ABORTED") throw error;
    return { ...base, status: "failed", notices, error: describeFailure(error) };
  }
}

/** The stable form of whatever was thrown; a fault of Reelmill itself keeps its stack, so that it can be reported. */
export function describeFailure(error: unknown): NonNullable<FileResult["error"]> {
  if (error instanceof ReelmillError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "INTERNAL", message };
}

async function attempt(task: RepairTask, hooks: WorkHooks, notices: string[]): Promise<Achievement> {
  const notice = undoUnfinishedRepair(task.input, task.options.dryRun);
  if (notice !== undefined) notices.push(notice);
  const damaged = openFileSource(task.input);
  try {
    if (task.output !== undefined && !task.options.dryRun) requireFreeTarget(task.output, task.makesFolder);
    const container = remuxedContainerOf(damaged);
    if (container !== undefined) {
      // Loaded only here: nearly every repair does without.
      const { repairByRemux } = await import("./remux.ts");
      return await repairByRemux(task, damaged, container, hooks, notices);
    }
    const { engine } = task.options;
    if (engine === "untrunc") {
      const { repairWithUntrunc } = await import("./untrunc.ts");
      return await repairWithUntrunc(task, damaged, hooks);
    }
    try {
      return await repairNatively(task, damaged, hooks, notices);
    } catch (error) {
      if (engine !== "auto" || !mayUntruncHelp(error)) throw error;
      return await fallBackOnUntrunc(task, damaged, hooks, notices, error);
    }
  } finally {
    damaged.close();
  }
}

function mayUntruncHelp(error: unknown): error is ReelmillError {
  if (!(error instanceof ReelmillError)) return false;
  return ["NOTHING_RECOVERED", "OUTPUT_NOT_VERIFIED", "REFERENCE_MISMATCH", "MEDIA_MALFORMED"].includes(error.code);
}

/** The native failure stands where the other program is missing or fails as well. */
async function fallBackOnUntrunc(
  task: RepairTask,
  damaged: FileSource,
  hooks: WorkHooks,
  notices: string[],
  failure: ReelmillError,
): Promise<Achievement> {
  try {
    const { repairWithUntrunc } = await import("./untrunc.ts");
    const achieved = await repairWithUntrunc(task, damaged, hooks);
    notices.push(`Repaired by untrunc, because: ${failure.message} (${failure.code})`);
    return achieved;
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "ABORTED") throw error;
    throw failure;
  }
}

async function repairNatively(
  task: RepairTask,
  damaged: FileSource,
  hooks: WorkHooks,
  notices: string[],
): Promise<Achievement> {
  const { output, options } = task;
  const isWritten = output !== undefined && !options.dryRun;
  const draft = isWritten ? createOutputDraft(damaged, output) : undefined;
  // A front index moves the data, so what is copied early would be in the wrong place.
  const onScan = options.faststart ? () => undefined : () => draft?.begin();
  try {
    const { outcome, references } = await recover({ task, damaged, hooks, notices, onScan });
    const { report, layout } = outcome;
    const done = { report, references, checks: [] };
    if (layout === undefined) return { ...done, status: "healthy", output: null };
    if (options.dryRun) return { ...done, status: "repairable", output: null };
    const verify = async (path: string): Promise<readonly Check[]> => {
      hooks.onProgress(1, "checking");
      const checks = await checkOutput(path, report, options);
      requirePassed(checks, references);
      return checks;
    };
    if (draft === undefined || output === undefined) {
      const checks = await repairInPlace(damaged, layout, () => verify(task.input));
      return { ...done, status: "repaired", output: task.input, checks };
    }
    prepareCheck(options);
    const pending = await draft.write(layout, hooks);
    const checks = await verify(pending.path);
    requireNotAborted(hooks.signal);
    pending.publish();
    return { ...done, status: "repaired", output, checks };
  } finally {
    // Published, the temporary name is gone already.
    await draft?.discard();
  }
}

/** One run of the engine and what it needs. */
interface EngineRun {
  readonly task: RepairTask;
  readonly damaged: FileSource;
  readonly hooks: WorkHooks;
  readonly notices: string[];
  /** Called while the damaged file is read through. */
  readonly onScan: () => void;
}

interface Recovery {
  readonly outcome: RepairOutcome;
  readonly references: readonly string[];
}

/** Named references are used at once; else a file that kept its index is tried without, and others with what lies near. */
async function recover(run: EngineRun): Promise<Recovery> {
  const { task, notices } = run;
  const alone = async (): Promise<Recovery> => ({ outcome: await runEngine(run, []), references: [] });
  if (!task.references.isNamed) {
    if (!task.references.hasIndex(task.input)) return await recoverWithNeighbours(run, alone);
    return await orElse(alone, ["REFERENCE_REQUIRED"], () => recoverWithNeighbours(run, alone));
  }
  let choice: ReferenceChoice;
  try {
    choice = task.references.choose(task.input);
  } catch (unusable) {
    // A file that needs no reference is not held up by one that cannot serve.
    const recovered = await orElse(alone, ["REFERENCE_REQUIRED", "INPUT_NOT_VIDEO"], () => Promise.reject(unusable));
    if (unusable instanceof Error) notices.push(unusable.message);
    return recovered;
  }
  notices.push(...choice.notices);
  return await recoverWith(run, choice.paths);
}

async function orElse<T>(
  first: () => Promise<T>,
  codes: readonly ErrorCode[],
  second: (error: ReelmillError) => Promise<T>,
): Promise<T> {
  try {
    return await first();
  } catch (error) {
    if (!(error instanceof ReelmillError) || !codes.includes(error.code)) throw error;
    return await second(error);
  }
}

async function recoverWith(run: EngineRun, paths: readonly string[]): Promise<Recovery> {
  const outcome = await runEngine(run, paths);
  const { diagnosis } = outcome.report;
  const usedOwnIndex = diagnosis === "healthy" || diagnosis === "index-cut" || diagnosis === "index-holed";
  return { outcome, references: usedOwnIndex ? [] : paths };
}

/** With the healthy recordings found near the damaged one; where they do not fit, with what the file tells itself. */
async function recoverWithNeighbours(run: EngineRun, alone: () => Promise<Recovery>): Promise<Recovery> {
  const { task, notices } = run;
  const { paths } = task.references.choose(task.input);
  if (paths.length === 0) return await alone();
  const names = paths.map((path) => basename(path)).join(", ");
  const unfit: readonly ErrorCode[] = ["REFERENCE_MISMATCH", "REFERENCE_UNUSABLE", "NOTHING_RECOVERED"];
  const recovered = await orElse(
    () => recoverWith(run, paths),
    unfit,
    (misfit) =>
      orElse(alone, ["REFERENCE_REQUIRED"], (needed) => {
        const tried = `Tried without success: ${names} (${misfit.message})`;
        return Promise.reject(new ReelmillError("REFERENCE_REQUIRED", `${needed.message} ${tried}`));
      }),
  );
  if (recovered.references.length > 0) notices.push(`Learnt from ${names}, found near it.`);
  return recovered;
}

async function runEngine(run: EngineRun, paths: readonly string[]): Promise<RepairOutcome> {
  const { task, damaged, hooks } = run;
  const sources: FileSource[] = [];
  try {
    for (const path of paths) sources.push(openFileSource(path));
    const references = sources.map((source) => ({ name: source.path, source }));
    return await repairSource(damaged, references, {
      faststart: task.options.faststart,
      onPause: () => breathe(hooks.signal),
      onProgress: async (offset) => {
        run.onScan();
        hooks.onProgress(offset / damaged.sizeBytes, "reading");
        await breathe(hooks.signal);
      },
    });
  } finally {
    for (const source of sources) source.close();
  }
}
