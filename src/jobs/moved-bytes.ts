import { stat } from "node:fs/promises";
import { inSpan, type Tracer } from "../base/tracer.ts";
import type { ObjectStore } from "./object-store.ts";

/** Bytes of content that an attempt had moved. */
export interface ByteCounts {
  read: number;
  written: number;
  copied: number;
}

/**
 * The store, with what moves to and from it counted, and with spans for what it does as a whole; reads are too many. Files that are lent where they lie move
 * nothing.
 */
export function watchObjects(objects: ObjectStore, counts: ByteCounts, tracer: Tracer | undefined): ObjectStore {
  const { lendsInPlace } = objects;
  const sizeOf = async (path: string): Promise<number> => {
    // What was made away with, or never made, moved nothing.
    return lendsInPlace
      ? 0
      : await stat(path).then(
          ({ size }) => size,
          () => 0,
        );
  };
  const spanned = <T>(name: string, key: string, work: () => Promise<T>): Promise<T> =>
    inSpan(tracer, `objects ${name}`, { fields: { "reelmill.object.key": key } }, work);
  return {
    lendsInPlace,
    head: (key) => objects.head(key),
    list: (prefix, options) => objects.list(prefix, options),
    delete: (key) => objects.delete(key),
    read: async (key, range, tag) => counted(await objects.read(key, range, tag), (bytes) => (counts.read += bytes)),
    put: (key, content) =>
      spanned("put", key, () =>
        objects.put(
          key,
          counted(content, (bytes) => (counts.written += bytes)),
        ),
      ),
    putFile: async (key, path) => {
      const info = await spanned("put", key, () => objects.putFile(key, path));
      if (!lendsInPlace) counts.written += info.bytes;
      return info;
    },
    copy: async (fromKey, toKey) => {
      const info = await spanned("copy", toKey, () => objects.copy(fromKey, toKey));
      counts.copied += info.bytes;
      return info;
    },
    compose: async (key, parts, signal) => {
      const info = await spanned("compose", key, () => objects.compose(key, parts, signal));
      counts.read += info.moved.downloadedBytes;
      counts.written += info.moved.uploadedBytes;
      counts.copied += info.moved.copiedBytes;
      return info;
    },
    withLocalFile: (key, use) =>
      objects.withLocalFile(key, async (path) => {
        counts.read += await sizeOf(path);
        return await use(path);
      }),
    withLocalOutput: async (key, use) => {
      let bytes = 0;
      const result = await objects.withLocalOutput(key, async (path) => {
        const used = await use(path);
        bytes = await sizeOf(path);
        return used;
      });
      counts.written += bytes;
      return result;
    },
  };
}

async function* counted(content: AsyncIterable<Uint8Array>, count: (bytes: number) => void) {
  for await (const piece of content) {
    count(piece.byteLength);
    yield piece;
  }
}
