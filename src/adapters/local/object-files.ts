import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, rename, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import type { ObjectInfo } from "../../jobs/object-store.ts";
import { type Base, type HeldFolder, linkRefused, makeFolder, openFolder } from "./held-folder.ts";
import { translateStoreError, translating, unavailable } from "./store-errors.ts";

const MAX_TRIES = 10;

/** Where the file of a key lies. */
export interface Location {
  readonly key: string;
  readonly base: Base;
  /** The folders below the base. */
  readonly folders: readonly string[];
  /** The last part of the key. */
  readonly name: string;
}

/** A file that is open to be read. */
export interface OpenObject {
  readonly handle: FileHandle;
  readonly info: ObjectInfo;
  /** Its path without links. */
  readonly path: string;
}

/** The information that a store gives of a file. */
export function describe(key: string, stats: Stats): ObjectInfo {
  // Times may be the same for what is written within some milliseconds, but never in one file: what is published is a new one.
  const tag = [stats.ino, stats.size, stats.mtimeMs].map((figure) => figure.toString(36)).join("-");
  return { key, bytes: stats.size, modifiedAtMs: Math.floor(stats.mtimeMs), tag };
}

/** What lies under the key, undefined where that is nothing or a folder. Throws OBJECT_KEY_INVALID at a link. */
export async function headObject({ key, base, folders, name }: Location): Promise<ObjectInfo | undefined> {
  const folder = await openFolder(base, folders);
  if (folder === undefined) return undefined;
  try {
    const stats = await translating(key, "reading", () => lstatIfThere(join(folder.at, name)));
    if (stats?.isSymbolicLink()) throw linkRefused(key);
    return stats?.isFile() ? describe(key, stats) : undefined;
  } finally {
    await folder.close();
  }
}

/** Opens the file of a key to be read; the caller closes it. Throws OBJECT_NOT_FOUND, OBJECT_KEY_INVALID at a link. */
export async function openObject({ key, base, folders, name }: Location): Promise<OpenObject> {
  const folder = await openFolder(base, folders);
  if (folder === undefined) throw notFound(key);
  try {
    // Without O_NONBLOCK a named pipe would be waited for until somebody writes to it.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await translating(key, "reading", () => open(join(folder.at, name), flags));
    try {
      const stats = await translating(key, "reading", () => handle.stat());
      if (!stats.isFile()) throw notFound(key);
      return { handle, info: describe(key, stats), path: join(folder.path, name) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } finally {
    await folder.close();
  }
}

/** Removes the file of a key, where there is one. */
export async function removeObject(location: Location): Promise<void> {
  const { key, base, folders, name } = location;
  if ((await headObject(location)) === undefined) return;
  const folder = await openFolder(base, folders);
  if (folder === undefined) return;
  try {
    await unlink(join(folder.at, name));
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw translateStoreError(key, "writing", error);
  } finally {
    await folder.close();
  }
}

/** Removes the folders that a key led through, from the last one on, as far as they are empty. */
export async function removeEmptyFolders(base: Base, folders: readonly string[]): Promise<void> {
  for (let depth = folders.length; depth > 0; depth--) {
    const parent = await openFolder(base, folders.slice(0, depth - 1));
    if (parent === undefined) return;
    try {
      await rmdir(join(parent.at, folders[depth - 1] ?? ""));
    } catch {
      // Not empty, or filled meanwhile: it is needed. Whatever else forbids it, an empty folder is no object and harms nobody.
      return;
    } finally {
      await parent.close();
    }
  }
}

/** How a file gets its name. */
export interface PublishOptions {
  /** Whether to wait until the name is on the disk too. */
  readonly isDurable: boolean;
}

/**
 * Gives a file that lies on the base's file system the name of a key, in place of what had it. Throws OBJECT_KEY_CONFLICT
 * where that is no file; the system's EXDEV where the file lies elsewhere.
 */
export async function publish(from: string, location: Location, options: PublishOptions): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const folder = await makeFolder(location.base, location.folders);
    try {
      await requireReplaceable(folder, location);
      await rename(from, join(folder.at, location.name));
      if (options.isDurable) await syncFolder(folder);
      return;
    } catch (error) {
      const code = systemCodeOf(error);
      // EXDEV is for the caller; after ENOENT the folder was removed, being empty, and is made anew.
      if (code === "EXDEV") throw error;
      if (code !== "ENOENT") throw translateStoreError(location.key, "writing", error);
    } finally {
      await folder.close();
    }
  }
  throw unavailable(join(location.base.folder, ...location.folders), "files in it disappear while they are written");
}

async function requireReplaceable(folder: HeldFolder, { key, name }: Location): Promise<void> {
  const stats = await lstatIfThere(join(folder.at, name));
  if (stats === undefined || stats.isFile()) return;
  if (stats.isSymbolicLink()) throw linkRefused(key);
  throw new ReelmillError(
    "OBJECT_KEY_CONFLICT",
    `No object can be kept as "${printableLine(key)}": a folder or something else that is no file has that name.`,
  );
}

/** Not every share can: there, that the file itself is on the disk has to do. */
async function syncFolder(folder: HeldFolder): Promise<void> {
  try {
    await folder.handle.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EBADF"].includes(systemCodeOf(error) ?? "")) throw error;
  }
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function notFound(key: string): ReelmillError {
  return new ReelmillError("OBJECT_NOT_FOUND", `There is no object "${printableLine(key)}".`);
}
