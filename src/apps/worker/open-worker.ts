import { resolve } from "node:path";
import { type FolderLock, lockFolder } from "../../adapters/local/folder-lock.ts";
import { removeWorkFolders } from "../../adapters/local/work-folders.ts";
import type { Clock } from "../../base/clock.ts";
import { loadConfig } from "../../base/config.ts";
import type { Config, Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createLogger, type Logger } from "../../base/log.ts";
import { type AwsHome, readAwsHome, readTaskQueues } from "../aws-settings.ts";
import { openJobLogs } from "../local-wiring.ts";
import type { Parts } from "../parts.ts";
import { requireDataFolder, requireKeyFolder, requireWorkers } from "../server/check-settings.ts";
import { requireNamedFfmpeg } from "../server/ffmpeg-check.ts";
import { shareLogs } from "../shared-logs.ts";
import { openParts } from "../wiring.ts";

/** What a worker without a server needs of the world. */
export interface WorkerContext {
  readonly environment: Environment;
  readonly clock: Clock;
  /** Ends the worker. */
  readonly signal: AbortSignal;
  readonly writeOutput: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** A worker's parts while its data folder is its own. */
export interface OpenWorker {
  readonly config: Config;
  readonly home: AwsHome;
  readonly parts: Parts;
  readonly log: Logger;
  /** The process's name among those that work with the home. */
  readonly owner: string;
  /** The pipelines whose tasks it takes where it stays; undefined: all. */
  readonly takes: readonly string[] | undefined;
}

/** One process has the data folder, so its name there is always the same. */
const OWNER = "keeper";

/**
 * Opens what a worker without a server stands on, has it used, and lets go of it. Throws CONFIG_INVALID, DATA_FOLDER_IN_USE, STORE_UNAVAILABLE,
 * STORE_REFUSED, NO_SPACE, and what is wrong with a named ffmpeg.
 */
export async function withOpenWorker<T>(context: WorkerContext, use: (worker: OpenWorker) => Promise<T>): Promise<T> {
  const { environment, clock, writeError } = context;
  const config = loadConfig(environment);
  const { server } = config;
  if (server.backend === "local") {
    const message =
      'REELMILL_BACKEND is "local", but a worker by itself needs aws: the workers of one machine belong to `reelmill up`.';
    throw new ReelmillError("CONFIG_INVALID", message);
  }
  requireWorkers(config);
  requireKeyFolder(config);
  await requireNamedFfmpeg(config, environment["PATH"] ?? "");
  const dataFolder = resolve(server.dataFolder);
  const home = readAwsHome(environment, server, dataFolder);
  requireDataFolder(dataFolder, undefined);
  const logs = openJobLogs(dataFolder);
  const log = createLogger({
    format: config.logFormat,
    level: config.logLevel,
    write: writeError,
    writeJson: logs.write,
  });
  const parts = await openParts(home, { owner: OWNER, durability: "normal", clock, log });
  let lock: FolderLock | undefined;
  try {
    const takes = readTaskQueues(environment, home, parts.pipelines.all);
    await parts.requireStores();
    lock = lockFolder(dataFolder);
    await removeWorkFolders(parts.workRoot, OWNER);
    const shared = shareLogs({ home, logs, objects: parts.objects, dataFolder, isServer: false, clock, log });
    try {
      return await use({ config, home, parts, log, owner: OWNER, takes });
    } finally {
      await shared.stop();
    }
  } finally {
    parts.close();
    lock?.release();
  }
}
