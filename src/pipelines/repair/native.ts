import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { runBoth } from "../../base/run-both.ts";
import { type RepairOutcome, repairSource } from "../../repair/repair-source.ts";
import { breathe, requireNotAborted, type WorkHooks } from "./hooks.ts";
import { repairInPlace } from "./in-place.ts";
import type { RepairTask } from "./plan.ts";
import type { Recording } from "./recordings.ts";
import { requireFit } from "./reference-fit.ts";
import type { ReferenceChoice } from "./references.ts";
import type { Achievement, Check } from "./result.ts";
import { shortName } from "./short-name.ts";
import { beginCheck, type Checkable, checkOutput, fileToCheck, prepareCheck, requirePassed } from "./verify-output.ts";
import type { OutputDraft, WrittenOutput } from "./write-output.ts";

/** One file for the engine. */
export interface NativeRun {
  readonly task: RepairTask;
  readonly damaged: Recording;
  readonly hooks: WorkHooks;
  /** Takes what the user should know. */
  readonly notices: string[];
}

/**
 * Has the engine repair a file, writes and checks the result. Named references are used at once; else a file that kept its
 * index is tried without, and others with what lies near. Throws what `repairSource` throws, REFERENCE_UNUSABLE, NO_SPACE,
 * OUTPUT_EXISTS, OUTPUT_UNWRITABLE, OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function repairNatively(run: NativeRun): Promise<Achievement> {
  const { task, notices } = run;
  const alone = (): Promise<Achievement> => repairWith(run, []);
  if (!task.references.isNamed) {
    if (!task.references.hasIndex(task.input)) return await repairWithNeighbours(run, alone);
    // What the file tells itself is not asked a second time: the search through a large one takes long.
    return await orElse(alone, ["REFERENCE_REQUIRED"], (needed) =>
      repairWithNeighbours(run, () => Promise.reject(needed)),
    );
  }
  let choice: ReferenceChoice;
  try {
    choice = task.references.choose(task.input);
  } catch (unusable) {
    // A file that needs no reference is not held up by one that cannot serve.
    const achieved = await orElse(alone, ["REFERENCE_REQUIRED", "INPUT_NOT_VIDEO"], () => Promise.reject(unusable));
    if (unusable instanceof ReelmillError) notices.push(unusable.problem);
    return achieved;
  }
  notices.push(...choice.notices);
  const achieved = await repairWith(run, choice.paths);
  const [learntFrom] = achieved.references;
  if (learntFrom !== undefined && choice.paths.length > 1) {
    notices.push(
      `Learnt from ${shortName(learntFrom, [...choice.paths, task.input])}, which fits best of the ${choice.paths.length} references.`,
    );
  }
  return achieved;
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

const UNFIT: readonly ErrorCode[] = ["REFERENCE_MISMATCH", "REFERENCE_UNUSABLE", "NOTHING_RECOVERED"];

/** With the healthy recordings found near the damaged one; where they do not fit, with what the file tells itself. */
async function repairWithNeighbours(run: NativeRun, alone: () => Promise<Achievement>): Promise<Achievement> {
  const { task, notices } = run;
  const { paths } = task.references.choose(task.input);
  if (paths.length === 0) return await alone();
  const others = [...paths, task.input];
  const names = paths.map((path) => shortName(path, others)).join(", ");
  const achieved = await orElse(
    () => repairWith(run, paths),
    UNFIT,
    (misfit) =>
      orElse(alone, ["REFERENCE_REQUIRED"], (needed) => {
        // Each has an advice, and they say much the same.
        const problem = `${needed.problem} Tried without success: ${names} (${misfit.problem})`;
        return Promise.reject(new ReelmillError("REFERENCE_REQUIRED", problem, { advice: needed.advice }));
      }),
  );
  const [learntFrom] = achieved.references;
  if (learntFrom !== undefined) {
    const why =
      paths.length === 1
        ? "the healthy recording likest to it that was found near it"
        : `which fits best of the ${paths.length} kinds of healthy recordings found near it`;
    notices.push(`No reference was named. Learnt from ${shortName(learntFrom, others)}, ${why}.`);
  }
  return achieved;
}

/** With the reference that fits best; one that turns out not to fit after all makes room for the others. */
async function repairWith(run: NativeRun, paths: readonly string[]): Promise<Achievement> {
  const first = await repairOnce(run, paths);
  if (!("misfit" in first)) return first;
  let left = run.task.references.unlike(paths, first.reference);
  while (left.length > 0) {
    const next = await orElse(
      () => repairOnce(run, left),
      UNFIT,
      () => Promise.reject(first.misfit),
    );
    if (!("misfit" in next)) return next;
    left = run.task.references.unlike(left, next.reference);
  }
  throw first.misfit;
}

/** A reference that does not fit, and why. */
interface Misfit {
  readonly misfit: ReelmillError;
  readonly reference: string;
}

async function repairOnce(run: NativeRun, paths: readonly string[]): Promise<Achievement | Misfit> {
  const { task, damaged } = run;
  const { output, options } = task;
  const isWritten = output !== undefined && !options.dryRun;
  const draft = isWritten ? task.place.createDraft(damaged, output) : undefined;
  // A front index moves the data, so what is copied early would be in the wrong place.
  const onScan = options.faststart ? () => undefined : () => draft?.begin();
  prepareCheck(options);
  try {
    const outcome = await runEngine(run, paths, onScan);
    const { learnt } = outcome;
    if (learnt === undefined) return await finish(run, outcome, paths, draft);
    return await orElse<Achievement | Misfit>(
      () => finish(run, outcome, paths, draft),
      ["REFERENCE_MISMATCH"],
      (misfit) => Promise.resolve({ misfit, reference: learnt.reference.name }),
    );
  } finally {
    // Published, the temporary name is gone already.
    await draft?.discard();
  }
}

async function finish(
  { task, damaged, hooks }: NativeRun,
  { report, layout, learnt }: RepairOutcome,
  paths: readonly string[],
  draft: OutputDraft | undefined,
): Promise<Achievement> {
  const { output, options } = task;
  // Fragments may take their configuration from any of them.
  const references = learnt ? [learnt.reference.name] : report.diagnosis === "fragmented" ? paths : [];
  const done = { report, references, checks: [] };
  if (layout === undefined) return { ...done, status: "healthy", output: null };
  const checkFit = async (signal: AbortSignal): Promise<void> => {
    if (learnt && options.verify !== "none") {
      await requireFit(damaged, learnt, report, { ...options, signal }, task.place.recordings);
    }
  };
  if (options.dryRun) {
    await checkFit(hooks.signal);
    return { ...done, status: "repairable", output: null };
  }
  const verify = async (output: Checkable, signal: AbortSignal): Promise<readonly Check[]> => {
    const checks = await checkOutput(output, report, { ...options, signal, onProgress: beginCheck(options, hooks) });
    requirePassed(checks, references);
    return checks;
  };
  if (draft === undefined || output === undefined) {
    // The pictures stay where they are, so both go on at once; whatever fails, the change is undone.
    const verifyAll = async (): Promise<readonly Check[]> =>
      (await runBoth(hooks.signal, (signal) => verify(fileToCheck(task.input), signal), checkFit))[0];
    const checks = await repairInPlace(damaged, layout, verifyAll);
    return { ...done, status: "repaired", output: task.input, checks };
  }
  const writeAndVerify = async (signal: AbortSignal): Promise<{ written: WrittenOutput; checks: readonly Check[] }> => {
    const written = await draft.write(layout, { ...hooks, signal });
    return { written, checks: await verify(written, signal) };
  };
  // The decoder is at work while the file is written. Neither outlives the other's failure: the damaged file is closed then.
  const [{ written, checks }] = await runBoth(hooks.signal, writeAndVerify, checkFit);
  requireNotAborted(hooks.signal);
  written.publish();
  return { ...done, status: "repaired", output, checks };
}

async function runEngine(
  { task, damaged, hooks }: NativeRun,
  paths: readonly string[],
  onScan: () => void,
): Promise<RepairOutcome> {
  const sources: Recording[] = [];
  try {
    for (const path of paths) sources.push(task.place.recordings.open(path));
    const references = sources.map((source) => ({ name: source.path, source }));
    return await repairSource(damaged, references, {
      faststart: task.options.faststart,
      onPause: () => breathe(hooks.signal),
      onProgress: async (offset) => {
        onScan();
        hooks.onProgress(offset / damaged.sizeBytes, "reading");
        await breathe(hooks.signal);
      },
    });
  } finally {
    for (const source of sources) source.close();
  }
}
