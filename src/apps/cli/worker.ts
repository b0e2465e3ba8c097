import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { createWorkFolders, removeWorkFolders } from "../../adapters/local/work-folders.ts";
import type { Clock } from "../../base/clock.ts";
import { loadConfig, withoutSecrets } from "../../base/config.ts";
import type { Config } from "../../base/config-defaults.ts";
import { removeAbandoned } from "../../base/leftovers.ts";
import { createLogger, type Logger } from "../../base/log.ts";
import { createOwnerToken } from "../../base/owner-token.ts";
import { printableJson } from "../../base/printable.ts";
import type { BatchRecord } from "../../jobs/batch-records.ts";
import { openLocalBatch } from "../local-wiring.ts";
import type { BatchParts } from "../parts.ts";
import { requireDataFolder, requireWorkers } from "../server/check-settings.ts";
import { openTelemetry } from "../telemetry.ts";
import { type BatchSettings, readBatchSettings } from "../worker/batch-settings.ts";
import { runBatchJob } from "../worker/run-batch-job.ts";
import type { CliContext } from "./cli-context.ts";
import { EXIT_FAILURE, EXIT_OK, exitCodeOf } from "./exit-codes.ts";

/** Works at what a cloud's queues hold until a signal ends it, which is how it is meant to end. Throws as `stay`. */
export async function runWorker(context: CliContext): Promise<number> {
  const { stay } = await import("../worker/stay.ts");
  await stay(context);
  return EXIT_OK;
}

/**
 * Works at one job until it has ended, and prints it. Gives 0 where it succeeded, as a whole or in part, else 1. Throws as
 * `runOneJob`.
 */
export async function runWorkerJob(jobId: string, context: CliContext): Promise<number> {
  const { runOneJob } = await import("../worker/run-one-job.ts");
  const job = await runOneJob(jobId, context);
  context.writeOutput(`${printableJson(job)}\n`);
  return job.status === "succeeded" || job.status === "partial" ? EXIT_OK : EXIT_FAILURE;
}

/**
 * Runs the job that the environment names, and prints its record. Gives 0; where the job is not done, what `exitCodeOf` has for the
 * failure, which is logged with the job's id (`?` where that cannot be read). Throws CONFIG_INVALID for settings of all commands.
 */
export async function runWorkerOnce(context: CliContext): Promise<number> {
  const { environment, signal } = context;
  const config = loadConfig(environment);
  const root = createLogger({ format: config.logFormat, level: config.logLevel, write: context.writeError });
  let log = root.child({ job_id: "?" });
  try {
    const settings = readBatchSettings(environment);
    requireWorkers(config);
    log = root.child({ job_id: settings.jobId });
    const done = await runBatch(settings, config, log, context);
    context.writeOutput(`${printableJson(done)}\n`);
    return EXIT_OK;
  } catch (error) {
    log.error("The job is not done.", { error });
    return exitCodeOf(error, signal.reason);
  }
}

async function runBatch(
  settings: BatchSettings,
  { server, metrics }: Config,
  log: Logger,
  { environment, clock, signal, sleep, writeOutput: write }: CliContext,
): Promise<BatchRecord> {
  const { flush, ...telling } = await openTelemetry({ metrics, environment, write, log, clock });
  try {
    const parts = await open(settings, server, clock, signal);
    const { store, objects, pipelines, queue, workRoot, workOwner, records, lost, sweep, close } = parts;
    let isForgotten = false;
    try {
      await sweep();
      await removeWorkFolders(workRoot, workOwner);
      const workFolders = createWorkFolders(workRoot, workOwner);
      const world = { log, clock, environment: withoutSecrets(environment), random: Math.random };
      return await runBatchJob(settings, {
        engine: { store, objects, pipelines, workFolders, ...world, ...telling },
        ...{ queue, records, signal, lost },
        leaseMs: server.leaseMs,
        concurrency: Math.min(availableParallelism(), server.maxWorkers),
        // A status is recorded even where the worker is to stop.
        sleep: (delayMs) => sleep(delayMs, new AbortController().signal),
        onForgotten: () => {
          isForgotten = true;
        },
      });
    } finally {
      await close(isForgotten);
    }
  } finally {
    await flush();
  }
}

/** What a process's folder in the work folder is called, before its token. */
const BATCH_FOLDER = "batch~";

/** Opens the job where the backend says; what talks to AWS is loaded only for that. */
async function open(
  settings: BatchSettings,
  server: Config["server"],
  clock: Clock,
  signal: AbortSignal,
): Promise<BatchParts> {
  const dataFolder = resolve(server.dataFolder);
  requireDataFolder(dataFolder, undefined);
  if (server.backend === "local") return openLocalBatch(dataFolder, settings, clock);
  const { openAwsBatch } = await import("../aws-wiring.ts");
  const { region } = settings;
  const buckets = { region, endpoint: server.s3Endpoint };
  const tables = { region, endpoint: server.dynamoDbEndpoint };
  const workRoot = join(dataFolder, "work");
  // Of workers that were killed, at whichever job.
  removeAbandoned(workRoot, (name) => (name.startsWith(BATCH_FOLDER) ? name.slice(BATCH_FOLDER.length) : undefined));
  const hold = { owner: `${BATCH_FOLDER}${createOwnerToken()}`, leaseMs: server.leaseMs, signal };
  return await openAwsBatch({ ...settings, buckets, tables, workRoot, ...hold }, clock);
}
