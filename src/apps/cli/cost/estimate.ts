import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defaultConfigFor } from "../../../base/config-defaults.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { printableLine } from "../../../base/printable.ts";
import { type CostReport, ESTIMATE } from "../../../cost/cost-report.ts";
import { findFfmpeg } from "../../../ffmpeg/programs.ts";
import { createRegistry } from "../../../pipelines/registry.ts";
import { createCostService, type Plan } from "../../cost/cost-service.ts";
import { type ExaminedFile, examineFile, unexamined } from "../../cost/examined-file.ts";
import { loadPrices } from "../../cost/price-file.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "../client/api-client.ts";
import { connect } from "../client/connect.ts";
import { requireSendable } from "../client/local-file.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { asObject, readParams } from "../remote/submit-params.ts";
import { formatJson } from "../remote/text.ts";
import { formatCost } from "./cost-text.ts";
import type { CostEstimateOptions } from "./options.ts";

/**
 * Says what a job would cost, as text or as JSON. Gives 0. Throws PIPELINE_UNKNOWN, PARAMS_INVALID, USAGE, INPUT_…, CONFIG_INVALID,
 * ESTIMATE_IMPOSSIBLE, FFMPEG_TIMEOUT, ABORTED and, of a server that was named, what `ApiClient` does.
 */
export async function runCostEstimateCommand(
  files: readonly string[],
  options: CostEstimateOptions,
  context: CliContext,
): Promise<number> {
  const report = await estimateFiles(files, options, context);
  context.writeOutput(options.json ? formatJson(report) : formatCost(report));
  return EXIT_OK;
}

/** As `runCostEstimateCommand`, but gives the estimate. */
export async function estimateFiles(
  files: readonly string[],
  options: CostEstimateOptions,
  context: CliContext,
): Promise<CostReport> {
  const { pipeline, perMonth = null } = options;
  const params = readParams(options, asObject(createRegistry().get(pipeline).paramsSchema));
  const plan = { pipeline, params, files: await examineFiles(files, context), perMonth };
  const client = await connect(options, context);
  try {
    const estimate = await askForEstimate(client, plan);
    if ((context.environment["REELMILL_PRICES"] ?? "") !== "") {
      const whose = `The prices are those of the server at ${client.server}`;
      context.writeError(
        `${printableLine(`${whose}; REELMILL_PRICES counts for it where it was started with that.`)}\n`,
      );
    }
    return estimate;
  } catch (error) {
    // Whoever names a server wants its answer.
    const isAway = error instanceof ReelmillError && error.code === "SERVER_UNREACHABLE";
    if (!isAway || options.server !== undefined) throw error;
    context.writeError(
      `${printableLine(`No server answers at ${client.server}, so its finished jobs are not known.`)}\n`,
    );
    return await estimateHere(plan, context);
  }
}

/** Asks a server for an estimate of recordings that it need not have. Throws ESTIMATE_IMPOSSIBLE and what `ApiClient` does. */
export async function askForEstimate(
  client: ApiClient,
  { pipeline, params, files, perMonth }: Plan,
): Promise<CostReport> {
  const body = {
    pipeline,
    params,
    ...(files === undefined ? {} : { files }),
    ...(perMonth === null ? {} : { perMonth }),
  };
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) } as const;
  const { estimate, reason } = (await client.ask("/v1/estimates", ESTIMATE, request)).value;
  if (estimate === null) throw new ReelmillError("ESTIMATE_IMPOSSIBLE", reason ?? "The server cannot tell.");
  return estimate;
}

/** Looks at local recordings. Throws INPUT_…, FFMPEG_TIMEOUT, ABORTED. */
export async function examineFiles(
  paths: readonly string[],
  { environment, signal }: Pick<CliContext, "environment" | "signal">,
): Promise<readonly ExaminedFile[]> {
  const tools = await findFfmpeg(environment);
  const examined: ExaminedFile[] = [];
  for (const path of paths) {
    await requireSendable(path);
    const { size } = statSync(path);
    examined.push(tools === undefined ? unexamined(size) : await examineFile(tools, path, size, signal));
  }
  return examined;
}

async function estimateHere(plan: Plan, { environment }: CliContext): Promise<CostReport> {
  const { priceFile } =
    defaultConfigFor(environment) ?? (await import("../../../base/config.ts")).loadConfig(environment);
  const service = createCostService({
    store: undefined,
    pipelines: createRegistry(),
    prices: loadPrices(priceFile),
    cores: availableParallelism(),
    examine: async () => undefined,
  });
  return await service.estimate(plan);
}
