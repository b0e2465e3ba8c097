import { constants, existsSync } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readlink, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import { translateStoreError, translating, unavailable } from "./store-errors.ts";

const DESCRIPTORS = "/proc/self/fd";
/** How often a folder is made anew that somebody else removes in between. */
const MAX_TRIES = 10;

/** A folder that keys lead into: the store's own, or a share. */
export interface Base {
  readonly folder: string;
  /** What its keys begin with: empty, or such as `watch/`. */
  readonly keyPrefix: string;
  /** Whether Linux lets names be reached through an open folder, whatever happens to the path that led to it. */
  readonly hasDescriptorPaths: boolean;
  /** What was seen so far: a folder that a share was mounted on is not that share once nothing is mounted there. */
  readonly seen: { isMountPoint: boolean };
}

/** A folder that is held open until `close`. */
export interface HeldFolder {
  /** For this process: names below it are those of the folder that was checked, even where its path leads elsewhere by now. */
  readonly at: string;
  /** Its path without links, for other programs. */
  readonly path: string;
  readonly handle: FileHandle;
  close(): Promise<void>;
}

/** Describes a folder that keys lead into; touches nothing. */
export function createBase(folder: string, keyPrefix: string): Base {
  const hasDescriptorPaths = process.platform === "linux" && existsSync(DESCRIPTORS);
  return { folder, keyPrefix, hasDescriptorPaths, seen: { isMountPoint: false } };
}

/** A path by which this process reaches what it has open. */
export function pathOfOpen(base: Base, handle: FileHandle, path: string): string {
  return base.hasDescriptorPaths ? `${DESCRIPTORS}/${handle.fd}` : path;
}

/**
 * Opens the folder below the base, undefined where there is none. Throws OBJECT_KEY_INVALID where a symbolic link lies on
 * the way, STORE_UNAVAILABLE where the base itself is gone.
 */
export async function openFolder(base: Base, segments: readonly string[]): Promise<HeldFolder | undefined> {
  const root = await openBase(base);
  if (segments.length === 0) return root;
  try {
    return await translating(keyOf(base, segments), "reading", () => openBelow(base, root, segments));
  } finally {
    await root.close();
  }
}

/** As `openFolder`, but makes what is missing. Throws OBJECT_KEY_CONFLICT where a part of the path is an object. */
export async function makeFolder(base: Base, segments: readonly string[]): Promise<HeldFolder> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = segments.length === 0 ? await openBase(base) : await openFolder(base, segments);
    if (found !== undefined) return found;
    await makeLast(base, segments);
  }
  throw unavailable(join(base.folder, ...segments), "somebody removes it again and again");
}

/** Makes a new folder directly in one that is held. Throws NO_SPACE, OUTPUT_UNWRITABLE, STORE_UNAVAILABLE. */
export async function makeFolderIn(base: Base, parent: HeldFolder, name: string): Promise<HeldFolder> {
  const path = join(parent.path, name);
  try {
    await mkdir(join(parent.at, name));
    // Below a held folder only the last part could be a link by now.
    const handle = await open(join(parent.at, name), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    return hold(base, handle, path);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") throw unavailable(parent.path, "it was removed", error);
    throw translateStoreError(path, "writing", error);
  }
}

async function makeLast(base: Base, segments: readonly string[]): Promise<void> {
  const parent = await makeFolder(base, segments.slice(0, -1));
  const path = join(parent.at, segments.at(-1) ?? "");
  const key = keyOf(base, segments);
  try {
    await mkdir(path);
  } catch (error) {
    const code = systemCodeOf(error);
    // Removed meanwhile: the caller begins anew.
    if (code === "ENOENT") return;
    if (code !== "EEXIST") throw translateStoreError(key, "writing", error);
    await requireDirectory(path, key);
  } finally {
    await parent.close();
  }
}

async function requireDirectory(path: string, key: string): Promise<void> {
  const there = await lstat(path).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw translateStoreError(key, "writing", error);
  });
  if (there === undefined || there.isDirectory()) return;
  if (there.isSymbolicLink()) throw linkRefused(key);
  throw new ReelmillError(
    "OBJECT_KEY_CONFLICT",
    `"${printableLine(key)}" is an object, so no object can lie below it here.`,
  );
}

async function openBelow(base: Base, root: HeldFolder, segments: readonly string[]): Promise<HeldFolder | undefined> {
  const expected = join(root.path, ...segments);
  let handle: FileHandle;
  try {
    handle = await openDirectory(join(root.at, ...segments));
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
  const actual = await truePath(base, handle, expected).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  if (actual === expected) return hold(base, handle, expected);
  await handle.close();
  if (await wasOnlyRemoved(expected)) return undefined;
  throw linkRefused(keyOf(base, segments));
}

/** Whether no link is to blame for an open folder not being where it was looked for: it was removed, and perhaps made anew. */
async function wasOnlyRemoved(expected: string): Promise<boolean> {
  try {
    return (await realpath(expected)) === expected;
  } catch (error) {
    return systemCodeOf(error) === "ENOENT";
  }
}

async function openBase(base: Base): Promise<HeldFolder> {
  let handle: FileHandle;
  try {
    handle = await openDirectory(base.folder);
  } catch (error) {
    throw unavailable(base.folder, systemCodeOf(error) ?? "unknown", error);
  }
  try {
    const path = await truePath(base, handle, base.folder);
    await requireStillMounted(base, handle, path);
    return hold(base, handle, path);
  } catch (error) {
    await handle.close();
    throw translateBaseError(base, error);
  }
}

function translateBaseError(base: Base, error: unknown): unknown {
  const system = systemCodeOf(error);
  return system === undefined ? error : unavailable(base.folder, system, error);
}

/** An unmounted share leaves an empty folder of the same name, which must not be taken for it. */
async function requireStillMounted(base: Base, handle: FileHandle, path: string): Promise<void> {
  const [own, above] = await Promise.all([handle.stat(), stat(dirname(path))]);
  if (own.dev !== above.dev) base.seen.isMountPoint = true;
  else if (base.seen.isMountPoint) throw unavailable(base.folder, "what was mounted there is not mounted any more");
}

function openDirectory(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

function truePath(base: Base, handle: FileHandle, path: string): Promise<string> {
  return base.hasDescriptorPaths ? readlink(`${DESCRIPTORS}/${handle.fd}`) : realpath(path);
}

function hold(base: Base, handle: FileHandle, path: string): HeldFolder {
  return { at: pathOfOpen(base, handle, path), path, handle, close: () => handle.close() };
}

/** The key, or what keys below the folder begin with, for messages. */
export function keyOf(base: Base, segments: readonly string[]): string {
  return base.keyPrefix + segments.join("/");
}

/** The error for a key that a symbolic link lies on. */
export function linkRefused(key: string): ReelmillError {
  const shown = printableLine(key);
  return new ReelmillError(
    "OBJECT_KEY_INVALID",
    `The object key "${shown}" is not allowed: a symbolic link lies on its way, and links are not followed.`,
  );
}
