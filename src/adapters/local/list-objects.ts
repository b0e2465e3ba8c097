import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../base/system-code.ts";
import { compareKeys, isObjectKey, requireKeyPrefix } from "../../jobs/object-key.ts";
import type { ObjectInfo } from "../../jobs/object-store.ts";
import { type Base, keyOf, openFolder } from "./held-folder.ts";
import { describe } from "./object-files.ts";
import { translating } from "./store-errors.ts";

/** As many names of a folder are held at a time; those behind them are read anew when it comes to them. */
const MAX_NAMES = 5000;
const MAX_STATS_AT_ONCE = 64;

/** What to list. */
export interface Listing {
  readonly root: Base;
  /** Folders elsewhere, by the first segment of their keys; they hide what the root has of that name. */
  readonly mounts: ReadonlyMap<string, Base>;
  readonly prefix: string;
  /** Empty for all. */
  readonly afterKey: string;
  readonly limit: number;
}

/** A name in a folder. Folders sort as their keys do, with the slash that follows. */
interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly sortName: string;
}

/**
 * Up to `limit` objects in key order. Reads only the folders that can hold some of them, never follows a link, and leaves out
 * files whose names are no keys. Throws OBJECT_KEY_INVALID, STORE_UNAVAILABLE, INPUT_UNREADABLE.
 */
export async function listObjects(listing: Listing): Promise<readonly ObjectInfo[]> {
  requireKeyPrefix(listing.prefix);
  const found: ObjectInfo[] = [];
  if (listing.limit < 1) return found;
  const folders = listing.prefix.split("/").slice(0, -1);
  const mount = listing.mounts.get(folders[0] ?? "");
  const start = mount === undefined ? walk(listing, listing.root, folders) : walk(listing, mount, folders.slice(1));
  for await (const info of start) {
    found.push(info);
    if (found.length >= listing.limit) break;
  }
  return found;
}

async function* walk(listing: Listing, base: Base, folders: readonly string[]): AsyncGenerator<ObjectInfo> {
  let after = "";
  for (;;) {
    const { entries, isCut } = await readEntries(listing, base, folders, after);
    for (const run of runsOf(entries, Math.min(listing.limit, MAX_STATS_AT_ONCE))) {
      if (run.folder === undefined) yield* await describeFiles(base, folders, run.files);
      else yield* descend(listing, base, folders, run.folder);
    }
    if (!isCut) return;
    after = entries.at(-1)?.sortName ?? "";
  }
}

function descend(listing: Listing, base: Base, folders: readonly string[], name: string): AsyncGenerator<ObjectInfo> {
  const mount = isTop(listing, base, folders) ? listing.mounts.get(name) : undefined;
  return mount === undefined ? walk(listing, base, [...folders, name]) : walk(listing, mount, []);
}

function isTop(listing: Listing, base: Base, folders: readonly string[]): boolean {
  return base === listing.root && folders.length === 0;
}

/** The first entries by key that come after one of them, as far as they matter. */
async function readEntries(
  listing: Listing,
  base: Base,
  folders: readonly string[],
  after: string,
): Promise<{ readonly entries: readonly Entry[]; readonly isCut: boolean }> {
  const mounts = isTop(listing, base, folders) ? listing.mounts : new Map<string, Base>();
  const keyPrefix = keyOf(base, [...folders, ""]);
  const entries: Entry[] = [];
  let isCut = false;
  const add = (name: string, isFolder: boolean): void => {
    const sortName = isFolder ? `${name}/` : name;
    if (compareKeys(sortName, after) <= 0 || !matters(listing, keyPrefix + sortName) || !isObjectKey(keyPrefix + name))
      return;
    entries.push({ name, isFolder, sortName });
    if (entries.length < 2 * MAX_NAMES) return;
    entries.sort(bySortName).length = MAX_NAMES;
    isCut = true;
  };
  for (const name of mounts.keys()) add(name, true);
  await forEachName(base, folders, (name, isFolder) => {
    if (!mounts.has(name)) add(name, isFolder);
  });
  entries.sort(bySortName);
  // What came after the last cut may lie behind what was cut then.
  if (isCut) entries.length = Math.min(entries.length, MAX_NAMES);
  return { entries, isCut };
}

function bySortName(a: Entry, b: Entry): number {
  return compareKeys(a.sortName, b.sortName);
}

/** Whether a file's key is asked for, or a folder's (with its slash) can begin one that is. */
function matters({ prefix, afterKey }: Listing, key: string): boolean {
  if (!key.endsWith("/")) return key.startsWith(prefix) && compareKeys(key, afterKey) > 0;
  return (
    (key.startsWith(prefix) || prefix.startsWith(key)) && (compareKeys(key, afterKey) > 0 || afterKey.startsWith(key))
  );
}

async function forEachName(
  base: Base,
  folders: readonly string[],
  take: (name: string, isFolder: boolean) => void,
): Promise<void> {
  const folder = await openFolder(base, folders);
  if (folder === undefined) return;
  try {
    await translating(folder.path, "reading", async () => {
      for await (const entry of await opendir(folder.at, { bufferSize: 512 })) {
        if (entry.isFile() || entry.isDirectory()) take(entry.name, entry.isDirectory());
      }
    });
  } finally {
    await folder.close();
  }
}

/** Either some files or one folder, in their order. */
interface Run {
  readonly files: readonly string[];
  readonly folder: string | undefined;
}

function* runsOf(entries: readonly Entry[], maxFiles: number): Generator<Run> {
  let files: string[] = [];
  for (const { name, isFolder } of entries) {
    if (files.length > 0 && (isFolder || files.length >= maxFiles)) {
      yield { files, folder: undefined };
      files = [];
    }
    if (isFolder) yield { files: [], folder: name };
    else files.push(name);
  }
  if (files.length > 0) yield { files, folder: undefined };
}

async function describeFiles(
  base: Base,
  folders: readonly string[],
  names: readonly string[],
): Promise<readonly ObjectInfo[]> {
  const folder = await openFolder(base, folders);
  if (folder === undefined) return [];
  try {
    const infos = await Promise.all(
      names.map((name) => describeFile(keyOf(base, [...folders, name]), join(folder.at, name))),
    );
    return infos.filter((info) => info !== undefined);
  } finally {
    await folder.close();
  }
}

/** Undefined where it was removed after its name was read, or its name is no UTF-8 and cannot be asked for. */
async function describeFile(key: string, path: string): Promise<ObjectInfo | undefined> {
  return await translating(key, "reading", async () => {
    try {
      const stats = await lstat(path);
      return stats.isFile() ? describe(key, stats) : undefined;
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  });
}
