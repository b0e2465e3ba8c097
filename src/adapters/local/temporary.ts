import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createOwnerToken, ownerOf, UNKNOWN_OWNER_KEPT_MS } from "../../base/owner-token.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import { type Base, type HeldFolder, makeFolder, makeFolderIn, openFolder } from "./held-folder.ts";
import { translating } from "./store-errors.ts";

const TEMPORARY = ".reelmill-tmp";

/** Lends an empty folder on the base's file system, which is gone with all it holds once `use` is done. */
export async function withTemporary<T>(base: Base, use: (folder: HeldFolder) => Promise<T>): Promise<T> {
  const parent = await makeFolder(base, [TEMPORARY]);
  const token = createOwnerToken();
  try {
    const folder = await makeFolderIn(base, parent, token);
    try {
      return await use(folder);
    } finally {
      await folder.close();
    }
  } finally {
    await removeQuietly(join(parent.at, token));
    await parent.close();
  }
}

async function removeQuietly(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // The object is published, or the failure that led here is on its way: both say more than a leftover, which the sweep takes.
  }
}

/**
 * Removes what processes left behind that do not run any more; of other machines, what has not changed for 24 hours. Throws
 * STORE_UNAVAILABLE where the base is gone.
 */
export async function sweepBase(base: Base): Promise<void> {
  const folder = await openFolder(base, [TEMPORARY]);
  if (folder === undefined) return;
  try {
    await translating(join(base.folder, TEMPORARY), "writing", async () => {
      for (const name of await readdir(folder.at)) {
        const path = join(folder.at, name);
        if (await isLeftover(base, path, name)) await rm(path, { recursive: true, force: true });
      }
    });
  } finally {
    await folder.close();
  }
}

async function isLeftover(base: Base, path: string, name: string): Promise<boolean> {
  const owner = ownerOf(name);
  if (owner !== "unknown") return owner === "gone";
  const changedAtMs = await lastChange(path);
  if (changedAtMs === undefined) return false;
  return (await nowOf(base)) - changedAtMs > UNKNOWN_OWNER_KEPT_MS;
}

/** The latest change of anything in the folder; undefined where it is gone by now. Links are not followed. */
async function lastChange(path: string): Promise<number | undefined> {
  try {
    const stats = await lstat(path);
    let latest = stats.mtimeMs;
    if (!stats.isDirectory()) return latest;
    for (const name of await readdir(path)) {
      latest = Math.max(latest, (await lastChange(join(path, name))) ?? 0);
    }
    return latest;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The time by the clock that stamps the base's files, which on a share is another machine's. */
function nowOf(base: Base): Promise<number> {
  return withTemporary(base, async (folder) => (await folder.handle.stat()).mtimeMs);
}
