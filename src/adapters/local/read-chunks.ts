import type { FileHandle } from "node:fs/promises";
import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import type { ByteRange } from "../../jobs/object-store.ts";
import { translating } from "./store-errors.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * The bytes of an open file, which is closed at their end, at a failure, and when whoever takes them stops: also where that
 * is before the first of them, which a generator would not notice. Throws STORE_UNAVAILABLE where the file became shorter.
 */
export function readChunks(key: string, handle: FileHandle, range: ByteRange): AsyncIterable<Uint8Array> {
  let offset = range.start;
  let isDone = false;
  const finish = async (): Promise<IteratorReturnResult<undefined>> => {
    if (!isDone) {
      isDone = true;
      await handle.close();
    }
    return { done: true, value: undefined };
  };
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    if (isDone || offset >= range.end) return await finish();
    try {
      const value = await readOne(key, handle, offset, range.end);
      offset += value.length;
      return { done: false, value };
    } catch (error) {
      await finish();
      throw error;
    }
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: finish }) };
}

/** A buffer of its own each time: whoever takes it may keep it. */
async function readOne(key: string, handle: FileHandle, offset: number, end: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, end - offset));
  const { bytesRead } = await translating(key, "reading", () => handle.read(buffer, 0, buffer.length, offset));
  if (bytesRead === 0) {
    throw new ReelmillError(
      "STORE_UNAVAILABLE",
      `The object "${printableLine(key)}" became shorter while it was read.`,
    );
  }
  return buffer.subarray(0, bytesRead);
}
