import { statSync } from "node:fs";
import { loadConfig } from "../../base/config.ts";
import { ReelmillError } from "../../base/errors.ts";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import { createPendingOutput } from "../../base/pending-output.ts";
import { runProcess } from "../../ffmpeg/process.ts";
import { findProgram } from "../../ffmpeg/programs.ts";
import { readMovie } from "../../media/isobmff/read-movie.ts";
import { REFERENCE_ADVICE } from "../../repair/reference-advice.ts";
import { type RepairReport, reportMovie } from "../../repair/report.ts";
import { triage } from "../../repair/triage.ts";
import type { WorkHooks } from "./hooks.ts";
import type { RepairTask } from "./plan.ts";
import type { Achievement } from "./result.ts";
import { beginCheck, checkOutput, fileToCheck, requirePassed } from "./verify-output.ts";

/**
 * Has untrunc repair a file, and checks its result as our own. Throws ENGINE_MISSING, ENGINE_FAILED, CONFIG_INVALID,
 * REFERENCE_REQUIRED, REFERENCE_UNUSABLE, OUTPUT_EXISTS, OUTPUT_UNWRITABLE, OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function repairWithUntrunc(task: RepairTask, damaged: FileSource, hooks: WorkHooks): Promise<Achievement> {
  const { options } = task;
  const program = await findProgram("untrunc", options.environment);
  if (program === undefined) {
    throw new ReelmillError(
      "ENGINE_MISSING",
      'No program "untrunc" is on the PATH. Install it, or leave --engine out.',
    );
  }
  if (task.output === undefined || options.dryRun || options.faststart) {
    const message =
      "untrunc only writes a new file with its index at the end: no --in-place, --dry-run or --faststart.";
    throw new ReelmillError("ENGINE_FAILED", message);
  }
  const reference = task.references.choose(task.input).paths[0];
  if (reference === undefined) {
    throw new ReelmillError("REFERENCE_REQUIRED", "untrunc repairs nothing without a reference.", {
      advice: REFERENCE_ADVICE,
    });
  }
  const pending = createPendingOutput(task.output);
  try {
    hooks.onProgress(0, "untrunc is at work");
    const args = ["-n", "-s", "-dst", pending.path, reference, damaged.path];
    await runUntrunc(program, args, loadConfig(options.environment).untruncTimeoutMs, hooks.signal);
    const report = reportOutput(pending.path, damaged);
    const checks = await checkOutput(fileToCheck(pending.path), report, {
      ...options,
      onProgress: beginCheck(options, hooks),
    });
    requirePassed(checks, [reference]);
    pending.publish();
    return { status: "repaired", output: task.output, report, checks, references: [reference] };
  } finally {
    // Published, the temporary name is gone already.
    pending.discard();
  }
}

async function runUntrunc(
  program: string,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  let lastLine = "";
  const onOutput = (piece: Buffer): void => {
    lastLine = piece.toString("utf8").trim().split("\n").at(-1) ?? lastLine;
  };
  const run = runProcess(program, args, { timeoutMs, signal, onOutput, maxOutputBytes: Number.POSITIVE_INFINITY });
  const { exitCode, errorTail } = await run.catch((error: unknown) => {
    if (!(error instanceof ReelmillError) || error.code === "ABORTED" || error.code === "PROGRAM_KILLED") throw error;
    throw new ReelmillError("ENGINE_FAILED", error.message, { cause: error });
  });
  if (exitCode === 0) return;
  const reason = errorTail.trim().split("\n").at(-1) || lastLine || "it gave no reason";
  throw new ReelmillError("ENGINE_FAILED", `untrunc stopped with status ${exitCode}: ${reason}`);
}

function reportOutput(path: string, damaged: FileSource): RepairReport {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new ReelmillError("ENGINE_FAILED", "untrunc ended well but wrote no file.");
  }
  const output = openFileSource(path);
  try {
    const box = triage(output).boxes.find((candidate) => candidate.type === "moov");
    if (box === undefined) throw new ReelmillError("ENGINE_FAILED", "untrunc wrote a file without an index.");
    const { dataEndOffset } = triage(damaged);
    const report = reportMovie("unknown", readMovie(output, box), [], dataEndOffset);
    const confidence = Math.min(1, report.bytes.recovered / Math.max(1, dataEndOffset));
    return { ...report, engine: "untrunc", confidence };
  } finally {
    output.close();
  }
}
