import { ReelmillError } from "../../../base/errors.ts";
import { printableLine } from "../../../base/printable.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "../client/api-client.ts";
import type { Wanted } from "../remote/earlier-job.ts";
import { summarizeCost } from "./cost-text.ts";
import { askForEstimate, examineFiles } from "./estimate.ts";

/** Says on standard error what a job about to be submitted would cost. Where that cannot be told, it says why: the job is wanted all the same. */
export async function tellEstimate(
  client: ApiClient,
  { pipeline, params, files }: Wanted,
  context: CliContext,
): Promise<void> {
  try {
    // References are not worked on.
    const inputs = files.filter(({ param }) => param !== "references").map(({ path }) => path);
    const examined = inputs.length === 0 ? undefined : await examineFiles(inputs, context);
    const report = await askForEstimate(client, { pipeline, params, files: examined, perMonth: null });
    context.writeError(`${printableLine(`${summarizeCost(report)}. ${report.basis}`)}\n`);
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
    context.writeError(`${printableLine(`No estimate: ${error.message}`)}\n`);
  }
}
