import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { WatchConfig } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { ReferenceStrategy } from "../../pipelines/repair/index.ts";

/** Resolved settings of a watch folder; all paths absolute. */
export interface EdgeSettings {
  readonly rootFolder: string;
  readonly readyFolder: string;
  readonly exportFolder: string;
  readonly quarantineFolder: string;
  /** Beside ready/: where the originals of repaired files go. */
  readonly originalsFolder: string;
  /** Locks and journals, on the share itself, so that all services see them. */
  readonly claimsFolder: string;
  /** Whether the root is made where it has never been there: the user named it on the command line. */
  readonly makesRoot: boolean;
  readonly scanIntervalMs: number;
  readonly minFileAgeMs: number;
  readonly maxConcurrentJobs: number;
  readonly repairTimeoutMs: number;
  readonly referenceStrategy: ReferenceStrategy;
  /** A claim that shows no sign of life for so long is taken over. */
  readonly leaseMs: number;
}

const LEASE_MS = 30_000;
const CLAIMS_FOLDER = ".reelmill-claims";

/**
 * The settings of the watch folder at `root`; `makesRoot`: it is made where it has never been there. Throws CONFIG_INVALID where
 * two of its folders are the same, or one lies in another.
 */
export function resolveEdgeSettings(
  config: { readonly watch: WatchConfig; readonly untruncTimeoutMs: number },
  root: string,
  makesRoot: boolean,
): EdgeSettings {
  const { watch } = config;
  const rootFolder = resolve(root);
  const readyFolder = resolve(rootFolder, watch.ready);
  const exportFolder = resolve(rootFolder, watch.export);
  const quarantineFolder = resolve(rootFolder, watch.quarantine);
  const originalsFolder = join(dirname(readyFolder), "originals");
  requireApart({
    READY_DIR: readyFolder,
    EXPORT_DIR: exportFolder,
    QUARANTINE_DIR: quarantineFolder,
    "the folder of the originals": originalsFolder,
  });
  return {
    rootFolder,
    readyFolder,
    exportFolder,
    quarantineFolder,
    originalsFolder,
    claimsFolder: join(rootFolder, CLAIMS_FOLDER),
    makesRoot,
    scanIntervalMs: watch.scanIntervalMs,
    minFileAgeMs: watch.minFileAgeMs,
    maxConcurrentJobs: watch.maxConcurrentJobs,
    repairTimeoutMs: config.untruncTimeoutMs,
    referenceStrategy: watch.referenceStrategy,
    leaseMs: LEASE_MS,
  };
}

function requireApart(folders: Readonly<Record<string, string>>): void {
  for (const [name, folder] of Object.entries(folders)) {
    for (const [other, otherFolder] of Object.entries(folders)) {
      if (name === other || !isInside(otherFolder, folder)) continue;
      const message = `${name} (${folder}) is ${other} (${otherFolder}), or lies in it: give them folders of their own.`;
      throw new ReelmillError("CONFIG_INVALID", message);
    }
  }
}

/** Whether a path is the folder or lies below it. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
