import { runPool } from "../../../src/base/run-pool.ts";
import type { Api } from "../api/api.ts";
import type { MultipartView } from "../api/types.ts";
import type { KeptUpload } from "./kept-uploads.ts";
import { put } from "./put.ts";

/** One connection may not fill the line. */
const PARTS_AT_ONCE = 4;

/** The calls that an upload in parts makes. */
export type PartsApi = Pick<Api, "lendPart" | "completeUpload" | "abortUpload">;

/** A file that is being written in parts, of which those that are there stay there when it is stopped. */
export interface PartUpload {
  /** Sends what is missing, and makes the object. */
  readonly send: (onProgress: (sentBytes: number) => void, signal: AbortSignal) => Promise<void>;
  /** Has the store forget the parts. */
  readonly forget: () => Promise<void>;
}

/** What goes on where a part broke; gives what `attempt` gave in the end. */
export type Retrying = <T>(attempt: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** A new upload of which no part is there. */
export function beginParts(file: File, key: string, { upload_id, part_bytes }: MultipartView): KeptUpload {
  return { key, upload_id, part_bytes, etags: new Array(Math.ceil(file.size / part_bytes)).fill(null) };
}

/** Goes on with an upload that the server has begun for an object of the input bucket; `onPart` is told how it then stands. */
export function createPartUpload(
  file: File,
  { key, upload_id, part_bytes, etags: known }: KeptUpload,
  api: PartsApi,
  retrying: Retrying,
  onPart: (upload: KeptUpload) => void,
): PartUpload {
  const upload = { key, upload_id, size_bytes: file.size };
  const etags = [...known];
  const partOf = (index: number): Blob => file.slice(index * part_bytes, (index + 1) * part_bytes);
  const sent = new Map(etags.flatMap((etag, index) => (etag === null ? [] : [[index, partOf(index).size]])));
  const sendPart = async (index: number, onProgress: (sentBytes: number) => void, signal: AbortSignal) => {
    const bytes = partOf(index);
    const tell = (partBytes: number): void => {
      sent.set(index, partBytes);
      onProgress([...sent.values()].reduce((sum, more) => sum + more, 0));
    };
    try {
      etags[index] = await retrying(async () => {
        tell(0);
        const link = await api.lendPart({ ...upload, part_number: index + 1 }, signal);
        const etag = await put(bytes, link, tell, signal);
        if (etag === null) throw new Error("The server's store does not tell this page what it calls a part (ETag).");
        return etag;
      }, signal);
      tell(bytes.size);
      onPart({ key, upload_id, part_bytes, etags });
    } catch (error) {
      sent.delete(index);
      throw error;
    }
  };
  return {
    send: async (onProgress, signal) => {
      const missing = [...etags.keys()].filter((index) => etags[index] === null);
      await runPool(missing, PARTS_AT_ONCE, signal, (index, either) => sendPart(index, onProgress, either));
      signal.throwIfAborted();
      await retrying(
        () => api.completeUpload({ ...upload, etags: etags.filter((etag) => etag !== null) }, signal),
        signal,
      );
    },
    forget: () => api.abortUpload({ key, upload_id }),
  };
}
