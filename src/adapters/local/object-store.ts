import { constants, type Stats } from "node:fs";
import { copyFile, type FileHandle, lstat, open, stat, unlink } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { makeFolderSync } from "../../base/make-folder.ts";
import { printableLine } from "../../base/printable.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import { requireObjectKey } from "../../jobs/object-key.ts";
import { bytesOfPart, readParts, requireInside } from "../../jobs/object-parts.ts";
import type { ByteRange, MovedBytes, ObjectInfo, ObjectPart, ObjectStore } from "../../jobs/object-store.ts";
import { type Base, createBase, pathOfOpen } from "./held-folder.ts";
import { inputStats } from "./input-file.ts";
import { listObjects } from "./list-objects.ts";
import {
  describe,
  headObject,
  type Location,
  openObject,
  publish,
  removeEmptyFolders,
  removeObject,
} from "./object-files.ts";
import { readChunks } from "./read-chunks.ts";
import { translateStoreError, translating } from "./store-errors.ts";
import { sweepBase, withTemporary } from "./temporary.ts";

const COPY_FLAGS = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;

/** Where the local store keeps its objects. */
export interface LocalObjectStoreOptions {
  /** An absolute path; made where it is missing. */
  readonly root: string;
  /**
   * Folders elsewhere, such as shares, by the first segment of their keys: with `watch`, the key `watch/ready/a.mp4` names
   * `ready/a.mp4` there. Absolute paths; never made. Each has to lie on one file system.
   */
  readonly mounts: Readonly<Record<string, string>>;
}

/** Objects as files. */
export interface LocalObjectStore extends ObjectStore {
  /**
   * To be called once at the start: removes what processes that do not run any more left half-written. Tries every folder,
   * then throws the first failure, such as STORE_UNAVAILABLE for a share that is away.
   */
  sweepTemporary(): Promise<void>;
}

/**
 * A store on folders of this machine. Symbolic links below them are never followed: a key that leads through one is
 * OBJECT_KEY_INVALID. OBJECT_KEY_CONFLICT where a key names a folder, or leads through a file; a refusal by permissions is
 * INPUT_UNREADABLE or OUTPUT_UNWRITABLE. Throws CONFIG_INVALID, OUTPUT_UNWRITABLE and NO_SPACE at once where the root cannot be.
 */
export function createLocalObjectStore(options: LocalObjectStoreOptions): LocalObjectStore {
  const root = createBase(requireAbsolute("root", options.root), "");
  const mounts = new Map(Object.entries(options.mounts).map(([name, folder]) => [name, createMount(name, folder)]));
  makeRoot(root.folder);
  const locate = (key: string): Location => locateKey(root, mounts, key);
  const read: ObjectStore["read"] = async (key, range, tag) => await readObject(locate(key), range, tag);
  return {
    lendsInPlace: true,
    head: async (key) => await headObject(locate(key)),
    read,
    put: async (key, content) => await putContent(locate(key), content),
    putFile: async (key, path) => await putFile(locate(key), path),
    copy: async (fromKey, toKey) => await copyObject(locate(fromKey), locate(toKey)),
    compose: async (key, parts, signal) => await composeObject(read, locate(key), parts, signal),
    list: async (prefix, { limit, afterKey = "" }) => await listObjects({ root, mounts, prefix, limit, afterKey }),
    delete: async (key) => {
      const location = locate(key);
      await removeObject(location);
      // A share's folders are its owner's.
      if (location.base === root) await removeEmptyFolders(root, location.folders);
    },
    withLocalFile: async (key, use) => {
      const { handle, path } = await openObject(locate(key));
      await handle.close();
      return await use(path);
    },
    withLocalOutput: async (key, use) => await withLocalOutput(locate(key), use),
    sweepTemporary: () => sweepAll([root, ...mounts.values()]),
  };
}

function createMount(name: string, folder: string): Base {
  if (requireObjectKey(name).length !== 1) {
    throw new ReelmillError(
      "CONFIG_INVALID",
      `"${printableLine(name)}" cannot be the name of a mount: it has a slash.`,
    );
  }
  return createBase(requireAbsolute(`mount ${name}`, folder), `${name}/`);
}

function requireAbsolute(what: string, folder: string): string {
  if (isAbsolute(folder)) return folder;
  throw new ReelmillError(
    "CONFIG_INVALID",
    `The object store's ${what} has to be an absolute path, not "${printableLine(folder)}".`,
  );
}

function makeRoot(folder: string): void {
  try {
    makeFolderSync(folder);
  } catch (error) {
    throw translateStoreError(folder, "writing", error);
  }
}

function locateKey(root: Base, mounts: ReadonlyMap<string, Base>, key: string): Location {
  const segments = requireObjectKey(key);
  const mount = mounts.get(segments[0] ?? "");
  if (mount !== undefined && segments.length === 1) {
    throw new ReelmillError("OBJECT_KEY_CONFLICT", `"${printableLine(key)}" is a folder of the store, not an object.`);
  }
  const below = mount === undefined ? segments : segments.slice(1);
  return { key, base: mount ?? root, folders: below.slice(0, -1), name: below.at(-1) ?? "" };
}

async function readObject(
  location: Location,
  range: ByteRange | undefined,
  tag: string | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const { handle, info } = await openObject(location);
  if (tag !== undefined && tag !== info.tag) {
    await handle.close();
    throw new ReelmillError("STORE_UNAVAILABLE", `The object "${printableLine(location.key)}" was replaced meanwhile.`);
  }
  const start = Math.min(Math.max(range?.start ?? 0, 0), info.bytes);
  const end = Math.min(Math.max(range?.end ?? info.bytes, start), info.bytes);
  return readChunks(location.key, handle, { start, end });
}

/** Nobody has the content any more once it is taken in, so it is waited for until it is on the disk. */
function putContent(location: Location, content: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
  return withTemporary(location.base, async (folder) => {
    const path = join(folder.at, location.name);
    const handle = await translating(location.key, "writing", () => open(path, "wx"));
    let info: ObjectInfo;
    try {
      for await (const chunk of content) await translating(location.key, "writing", () => writeAll(handle, chunk));
      info = await translating(location.key, "writing", async () => {
        await handle.sync();
        return describe(location.key, await handle.stat());
      });
    } finally {
      await handle.close();
    }
    await publishInside(path, location, true);
    return info;
  });
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}

/** What lies on the base's file system already stays there, so that there is no other to be told of. */
function publishInside(path: string, location: Location, isDurable: boolean): Promise<void> {
  return translating(location.key, "writing", () => publish(path, location, { isDurable }));
}

async function putFile(location: Location, path: string): Promise<ObjectInfo> {
  const source = await inputStats(path);
  try {
    await publish(path, location, { isDurable: false });
    return describe(location.key, source);
  } catch (error) {
    if (systemCodeOf(error) !== "EXDEV") throw error;
  }
  return await moveAcross(location, path, source);
}

/** Copies, and removes the source only when the copy is known to be whole and on the disk. */
async function moveAcross(location: Location, path: string, source: Stats): Promise<ObjectInfo> {
  const info = await withTemporary(location.base, async (folder) => {
    const copy = join(folder.at, location.name);
    const copied = await copyWhole(path, copy, location, true);
    const now = await inputStats(path);
    if (copied.bytes !== source.size || now.size !== source.size || now.mtimeMs !== source.mtimeMs) {
      throw new ReelmillError("INPUT_UNREADABLE", `${printableLine(path)} changed while it was copied into the store.`);
    }
    await publishInside(copy, location, true);
    return copied;
  });
  await translating(path, "writing", () => unlink(path));
  return info;
}

/** Shares the blocks where the file system can. */
async function copyWhole(from: string, to: string, location: Location, isDurable: boolean): Promise<ObjectInfo> {
  return await translating(location.key, "writing", async () => {
    await copyFile(from, to, COPY_FLAGS);
    if (isDurable) await syncFile(to);
    return describe(location.key, await stat(to));
  });
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function copyObject(from: Location, to: Location): Promise<ObjectInfo> {
  const { handle, path } = await openObject(from);
  try {
    return await withTemporary(to.base, async (folder) => {
      const copy = join(folder.at, to.name);
      const info = await copyWhole(pathOfOpen(from.base, handle, path), copy, to, false);
      await publishInside(copy, to, false);
      return info;
    });
  } finally {
    await handle.close();
  }
}

/** Nothing of it leaves this machine: what was handed over counts as uploaded, the rest as copied. */
async function composeObject(
  read: ObjectStore["read"],
  location: Location,
  parts: readonly ObjectPart[],
  signal: AbortSignal | undefined,
): Promise<ObjectInfo & { readonly moved: MovedBytes }> {
  requireInside(parts);
  async function* content(): AsyncGenerator<Uint8Array> {
    for await (const chunk of readParts(read, parts)) {
      if (signal?.aborted) {
        throw new ReelmillError("ABORTED", `The object "${printableLine(location.key)}" was not put together.`);
      }
      yield chunk;
    }
  }
  const info = await putContent(location, content());
  const bytesOf = (kind: ObjectPart["kind"]): number =>
    parts.reduce((sum, part) => sum + (part.kind === kind ? bytesOfPart(part) : 0), 0);
  return { ...info, moved: { downloadedBytes: 0, uploadedBytes: bytesOf("bytes"), copiedBytes: bytesOf("range") } };
}

function withLocalOutput<T>(location: Location, use: (path: string) => Promise<T>): Promise<T> {
  return withTemporary(location.base, async (folder) => {
    const result = await use(join(folder.path, location.name));
    const path = join(folder.at, location.name);
    const stats = await lstat(path).catch((error: unknown) => {
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw translateStoreError(location.key, "writing", error);
    });
    if (stats === undefined) return result;
    if (!stats.isFile()) {
      const shown = printableLine(location.key);
      throw new ReelmillError("INTERNAL", `What was left to become the object "${shown}" is no file.`);
    }
    await publishInside(path, location, false);
    return result;
  });
}

/** A share that is away must not keep the other folders from being swept. */
async function sweepAll(bases: readonly Base[]): Promise<void> {
  const failures: unknown[] = [];
  for (const base of bases) {
    try {
      await sweepBase(base);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
