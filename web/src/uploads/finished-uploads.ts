import type { UploadItem } from "./upload.ts";

const STORED = "reelmill.uploads";

/** Finished uploads that an earlier load of the page left in this tab. */
export function readFinished(storage: Storage): readonly UploadItem[] {
  try {
    const stored: unknown = JSON.parse(storage.getItem(STORED) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isItem) : [];
  } catch {
    // Forbidden, or not what this version wrote: the files are on the server all the same.
    return [];
  }
}

/** Keeps the finished ones among `items` for the next load of the page. */
export function writeFinished(storage: Storage, items: readonly UploadItem[]): void {
  try {
    storage.setItem(STORED, JSON.stringify(items.filter((item) => item.state === "done")));
  } catch {
    // Forbidden or full: the list then lasts until the page is left.
  }
}

function isItem(value: unknown): value is UploadItem {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, bytes, key, jobId, state } = value as Readonly<Record<string, unknown>>;
  return (
    typeof id === "string" &&
    typeof name === "string" &&
    typeof bytes === "number" &&
    typeof key === "string" &&
    (jobId === null || typeof jobId === "string") &&
    state === "done"
  );
}
