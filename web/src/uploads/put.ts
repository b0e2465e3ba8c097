import type { LentView } from "../api/types.ts";

/** The connection broke, or the store could not for now; another attempt may do. */
export class BrokenUploadError extends Error {
  override readonly name = "BrokenUploadError";
}

/** The store does not take what is sent, now or later. */
export class RefusedUploadError extends Error {
  override readonly name = "RefusedUploadError";
}

/** Whether another attempt may be answered otherwise. */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * Writes bytes by a link into the server's store, and gives what the store calls them; null where it does not say. By XMLHttpRequest, because `fetch` does not
 * tell how much was sent. Throws BrokenUploadError, RefusedUploadError, and an Error where `signal` was given.
 */
export async function put(
  bytes: Blob,
  { url, headers }: Pick<LentView, "url" | "headers">,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<string | null> {
  signal.throwIfAborted();
  const request = new XMLHttpRequest();
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  request.open("PUT", url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.onprogress = ({ loaded }) => onProgress(loaded);
  request.onload = () => {
    if (request.status < 300) resolve(request.getResponseHeader("ETag"));
    else {
      const message = `The server's store refused the file with status ${request.status}.`;
      reject(isPassingStatus(request.status) ? new BrokenUploadError(message) : new RefusedUploadError(message));
    }
  };
  request.onerror = () => reject(new BrokenUploadError("The server's store could not be reached, or broke off."));
  request.onabort = () => reject(new Error("The upload was stopped."));
  const abort = (): void => request.abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    request.send(bytes);
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
