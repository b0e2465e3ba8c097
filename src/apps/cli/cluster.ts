import { resolve } from "node:path";
import { loadConfig } from "../../base/config.ts";
import { ReelmillError } from "../../base/errors.ts";
import { printableJson } from "../../base/printable.ts";
import { readAwsHome, readTaskQueues } from "../aws-settings.ts";
import type { CliContext } from "./cli-context.ts";
import type { ClusterInitOptions } from "./command-options.ts";
import { EXIT_OK } from "./exit-codes.ts";

/**
 * Makes what machines share where it is missing, and prints what there is. Throws CONFIG_INVALID, STORE_REFUSED, STORE_UNAVAILABLE; refuses AWS
 * itself, where a stack makes them with all that belongs to them.
 */
export async function runClusterInit({ json }: ClusterInitOptions, context: CliContext): Promise<number> {
  const { environment } = context;
  const { server } = loadConfig(environment);
  const home = readAwsHome(environment, server, resolve(server.dataFolder));
  if (server.s3Endpoint === undefined || server.dynamoDbEndpoint === undefined) {
    const message =
      "REELMILL_S3_ENDPOINT and REELMILL_DYNAMODB_ENDPOINT must be set: on AWS itself the stacks make bucket and table.";
    throw new ReelmillError("CONFIG_INVALID", message);
  }
  if (Object.keys(home.queueUrls).length > 0 && server.sqsEndpoint === undefined) {
    const message =
      "SQS_QUEUE_URLS names queues, but REELMILL_SQS_ENDPOINT is not set: on AWS itself the stacks make the queues.";
    throw new ReelmillError("CONFIG_INVALID", message);
  }
  const { createRegistry } = await import("../../pipelines/registry.ts");
  readTaskQueues(environment, home, createRegistry().all);
  const { makeStores } = await import("../aws-wiring.ts");
  const made = await makeStores(home);
  if (json) context.writeOutput(`${printableJson({ schema: 1, stores: made.map((store) => ({ ...store })) })}\n`);
  else
    for (const { kind, name, isNew } of made)
      context.writeOutput(`${kind.padEnd(6)}  ${name}  ${isNew ? "made" : "was there"}\n`);
  return EXIT_OK;
}
