import { ReelmillError } from "../../../base/errors.ts";
import type { ObjectStore } from "../../../jobs/object-store.ts";

/** Reads of a store that are counted. */
export interface MeteredReads {
  readonly read: ObjectStore["read"];
  /** What has come so far. */
  downloadedBytes(): number;
  /** Throws the first failure there was, also where whoever read made do without the bytes. */
  requireNoFailure(): void;
  /** The same of failures that pass: what an object is like is not told by them, as it is by one that is not there. */
  requireNoPassingFailure(): void;
}

/** Reads a store and counts. */
export function meterReads(objects: Pick<ObjectStore, "read">): MeteredReads {
  let downloadedBytes = 0;
  let failed: { readonly error: unknown } | undefined;
  let passing: ReelmillError | undefined;
  const noting = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      failed ??= { error };
      if (error instanceof ReelmillError && error.retryable) passing ??= error;
      throw error;
    }
  };
  async function* count(...args: Parameters<ObjectStore["read"]>): AsyncGenerator<Uint8Array> {
    const chunks = (await noting(() => objects.read(...args)))[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await noting(() => chunks.next());
        if (done) return;
        downloadedBytes += value.length;
        // Whoever reads may end it here with an error of its own, which is none of the store's.
        yield value;
      }
    } finally {
      await chunks.return?.();
    }
  }
  return {
    read: async (...args) => count(...args),
    downloadedBytes: () => downloadedBytes,
    requireNoFailure: () => {
      if (failed !== undefined) throw failed.error;
    },
    requireNoPassingFailure: () => {
      if (passing !== undefined) throw passing;
    },
  };
}
