import { describeFailure } from "../../base/describe-failure.ts";
import { ReelmillError } from "../../base/errors.ts";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import { requireFreeTarget } from "../../base/output-path.ts";
import { breathe, type WorkHooks } from "./hooks.ts";
import { repairNatively } from "./native.ts";
import type { RepairTask } from "./plan.ts";
import { remuxedContainerOf } from "./remuxed-container.ts";
import type { Achievement, FileResult } from "./result.ts";
import { undoUnfinishedRepair } from "./undo-journal.ts";

/**
 * Repairs one file. A failure of this file is a result, not an exception; the original is then what it was. Throws ABORTED
 * alone.
 */
export async function workRepair(task: RepairTask, hooks: WorkHooks): Promise<FileResult> {
  // A batch of healthy files does nothing else that would let a signal through.
  await breathe(hooks.signal);
  return await toResult(task.input, (notices) => attempt(task, hooks, notices));
}

/** What became of a file, by way of `attempt`, which may add notices. Throws ABORTED alone. */
export async function toResult(
  input: string,
  attempt: (notices: string[]) => Promise<Achievement>,
): Promise<FileResult> {
  const notices: string[] = [];
  const base = { input, output: null, references: [], report: null, checks: [] };
  try {
    const achieved = await attempt(notices);
    return { ...base, ...achieved, notices };
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "ABORTED") throw error;
    return { ...base, status: "failed", notices, error: describeFailure(error) };
  }
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
      return await repairNatively({ task, damaged, hooks, notices });
    } catch (error) {
      if (engine !== "auto" || !mayUntruncHelp(error)) throw error;
      return await fallBackOnUntrunc(task, damaged, hooks, notices, error);
    }
  } finally {
    damaged.close();
  }
}

/** Whether untrunc may mend what the engine could not. */
export function mayUntruncHelp(error: unknown): error is ReelmillError {
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
    notices.push(`Repaired by untrunc, because: ${failure.problem} (${failure.code})`);
    return achieved;
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "ABORTED") throw error;
    throw failure;
  }
}
