import type { Api } from "../api/api.ts";
import { createRandomId } from "./random-id.ts";
import type { FileUpload, UploadHandlers } from "./upload.ts";

const MAX_NAME_LENGTH = 80;
/** Control characters, parts of paths, and those that turn the direction of writing so that an extension looks like another one. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069/\\]/gu;

/** A file's name as the last part of an object's key; its end stays, with the extension. */
export function keyNameFor(name: string): string {
  const plain = name.toWellFormed().normalize("NFC").replaceAll(UNSAFE, "_").trim().replace(/\.+$/, "");
  const short = [...plain].slice(-MAX_NAME_LENGTH).join("").trim();
  return short === "" ? "upload" : short.replace(/^\./, "_.");
}

/** Prepares the upload of one file to the server's store, in one request: once stopped, it begins anew. */
export function createLinkUpload(file: File, api: Pick<Api, "lendUpload">, handlers: UploadHandlers): FileUpload {
  const key = `${createRandomId()}/${keyNameFor(file.name)}`;
  let stopping: AbortController | null = null;
  const stop = async (): Promise<void> => stopping?.abort();
  return {
    start: async () => {
      stopping = new AbortController();
      const { signal } = stopping;
      handlers.onProgress(0);
      try {
        const { url, headers } = await api.lendUpload(key, file.size, signal);
        await put(file, url, headers, handlers.onProgress, signal);
        if (!signal.aborted) handlers.onDone(`uploads/${key}`);
      } catch (error) {
        if (!signal.aborted) handlers.onError(error instanceof Error ? error.message : String(error));
      }
    },
    pause: stop,
    cancel: stop,
  };
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
    else reject(new Error(`The server's store refused the file with status ${request.status}.`));
  };
  request.onerror = () => reject(new Error("The server's store could not be reached, or broke off."));
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
