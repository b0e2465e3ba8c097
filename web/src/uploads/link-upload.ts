import type { Api } from "../api/api.ts";
import { createRandomId } from "./random-id.ts";
import type { FileUpload, UploadHandlers } from "./upload.ts";

/** Of UTF-8; leaves room for what is put before and behind it in file systems. */
const MAX_NAME_BYTES = 200;
/** Control characters, those that nobody sees, and parts of paths. */
const UNSAFE = /[\p{Cc}\p{Cf}\u2028\u2029/\\]/gu;
/** Each sends the whole file again. */
const MAX_RETRIES = 3;
const RETRY_MS = 3000;

/** A file's name as the last part of an object's key; its end stays, with the extension. */
export function keyNameFor(name: string): string {
  const plain = name.toWellFormed().normalize("NFC").replaceAll(UNSAFE, "_").trim().replace(/\.+$/, "");
  let short = plain;
  while (new TextEncoder().encode(short).length > MAX_NAME_BYTES) short = [...short].slice(1).join("").trim();
  return short === "" ? "upload" : short.replace(/^\./, "_.");
}

/** Prepares the upload of one file to the server's store, in one request: once stopped, it begins anew. */
export function createLinkUpload(
  file: File,
  api: Pick<Api, "lendUpload" | "removeObject">,
  handlers: UploadHandlers,
): FileUpload {
  const key = `${createRandomId()}/${keyNameFor(file.name)}`;
  let stopping: AbortController | null = null;
  const pause = async (): Promise<void> => stopping?.abort();
  const sendOnce = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    handlers.onProgress(0);
    const { url, headers } = await api.lendUpload(key, file.size, signal);
    await put(file, url, headers, handlers.onProgress, signal);
  };
  const send = async (signal: AbortSignal): Promise<void> => {
    for (let retries = 0; ; retries++) {
      try {
        await sendOnce(signal);
        return;
      } catch (error) {
        if (signal.aborted || retries === MAX_RETRIES || !(error instanceof BrokenUploadError)) throw error;
        await new Promise((resolve) => window.setTimeout(resolve, RETRY_MS));
      }
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
      // Its last byte may have been there before the store's answer was.
      if (stopping !== null) await api.removeObject(`uploads/${key}`);
    },
  };
}

/** The connection broke, which another attempt may not. */
class BrokenUploadError extends Error {
  override readonly name = "BrokenUploadError";
}

/** By XMLHttpRequest, because `fetch` does not tell how much was sent. */
async function put(
  file: File,
  url: string,
  headers: Readonly<Record<string, string>>,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const request = new XMLHttpRequest();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request.open("PUT", url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.onprogress = ({ loaded }) => onProgress(loaded);
  request.onload = () => {
    if (request.status < 300) resolve();
    else {
      const message = `The server's store refused the file with status ${request.status}.`;
      reject(request.status >= 500 ? new BrokenUploadError(message) : new Error(message));
    }
  };
  request.onerror = () => reject(new BrokenUploadError("The server's store could not be reached, or broke off."));
  request.onabort = () => reject(new Error("The upload was stopped."));
  const abort = (): void => request.abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) return;
    request.send(file);
    await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
