import type { Api } from "../api/api.ts";
import { ApiError } from "../api/api-error.ts";
import type { KeptUpload, KeptUploads } from "./kept-uploads.ts";
import { beginParts, createPartUpload, type PartsApi, type PartUpload } from "./part-upload.ts";
import { BrokenUploadError, isPassingStatus, put, RefusedUploadError } from "./put.ts";
import { createRandomId } from "./random-id.ts";
import type { FileUpload, UploadHandlers } from "./upload.ts";

/** Of UTF-8; leaves room for what is put before and behind it in file systems. */
const MAX_NAME_BYTES = 200;
/** Control characters, those that nobody sees, and parts of paths. */
const UNSAFE = /[\p{Cc}\p{Cf}\u2028\u2029/\\]/gu;
/** Of one request in a row. */
const MAX_RETRIES = 3;
const RETRY_MS = 3000;

/** A file's name as the last part of an object's key; its end stays, with the extension. */
export function keyNameFor(name: string): string {
  const plain = name.toWellFormed().normalize("NFC").replaceAll(UNSAFE, "_").trim().replace(/\.+$/, "");
  let short = plain;
  while (new TextEncoder().encode(short).length > MAX_NAME_BYTES) short = [...short].slice(1).join("").trim();
  return short === "" ? "upload" : short.replace(/^\./, "_.");
}

/** What reaches the server for an upload by links. */
export type LinkUploadApi = Pick<Api, "lendUpload" | "removeObject"> & PartsApi;

/**
 * Prepares the upload of one file to the server's store: in one request, which begins anew once it was stopped, or in parts where the server answers so,
 * which go on, even after a reload of the page.
 */
export function createLinkUpload(
  file: File,
  api: LinkUploadApi,
  kept: KeptUploads,
  handlers: UploadHandlers,
): FileUpload {
  let stopping: AbortController | null = null;
  let key = `${createRandomId()}/${keyNameFor(file.name)}`;
  let parts: (PartUpload & { readonly storageKey: string }) | null = null;
  const pause = async (): Promise<void> => stopping?.abort();
  const goOn = (upload: KeptUpload, storageKey: string): void => {
    key = upload.key;
    const keep = (standing: KeptUpload): void => kept.keep(storageKey, file, standing);
    keep(upload);
    parts = { ...createPartUpload(file, upload, api, retrying, keep), storageKey };
  };
  /** So that the next start begins anew; what the store keeps of it goes by its own rules. */
  const forget = async (): Promise<void> => {
    if (parts === null) return;
    const { storageKey, forget: forgetParts } = parts;
    parts = null;
    kept.forget(storageKey);
    await forgetParts().catch(() => undefined);
  };
  const send = async (signal: AbortSignal): Promise<void> => {
    const left = parts === null ? kept.take(file) : undefined;
    if (left !== undefined) goOn(left, left.storageKey);
    await retrying(async () => {
      if (parts !== null) return;
      signal.throwIfAborted();
      handlers.onProgress(0);
      const answer = await api.lendUpload(key, file.size, signal);
      if ("upload_id" in answer) goOn(beginParts(file, key, answer), kept.createKey());
      else await put(file, answer, handlers.onProgress, signal);
    }, signal);
    try {
      await parts?.send(handlers.onProgress, signal);
      if (parts !== null) kept.forget(parts.storageKey);
    } catch (error) {
      if (!isLost(error)) throw error;
      await forget();
      // The store may have swept what was left long ago.
      if (left === undefined) throw error;
      await send(signal);
    }
  };
  return {
    start: async () => {
      stopping = new AbortController();
      const { signal } = stopping;
      await send(signal);
      if (!signal.aborted) handlers.onDone(`uploads/${key}`);
    },
    pause,
    cancel: async () => {
      await pause();
      await forget();
      // Its last byte may have been there before the store's answer was.
      if (stopping !== null) await api.removeObject(`uploads/${key}`);
    },
  };
}

async function retrying<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || retries === MAX_RETRIES || !isPassing(error)) throw error;
      await new Promise((resolve) => window.setTimeout(resolve, RETRY_MS));
      // Whoever stopped it may have gone on with it meanwhile.
      signal.throwIfAborted();
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof BrokenUploadError) return true;
  // 0: the server was not reached.
  return error instanceof ApiError && (error.status === 0 || isPassingStatus(error.status));
}

/** Whether the parts that are there are of no use any more; else the upload goes on with them when it is resumed. */
function isLost(error: unknown): boolean {
  if (error instanceof RefusedUploadError) return true;
  return error instanceof ApiError && ["UPLOAD_NOT_FOUND", "UPLOAD_REFUSED"].includes(error.code);
}
