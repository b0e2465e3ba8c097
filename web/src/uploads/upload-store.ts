import { defaultOptions } from "tus-js-client";
import { createFileUpload, type UploadAccess } from "./file-upload.ts";
import { readFinished, writeFinished } from "./finished-uploads.ts";
import { createKeptUploads } from "./kept-uploads.ts";
import { createRandomId } from "./random-id.ts";
import type { BrokenUpload, FileUpload, UploadItem } from "./upload.ts";

/** All uploads of the tab; lives as long as the page, whatever is shown. */
export interface UploadStore {
  readonly subscribe: (onChange: () => void) => () => void;
  /** The same list until something changes. */
  readonly list: () => readonly UploadItem[];
  /** `jobId`: the failed job for which they are references; else they are for the next job. */
  readonly add: (files: readonly File[], jobId?: string) => void;
  readonly pause: (id: string) => void;
  readonly resume: (id: string) => void;
  /** Takes it off the list; one under way is cancelled. */
  readonly remove: (id: string) => void;
  readonly setRole: (id: string, role: string) => void;
  /** Uploads that were broken off earlier and go on when the same file is added again. */
  readonly listBroken: () => Promise<readonly BrokenUpload[]>;
  readonly forgetBroken: (storageKey: string) => Promise<void>;
}

/** What the store takes from its surroundings. */
export interface UploadStoreOptions extends Omit<UploadAccess, "kept"> {
  readonly onUnauthorized: () => void;
  /** Of the tab. */
  readonly storage: Storage;
  /** Of the browser. */
  readonly lastingStorage: Storage;
  /** Takes what is to be done when the page is left. */
  readonly onLeave: (leave: () => void) => void;
}

const AT_A_TIME = 2;

/** Creates the list of uploads, with those that an earlier load of the page finished. */
export function createUploadStore(options: UploadStoreOptions): UploadStore {
  let items = readFinished(options.storage);
  const kept = createKeptUploads(options.lastingStorage);
  options.onLeave(kept.leave);
  const uploads = new Map<string, FileUpload>();
  const listeners = new Set<() => void>();
  const set = (next: readonly UploadItem[]): void => {
    items = next;
    writeFinished(options.storage, items);
    for (const listener of listeners) listener();
  };
  const patch = (id: string, change: Partial<UploadItem>): void =>
    set(items.map((item) => (item.id === id ? { ...item, ...change } : item)));
  const startNext = (): void => {
    const free = AT_A_TIME - items.filter(({ state }) => state === "sending").length;
    for (const { id } of items.filter(({ state }) => state === "waiting").slice(0, Math.max(0, free))) {
      patch(id, { state: "sending", message: null });
      void uploads.get(id)?.start();
    }
  };
  const end = (id: string, change: Partial<UploadItem>): void => {
    patch(id, change);
    startNext();
  };
  const create = (file: File, jobId: string | null): UploadItem => {
    const item = createItem(file, jobId);
    const upload = createFileUpload(
      file,
      { ...options, kept },
      {
        onProgress: (sentBytes) => patch(item.id, { sentBytes }),
        onDone: (key) => end(item.id, { state: "done", key, sentBytes: file.size }),
        onError: (message) => end(item.id, { state: "failed", message }),
        onUnauthorized: options.onUnauthorized,
      },
    );
    uploads.set(item.id, upload);
    return item;
  };
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    list: () => items,
    add: (files, jobId) => {
      set([...items, ...files.map((file) => create(file, jobId ?? null))]);
      startNext();
    },
    pause: (id) => {
      void uploads.get(id)?.pause();
      end(id, { state: "paused" });
    },
    resume: (id) => end(id, { state: "waiting" }),
    remove: (id) => {
      const item = items.find((candidate) => candidate.id === id);
      // A server that no longer answers sweeps what it has by itself.
      if (item !== undefined && item.state !== "done")
        uploads
          .get(id)
          ?.cancel()
          .catch(() => undefined);
      uploads.delete(id);
      set(items.filter((candidate) => candidate.id !== id));
      startNext();
    },
    setRole: (id, role) => patch(id, { role }),
    listBroken: async () => [...(await listBrokenTus()), ...kept.list()],
    forgetBroken: async (storageKey) => {
      const parts = kept.find(storageKey);
      if (parts === undefined) return await defaultOptions.urlStorage.removeUpload(storageKey);
      kept.forget(storageKey);
      // What cannot be removed now goes by the store's own rules.
      await options.api.abortUpload({ key: parts.key, upload_id: parts.upload_id }).catch(() => undefined);
    },
  };
}

async function listBrokenTus(): Promise<readonly BrokenUpload[]> {
  const previous = await defaultOptions.urlStorage.findAllUploads();
  return previous.map(({ size, metadata, urlStorageKey }) => ({
    name: metadata["filename"] ?? "unnamed file",
    bytes: size ?? 0,
    storageKey: urlStorageKey,
  }));
}

function createItem(file: File, jobId: string | null): UploadItem {
  return {
    id: createRandomId(),
    name: file.name,
    bytes: file.size,
    sentBytes: 0,
    state: "waiting",
    key: null,
    role: null,
    jobId,
    message: null,
  };
}
