import { DetailedError, type HttpRequest, type HttpResponse, Upload } from "tus-js-client";
import { authHeaders } from "../api/client.ts";
import type { FileUpload, UploadHandlers } from "./upload.ts";

const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000];
const UNAUTHORIZED = 401;

/** Prepares the upload of one file by the tus protocol: it goes on from where the server is, even after a reload of the page. */
export function createTusUpload(file: File, readKey: () => string | null, handlers: UploadHandlers): FileUpload {
  let key: string | null = null;
  const upload = new Upload(file, {
    endpoint: new URL("/v1/uploads", window.location.href).href,
    metadata: { filename: file.name, filetype: file.type },
    retryDelays: RETRY_DELAYS_MS,
    removeFingerprintOnSuccess: true,
    onBeforeRequest: (request: HttpRequest) => {
      for (const [name, value] of Object.entries(authHeaders(readKey()))) request.setHeader(name, value);
    },
    onAfterResponse: (_request: HttpRequest, response: HttpResponse) => {
      key = readKeyHeader(response) ?? key;
    },
    onProgress: (sentBytes) => handlers.onProgress(sentBytes),
    onSuccess: () => {
      if (key === null) handlers.onError("The server took the file, but did not say where it lies.");
      else handlers.onDone(key);
    },
    onError: (error) => {
      if (error instanceof DetailedError && error.originalResponse?.getStatus() === UNAUTHORIZED) {
        handlers.onUnauthorized();
      }
      handlers.onError(explain(error));
    },
  });
  /** Changes with every press of a button. */
  let turn = 0;
  const stop = async (forgets: boolean): Promise<void> => {
    turn += 1;
    await upload.abort(forgets);
  };
  return {
    start: async () => {
      turn += 1;
      const own = turn;
      const [previous] = await upload.findPreviousUploads();
      if (own !== turn) return;
      if (previous !== undefined && upload.url === null) upload.resumeFromPreviousUpload(previous);
      upload.start();
    },
    pause: () => stop(false),
    cancel: () => stop(true),
  };
}

/** The key of the stored object; header values carry no other than ASCII characters, so that the server escapes it. */
function readKeyHeader(response: HttpResponse): string | null {
  const header = response.getHeader("Upload-Object-Key");
  return header === undefined || header === null ? null : decodeURIComponent(header);
}

/** The problem that the server told, or else that it was not reached. */
function explain(error: Error | DetailedError): string {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (!response) return "The server could not be reached.";
  const body = response.getBody();
  try {
    const { detail, code } = JSON.parse(body) as { readonly detail?: string; readonly code?: string };
    if (detail !== undefined) return code === undefined ? detail : `${detail} (${code})`;
  } catch {
    // Not a problem document: the text itself is what there is.
  }
  return `The server refused the file with status ${response.getStatus()}${body === "" ? "." : `: ${body.slice(0, 200)}`}`;
}
