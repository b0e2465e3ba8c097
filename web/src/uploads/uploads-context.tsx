import { createContext, type ReactNode, use, useMemo, useState, useSyncExternalStore } from "react";
import { useApiAccess } from "../auth/api-context.ts";
import type { UploadItem } from "./upload.ts";
import { createUploadStore, type UploadStore } from "./upload-store.ts";

const UploadsContext = createContext<UploadStore | null>(null);

/** Holds the uploads of the tab for all below. */
export function UploadsProvider({ children }: { readonly children: ReactNode }) {
  const { api, readKey, requireKey } = useApiAccess();
  const [store] = useState(() =>
    createUploadStore({
      ...{ api, readKey, onUnauthorized: requireKey },
      ...{ storage: window.sessionStorage, lastingStorage: window.localStorage },
      onLeave: (leave) => window.addEventListener("pagehide", leave),
    }),
  );
  return <UploadsContext value={store}>{children}</UploadsContext>;
}

/** The uploads of the tab for the next job, or those for a failed one; throws outside of an UploadsProvider. */
export function useUploads(jobId: string | null = null): {
  readonly items: readonly UploadItem[];
  readonly store: UploadStore;
} {
  const store = use(UploadsContext);
  if (store === null) throw new Error("useUploads needs an UploadsProvider around it.");
  const all = useSyncExternalStore(store.subscribe, store.list);
  const items = useMemo(() => all.filter((item) => item.jobId === jobId), [all, jobId]);
  return { items, store };
}
