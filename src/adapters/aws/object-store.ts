import { createReadStream, createWriteStream } from "node:fs";
import { lstat, mkdtemp, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CopyObjectCommand, DeleteObjectCommand } from "@aws-sdk/client-s3";
import { ReelmillError } from "../../base/errors.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { printableLine } from "../../base/printable.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import { requireObjectKey } from "../../jobs/object-key.ts";
import type { ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";
import { inputStats } from "../local/input-file.ts";
import { translating } from "../local/store-errors.ts";
import { type Bucket, headObject } from "./bucket.ts";
import { composeObject } from "./compose.ts";
import { asking } from "./connection.ts";
import { listObjects } from "./list-objects.ts";
import {
  copyInParts,
  copySourceOf,
  ifSame,
  isCopiedInParts,
  isCopiedWhole,
  type PartSizes,
  upload,
} from "./multipart.ts";
import { readObject } from "./read-object.ts";

/** Where the store works. */
export interface S3ObjectStoreOptions extends PartSizes {
  readonly bucket: Bucket;
  /** Takes the files that are lent, each in a folder of its own; made where it is missing. */
  readonly workFolder: string;
}

/**
 * Objects of a bucket. What is lent as a file is downloaded before and uploaded after, through the work folder, with no more of it in
 * memory than some parts. STORE_REFUSED where bucket or permission is missing.
 */
export function createS3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  const { bucket } = options;
  const checked = (key: string): string => {
    requireObjectKey(key);
    return key;
  };
  const put = async (key: string, content: AsyncIterable<Uint8Array>, knownBytes?: number): Promise<ObjectInfo> => {
    await upload(bucket, key, content, options, knownBytes);
    return await headObject(bucket, key);
  };
  const putFile = async (key: string, path: string): Promise<ObjectInfo> => {
    const before = await inputStats(path);
    const info = await put(key, createReadStream(path, { highWaterMark: READ_BYTES }), before.size);
    await requireUnchanged(path, before, info);
    return info;
  };
  return {
    lendsInPlace: false,
    head: async (key) => await headIfThere(bucket, checked(key)),
    read: async (key, range, tag) => await readObject(bucket, checked(key), range, tag),
    put: async (key, content) => await put(checked(key), content),
    putFile: async (key, path) => {
      const info = await putFile(checked(key), path);
      await translating(path, "writing", () => unlink(path));
      return info;
    },
    copy: async (fromKey, toKey) => await copyObject(options, checked(fromKey), checked(toKey)),
    compose: async (key, parts, signal) => {
      for (const part of parts) if (part.kind === "range") checked(part.from.key);
      const moved = await composeObject(bucket, checked(key), parts, { ...options, signal });
      return { ...(await headObject(bucket, key)), moved };
    },
    list: async (prefix, { limit, afterKey = "" }) => await listObjects(bucket, { prefix, limit, afterKey }),
    delete: async (key) => {
      const request = new DeleteObjectCommand({ Bucket: bucket.name, Key: checked(key) });
      await asking({ bucket: bucket.name, key }, () => bucket.client.send(request));
    },
    withLocalFile: async (key, use) =>
      await withFile(options, checked(key), async (path) => {
        const content = await readObject(bucket, key, undefined);
        // Errors of the content are the store's already; those of the file become so.
        await translating(key, "writing", () => pipeline(Readable.from(content), createWriteStream(path)));
        return await use(path);
      }),
    withLocalOutput: async (key, use) =>
      await withFile(options, checked(key), async (path) => {
        const result = await use(path);
        if (await isLeft(key, path)) await putFile(key, path);
        return result;
      }),
  };
}

const READ_BYTES = 1024 * 1024;

async function headIfThere(bucket: Bucket, key: string): Promise<ObjectInfo | undefined> {
  try {
    return await headObject(bucket, key);
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "OBJECT_NOT_FOUND") return undefined;
    throw error;
  }
}

/** What was uploaded is taken for the file, which may then be removed: both must be known to be the same. */
async function requireUnchanged(
  path: string,
  before: { readonly size: number; readonly mtimeMs: number },
  info: ObjectInfo,
): Promise<void> {
  const now = await inputStats(path);
  if (now.size === before.size && now.mtimeMs === before.mtimeMs && info.bytes === before.size) return;
  throw new ReelmillError("INPUT_UNREADABLE", `${printableLine(path)} changed while it was copied into the store.`);
}

async function copyObject(options: S3ObjectStoreOptions, fromKey: string, toKey: string): Promise<ObjectInfo> {
  const { bucket } = options;
  const from = await headObject(bucket, fromKey);
  // S3 copies nothing onto itself that stays the same in all.
  if (fromKey === toKey) return from;
  if (isCopiedWhole(from.bytes, options)) {
    const CopySource = copySourceOf(bucket, fromKey);
    const request = new CopyObjectCommand({ Bucket: bucket.name, Key: toKey, CopySource, ...ifSame(from.tag) });
    await asking({ bucket: bucket.name, key: fromKey }, () => bucket.client.send(request));
  } else if (isCopiedInParts(bucket, fromKey)) await copyInParts(bucket, from, toKey, options);
  else await upload(bucket, toKey, await readObject(bucket, fromKey, undefined, from.tag), options, from.bytes);
  return await headObject(bucket, toKey);
}

/** Lends a path whose last part is the key's, in a folder that is gone afterwards with all it holds. */
async function withFile<T>(
  { workFolder }: S3ObjectStoreOptions,
  key: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await translating(workFolder, "writing", async () => {
    await makeFolder(workFolder);
    return await mkdtemp(join(workFolder, "object-"));
  });
  try {
    return await use(join(folder, key.slice(key.lastIndexOf("/") + 1)));
  } finally {
    // A failure that led here says more than a leftover, which goes with the work folder.
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

async function isLeft(key: string, path: string): Promise<boolean> {
  const stats = await translating(key, "writing", async () => {
    try {
      return await lstat(path);
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  });
  if (stats === undefined || stats.isFile()) return stats !== undefined;
  throw new ReelmillError("INTERNAL", `What was left to become the object "${printableLine(key)}" is no file.`);
}
