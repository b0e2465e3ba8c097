import { ReelmillError } from "../../../base/errors.ts";
import type { CostReport } from "../../../cost/cost-report.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatJson } from "../remote/text.ts";
import { askForActual } from "./actual.ts";
import { formatComparison } from "./cost-text.ts";
import { estimateFiles } from "./estimate.ts";
import type { CostCompareOptions } from "./options.ts";

/** Holds a job, or an estimate, against MediaConvert, as text or as JSON. Gives 0. Throws what `actual` and `estimate` do. */
export async function runCostCompareCommand(
  what: readonly string[],
  options: CostCompareOptions,
  context: CliContext,
): Promise<number> {
  const report = await reportOf(what, options, context);
  context.writeOutput(options.json ? formatJson(report) : formatComparison(report));
  return EXIT_OK;
}

async function reportOf(
  what: readonly string[],
  { pipeline, ...options }: CostCompareOptions,
  context: CliContext,
): Promise<CostReport> {
  if (pipeline !== undefined) return await estimateFiles(what, { ...options, pipeline }, context);
  const [job, ...others] = what;
  if (job === undefined || others.length > 0) {
    throw new ReelmillError(
      "USAGE",
      "One job at a time is compared; to compare files, say with --pipeline what is to be done.",
    );
  }
  if (options.param.length > 0 || options.paramsFile !== undefined) {
    throw new ReelmillError("USAGE", "--param and --params-file are for files, with --pipeline: a job has its own.");
  }
  return await askForActual(job, options, context);
}
