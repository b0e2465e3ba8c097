import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import type { Config, Environment, WatchConfig } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import {
  createCloudRepair,
  createEdgeService,
  createExaminer,
  type EdgeService,
  type EdgeSettings,
  isInside,
  type RepairService,
  resolveEdgeSettings,
} from "../edge/index.ts";
import { createWatchRepairs, type WatchRepairPorts } from "./watch-repairs.ts";

/** A mount whose server is gone may hold a look at it up for ever. */
const MAX_LOOK_MS = 5000;
/** Of a path's digest: enough that two folders of one user never share them. */
const MOUNT_DIGITS = 12;

/** A watch folder's settings, and how its files are named in the object store. */
export interface WatchPlace {
  readonly settings: EdgeSettings;
  readonly mounts: Readonly<Record<string, string>>;
}

/** Where the watch folder lies: where the command line or the environment says, else in the data folder. Throws CONFIG_INVALID. */
export function placeWatchFolder(config: Config, named: string | undefined, dataFolder: string): WatchPlace {
  const root = named ?? config.watch.root ?? join(dataFolder, "watch");
  // A share that the environment names is made by nobody: where it is missing, it is not mounted.
  const settings = resolveEdgeSettings(config, root, root !== config.watch.root);
  const { rootFolder, readyFolder } = settings;
  // A ready folder elsewhere needs a name of its own; nothing is ever read from the others through the store.
  const folders = isInside(rootFolder, readyFolder) ? [rootFolder] : [rootFolder, readyFolder];
  return { settings, mounts: Object.fromEntries(folders.map((folder) => [mountName(folder), folder])) };
}

/**
 * Refuses what is there but no folder: USAGE where the command line named it, CONFIG_INVALID where the environment did. What is
 * missing, or does not answer, may be a share that is away: the watch folder waits for it.
 */
export async function requireWatchable({ settings }: WatchPlace, named: string | undefined): Promise<void> {
  const { rootFolder } = settings;
  const timer = new AbortController();
  const late = delay(MAX_LOOK_MS, "unknown" as const, { signal: timer.signal }).catch(() => "unknown" as const);
  const kind = await Promise.race([kindOf(rootFolder), late]);
  timer.abort();
  if (kind !== "other") return;
  const [code, source] =
    named === undefined ? (["CONFIG_INVALID", "HOST_SMB_ROOT"] as const) : (["USAGE", "--watch"] as const);
  throw new ReelmillError(code, `${source} names ${rootFolder}, which is no folder.`);
}

async function kindOf(path: string): Promise<"folder" | "other" | "unknown"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "other";
  } catch (error) {
    return systemCodeOf(error) === "ENOTDIR" ? "other" : "unknown";
  }
}

/**
 * What the keys of a folder's files begin with: a job of one watch folder must never find, in another one that the server was
 * started with since, a file of the same name.
 */
function mountName(folder: string): string {
  return `watch-${createHash("sha256").update(folder).digest("hex").slice(0, MOUNT_DIGITS)}`;
}

/** What a watch folder in the server stands on. */
export interface WatchFolderPorts extends WatchRepairPorts {
  readonly place: WatchPlace;
  readonly config: Config;
  readonly dataFolder: string;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A watch folder whose repairs are jobs of this server; `close` ends it, whether it was started or not. */
export function createWatchFolder(ports: WatchFolderPorts): EdgeService & { close(): Promise<void> } {
  const { place, config, dataFolder, environment, clock, log } = ports;
  const examiner = createExaminer(environment);
  const service = createEdgeService({
    settings: place.settings,
    repair: createWatchRepairs(ports),
    cloud: createCloud(config.watch, clock, log),
    examine: examiner.examine,
    clock,
    log,
    memoryFile: join(dataFolder, "shares.json"),
  });
  return {
    ...service,
    close: async () => {
      await service.stop();
      await examiner.close();
    },
  };
}

function createCloud(watch: WatchConfig, clock: Clock, log: Logger): RepairService | undefined {
  const { cloudApiUrl, cloudApiKey, cloudRetries, referenceStrategy } = watch;
  if (cloudApiUrl === undefined || cloudApiKey === undefined) return undefined;
  return createCloudRepair({
    baseUrl: cloudApiUrl,
    apiKey: cloudApiKey,
    retries: cloudRetries,
    referenceStrategy,
    clock,
    log,
  });
}
