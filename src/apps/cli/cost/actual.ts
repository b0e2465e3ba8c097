import { COST_REPORT, type CostReport } from "../../../cost/cost-report.ts";
import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { pathPart, withQuery } from "../client/paths.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatJson } from "../remote/text.ts";
import { formatCost } from "./cost-text.ts";
import type { CostActualOptions } from "./options.ts";

/** Says what a job cost, as text or as JSON. Gives 0. Throws JOB_NOT_FOUND, JOB_STATE, ESTIMATE_IMPOSSIBLE, USAGE and what `ApiClient` does. */
export async function runCostActualCommand(
  job: string,
  options: CostActualOptions,
  context: CliContext,
): Promise<number> {
  const report = await askForActual(job, options, context);
  context.writeOutput(options.json ? formatJson(report) : formatCost(report));
  return EXIT_OK;
}

/** As `runCostActualCommand`, but gives the report. */
export async function askForActual(job: string, options: CostActualOptions, context: CliContext): Promise<CostReport> {
  const path = `/v1/jobs/${pathPart(job, "job's id")}/cost`;
  const client = await connect(options, context);
  return (await client.ask(withQuery(path, { perMonth: options.perMonth?.toString() }), COST_REPORT)).value;
}
