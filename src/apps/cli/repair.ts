import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { defaultConfigFor, type Environment } from "../../base/config-defaults.ts";
import { describeFailure } from "../../base/describe-failure.ts";
import { ReelmillError } from "../../base/errors.ts";
import { requireFreeTarget } from "../../base/output-path.ts";
import { printableJson } from "../../base/printable.ts";
import {
  type FileResult,
  finishRepair,
  planRepair,
  type RepairDocument,
  type RepairPipelineOptions,
  workRepair,
} from "../../pipelines/repair/index.ts";
import type { CliContext } from "./cli-context.ts";
import type { RepairCommandOptions } from "./command-options.ts";
import { EXIT_FAILURE, EXIT_OK } from "./exit-codes.ts";
import { reportFileFailure, reportSkipped } from "./failure.ts";
import { createProgressBar } from "./progress-bar.ts";
import { formatFileResult, formatSummary } from "./repair-text.ts";

const MAX_LABEL_COLUMNS = 28;

/**
 * Repairs files and folders and prints what was done, as text or JSON. Gives 0 when every file is healthy or repaired (or,
 * in a dry run, can be), else 1. Throws USAGE, CONFIG_INVALID, ABORTED, and what is wrong with a reference that was named.
 */
export async function runRepairCommand(
  damaged: readonly string[],
  options: RepairCommandOptions,
  context: CliContext,
): Promise<number> {
  await requireValidSettings(context.environment);
  // Before any work: a report never replaces a file, be it the recording itself.
  if (options.report !== undefined) requireFreeTarget(options.report, false);
  const plan = planRepair(damaged, resolveOptions(options, context));
  const results: FileResult[] = plan.failures.map(({ path, error }) => failedInput(path, error));
  for (const { path, reason } of plan.skipped) await reportSkipped(path, reason, context);
  for (const result of results) await show(result, options, context);
  for (const [index, task] of plan.tasks.entries()) {
    const bar = createProgressBar(context, labelOf(task.input, index, plan.tasks.length));
    const startMs = context.clock.monotonicMs();
    try {
      const result = await workRepair(task, { signal: context.signal, onProgress: bar.update });
      bar.clear();
      results.push(result);
      await show(result, options, context, context.clock.monotonicMs() - startMs);
    } finally {
      bar.clear();
    }
  }
  const document = finishRepair(results, plan.skipped, options.dryRun);
  if (options.json) context.writeOutput(`${printableJson(document)}\n`);
  else if (results.length > 1) context.writeOutput(formatSummary(document));
  if (options.report !== undefined) writeReport(options.report, document);
  return document.summary.failed === 0 ? EXIT_OK : EXIT_FAILURE;
}

/** Wrong settings end the command before it begins. Without any there is nothing to check, and the schema is not loaded. */
async function requireValidSettings(environment: Environment): Promise<void> {
  if (defaultConfigFor(environment) !== undefined) return;
  const { loadConfig } = await import("../../base/config.ts");
  loadConfig(environment);
}

function resolveOptions(options: RepairCommandOptions, context: CliContext): RepairPipelineOptions {
  return {
    references: options.reference,
    output: options.output,
    inPlace: options.inPlace,
    faststart: options.faststart,
    engine: options.engine,
    dryRun: options.dryRun,
    verify: options.verify,
    environment: context.environment,
    signal: context.signal,
  };
}

function failedInput(path: string, error: unknown): FileResult {
  const empty = { output: null, references: [], report: null, checks: [], notices: [] };
  return { input: path, status: "failed", ...empty, error: describeFailure(error) };
}

function labelOf(path: string, index: number, count: number): string {
  const name = basename(path);
  const short = name.length > MAX_LABEL_COLUMNS ? `…${name.slice(1 - MAX_LABEL_COLUMNS)}` : name;
  return count === 1 ? short : `[${index + 1}/${count}] ${short}`;
}

/** Results go to standard output as they come; failures to standard error, with `--json` too, so that none goes unseen. */
async function show(
  { error, ...result }: FileResult,
  options: RepairCommandOptions,
  context: CliContext,
  elapsedMs?: number,
): Promise<void> {
  if (error !== undefined) {
    await reportFileFailure({ path: result.input, notices: result.notices, ...error }, context);
  } else if (!options.json) {
    context.writeOutput(formatFileResult(result, elapsedMs));
  }
}

function writeReport(path: string, document: RepairDocument): void {
  try {
    writeFileSync(path, `${printableJson(document)}\n`, { flag: "wx" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("OUTPUT_UNWRITABLE", `The report ${path} cannot be written: ${reason}`, { cause: error });
  }
}
