import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { setTimeout } from "node:timers/promises";
import { makeFolder } from "../../base/make-folder.ts";
import { rootCodeOf } from "../../base/system-code.ts";
import { type EdgeSettings, isInside } from "./settings.ts";
import { messageOf, unlessMissing } from "./system-errors.ts";

/** Tells a share that is there from the empty folder that is left where it is not mounted. */
const MARKER = ".reelmill-watch";
const MARKER_TEXT = "Reelmill watches this folder. While this file cannot be seen, the share counts as not mounted.\n";
/** A mount whose server is gone may hold a call up for ever. */
const PROBE_TIMEOUT_MS = 20_000;

/** Says whether the share can be reached. */
export interface Share {
  /** Why it cannot be used now, in the user's terms; undefined where it can. Makes missing folders. Never throws. */
  probe(): Promise<string | undefined>;
}

/**
 * A share by its settings. What has been seen is kept in `memoryFile`, which must not lie on the share; without one it is
 * forgotten with the process.
 */
export function createShare(settings: EdgeSettings, memoryFile: string | undefined): Share {
  let isKnown = false;
  let pending: Promise<string | undefined> | undefined;
  const look = async (): Promise<string | undefined> => {
    try {
      isKnown ||= await wasSeen(settings.rootFolder, memoryFile);
      const problem = await openRoot(settings, isKnown);
      if (problem !== undefined) return problem;
      if (!(await makeFolders(settings))) return await openRoot(settings, true);
      if (!isKnown) await remember(settings.rootFolder, memoryFile);
      isKnown = true;
      return undefined;
    } catch (error) {
      return `It cannot be used: ${messageOf(error)}.`;
    }
  };
  return {
    probe: async () => {
      // One call that hangs is enough: each holds a thread.
      pending ??= look().finally(() => {
        pending = undefined;
      });
      const timer = new AbortController();
      const late = setTimeout(PROBE_TIMEOUT_MS, `${settings.rootFolder} does not answer.`, { signal: timer.signal });
      // Ended below, when it is no longer needed.
      late.catch(() => undefined);
      try {
        return await Promise.race([pending, late]);
      } finally {
        timer.abort();
      }
    },
  };
}

function foldersOf(settings: EdgeSettings): readonly string[] {
  const { readyFolder, exportFolder, quarantineFolder, originalsFolder, claimsFolder } = settings;
  return [readyFolder, exportFolder, quarantineFolder, originalsFolder, claimsFolder];
}

/**
 * Makes the folders that are missing; false where the share has gone since it was looked at. Nothing that was made stays then: a `ready/` in an
 * empty mount point would pass for the share.
 */
async function makeFolders(settings: EdgeSettings): Promise<boolean> {
  const { rootFolder } = settings;
  const made: string[] = [];
  try {
    for (const folder of foldersOf(settings)) {
      // Elsewhere only the folder itself is made: what lies above it may be a mount that is missing.
      const from = isInside(rootFolder, folder) ? rootFolder : dirname(folder);
      await makeBelow(from, folder, made);
    }
    if (made.length === 0 || (await hasMarker(rootFolder))) return true;
  } catch (error) {
    // Where it cannot be told, as of a server that is gone, it counts as gone.
    if (await hasMarker(rootFolder).catch(() => false)) throw error;
  }
  for (const folder of made.toReversed()) await rmdir(folder).catch(() => undefined);
  return false;
}

/** Makes what is missing of a folder's path below `above`, and tells it in `made`. */
async function makeBelow(above: string, folder: string, made: string[]): Promise<void> {
  let path = above;
  for (const name of relative(above, folder).split(sep)) {
    path = join(path, name);
    try {
      await mkdir(path);
      made.push(path);
    } catch (error) {
      if (rootCodeOf(error) !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
    }
  }
}

async function hasMarker(rootFolder: string): Promise<boolean> {
  return (await unlessMissing(readFile(join(rootFolder, MARKER)), undefined)) !== undefined;
}

async function openRoot(settings: EdgeSettings, isKnown: boolean): Promise<string | undefined> {
  const { rootFolder, makesRoot } = settings;
  const stats = await unlessMissing(stat(rootFolder), undefined);
  if (stats === undefined) {
    if (!makesRoot || isKnown) return `${rootFolder} does not exist: is the share mounted?`;
    await makeFolder(rootFolder);
  } else if (!stats.isDirectory()) {
    return `${rootFolder} is no folder.`;
  }
  if (await hasMarker(rootFolder)) return undefined;
  if (isKnown && !(await hasContent(settings))) {
    return `${rootFolder} is there, but nothing of what was in it: is the share mounted? If it was emptied on purpose, make the folder ${settings.readyFolder}.`;
  }
  await writeFile(join(rootFolder, MARKER), MARKER_TEXT);
  return undefined;
}

/** Whether something shows that the right folder lies here, though its marker is gone: its ready/, or a mount on it. */
async function hasContent({ rootFolder, readyFolder }: EdgeSettings): Promise<boolean> {
  const [top] = relative(rootFolder, readyFolder).split(sep);
  if (isInside(rootFolder, readyFolder) && (await readdir(rootFolder)).some((name) => name === top)) return true;
  const [own, above] = await Promise.all([stat(rootFolder), stat(dirname(rootFolder))]);
  return own.dev !== above.dev;
}

async function readMemory(memoryFile: string | undefined): Promise<readonly string[]> {
  const text = memoryFile === undefined ? undefined : await unlessMissing(readFile(memoryFile, "utf8"), undefined);
  return (text ?? "").split("\n").filter((line) => line !== "");
}

async function wasSeen(rootFolder: string, memoryFile: string | undefined): Promise<boolean> {
  return (await readMemory(memoryFile)).includes(JSON.stringify(rootFolder));
}

async function remember(rootFolder: string, memoryFile: string | undefined): Promise<void> {
  if (memoryFile === undefined) return;
  const lines = [...(await readMemory(memoryFile)), JSON.stringify(rootFolder)];
  const temporary = `${memoryFile}.${randomBytes(4).toString("hex")}.tmp`;
  await writeFile(temporary, `${lines.join("\n")}\n`);
  await rename(temporary, memoryFile);
}
