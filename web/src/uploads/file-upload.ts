import type { Api } from "../api/api.ts";
import type { KeptUploads } from "./kept-uploads.ts";
import { createLinkUpload, type LinkUploadApi } from "./link-upload.ts";
import { createTusUpload } from "./tus-upload.ts";
import type { FileUpload, UploadHandlers } from "./upload.ts";

/** What reaches the server. */
export interface UploadAccess {
  readonly api: Pick<Api, "findUploadWay"> & LinkUploadApi;
  readonly readKey: () => string | null;
  readonly kept: KeptUploads;
}

/** Prepares the upload of one file in the way that the server takes files, which is asked for when it starts. */
export function createFileUpload(
  file: File,
  { api, readKey, kept }: UploadAccess,
  handlers: UploadHandlers,
): FileUpload {
  let chosen: FileUpload | null = null;
  /** Changes with every press of a button: what was begun before it goes no further. */
  let turn = 0;
  const choose = async (): Promise<FileUpload> => {
    const way = await api.findUploadWay();
    chosen ??= way === "link" ? createLinkUpload(file, api, kept, handlers) : createTusUpload(file, readKey, handlers);
    return chosen;
  };
  return {
    start: async () => {
      turn += 1;
      const own = turn;
      try {
        const upload = chosen ?? (await choose());
        if (own === turn) await upload.start();
      } catch (error) {
        if (own === turn) handlers.onError(error instanceof Error ? error.message : String(error));
      }
    },
    pause: async () => {
      turn += 1;
      await chosen?.pause();
    },
    cancel: async () => {
      turn += 1;
      await chosen?.cancel();
    },
  };
}
