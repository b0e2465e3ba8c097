import type { Api } from "../api/api.ts";
import { createLinkUpload } from "./link-upload.ts";
import { createTusUpload } from "./tus-upload.ts";
import type { FileUpload, UploadHandlers } from "./upload.ts";

/** What reaches the server. */
export interface UploadAccess {
  readonly api: Pick<Api, "findUploadWay" | "lendUpload">;
  readonly readKey: () => string | null;
}

/** Prepares the upload of one file in the way that the server takes files, which is asked for at its start. */
export function createFileUpload(file: File, { api, readKey }: UploadAccess, handlers: UploadHandlers): FileUpload {
  let chosen: Promise<FileUpload | null> | null = null;
  const choose = async (): Promise<FileUpload | null> => {
    try {
      const way = await api.findUploadWay();
      return way === "link" ? createLinkUpload(file, api, handlers) : createTusUpload(file, readKey, handlers);
    } catch (error) {
      // Asked again when the user goes on.
      chosen = null;
      handlers.onError(error instanceof Error ? error.message : String(error));
      return null;
    }
  };
  return {
    start: async () => {
      chosen ??= choose();
      await (await chosen)?.start();
    },
    pause: async () => await (await chosen)?.pause(),
    cancel: async () => await (await chosen)?.cancel(),
  };
}
