import { resolve } from "node:path";
import { type FolderLock, lockFolder } from "../../adapters/local/folder-lock.ts";
import { removeWorkFolders } from "../../adapters/local/work-folders.ts";
import type { Clock } from "../../base/clock.ts";
import { loadConfig } from "../../base/config.ts";
import type { Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createLogger, type Logger } from "../../base/log.ts";
import { untilAborted } from "../../base/until-aborted.ts";
import { readAwsHome, readTaskQueues } from "../aws-settings.ts";
import { openJobLogs } from "../local-wiring.ts";
import { requireDataFolder } from "../server/check-settings.ts";
import { requireNamedFfmpeg } from "../server/ffmpeg-check.ts";
import { openParts } from "../wiring.ts";
import { startWorkers } from "./start-workers.ts";

/** What a staying worker needs of the world. */
export interface StayContext {
  readonly environment: Environment;
  readonly clock: Clock;
  /** Ends the worker. */
  readonly signal: AbortSignal;
  readonly writeError: (text: string) => void;
}

/** The name of the process that looks after the workers, among those that work with the home. */
const OWNER = "keeper";

/**
 * Works at what a cloud's queues hold until the signal is given; what is under way then goes back. Throws CONFIG_INVALID, DATA_FOLDER_IN_USE,
 * STORE_UNAVAILABLE, STORE_REFUSED, NO_SPACE, and what is wrong with a named ffmpeg.
 */
export async function stay({ environment, clock, signal, writeError }: StayContext): Promise<void> {
  const config = loadConfig(environment);
  const { server } = config;
  if (server.backend === "local") {
    const message =
      'REELMILL_BACKEND is "local", but a worker by itself needs aws: the workers of one machine belong to `reelmill up`.';
    throw new ReelmillError("CONFIG_INVALID", message);
  }
  requireWorkers(server.maxWorkers);
  await requireNamedFfmpeg(config, environment["PATH"] ?? "");
  const dataFolder = resolve(server.dataFolder);
  const home = readAwsHome(environment, server, dataFolder);
  requireDataFolder(dataFolder, undefined);
  const log = createLogger({
    format: config.logFormat,
    level: config.logLevel,
    write: writeError,
    writeJson: openJobLogs(dataFolder).write,
  });
  const parts = await openParts(home, { owner: OWNER, durability: "normal", clock, log });
  let lock: FolderLock | undefined;
  try {
    const takes = readTaskQueues(
      environment,
      parts.pipelines.all.map(({ name }) => name),
    );
    await parts.requireStores();
    lock = lockFolder(dataFolder);
    await removeWorkFolders(parts.workRoot, OWNER);
    const protection = await createProtection(environment["ECS_AGENT_URI"], log);
    const onBusy = (busy: number): void => protection?.setBusy(busy > 0);
    const pool = await startWorkers({ home, parts, config, environment, clock, log, takes, onBusy });
    try {
      log.info("Waiting for work.", { bucket: home.bucket, table: home.table, pipelines: takes ?? "all" });
      await untilAborted(signal);
      log.info("Ending: what is being worked at goes back to its queue.", { reason: String(signal.reason) });
    } finally {
      await pool.stop();
      await protection?.close();
    }
  } finally {
    parts.close();
    lock?.release();
  }
}

/** Throws CONFIG_INVALID where the configuration has no workers. */
export function requireWorkers(maxWorkers: number): void {
  if (maxWorkers > 0) return;
  throw new ReelmillError("CONFIG_INVALID", 'REELMILL_MAX_WORKERS is "0", but a worker needs 1 or more.');
}

/** None outside of Amazon ECS. */
async function createProtection(agentUri: string | undefined, log: Logger) {
  if (!agentUri) return undefined;
  const { createTaskProtection } = await import("../../adapters/aws/task-protection.ts");
  return createTaskProtection({ agentUri, log });
}
