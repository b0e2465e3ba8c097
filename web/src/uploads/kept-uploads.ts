import type { MultipartView } from "../api/types.ts";
import { createRandomId } from "./random-id.ts";
import type { BrokenUpload } from "./upload.ts";

const PREFIX = "reelmill.upload.";
/** A page that ended without a word is waited for so long after it sent a part. */
const HELD_MS = 300_000;

/** An upload in parts, as it outlasts the page. */
export interface KeptUpload extends MultipartView {
  /** Of the object, below `uploads/`. */
  readonly key: string;
  /** What the store called each part; null: it is not there. */
  readonly etags: readonly (string | null)[];
}

/** Which file it is of, as far as a page can tell files apart. */
interface KeptRecord extends KeptUpload {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Until then, a page works at it, as far as others can tell; 0: none does. */
  readonly heldUntilMs: number;
}

/** Uploads in parts that this browser began and did not end. */
export interface KeptUploads {
  /** Takes what was left of the file's upload, which nobody else on this page then gets; undefined: nothing was. */
  readonly take: (file: File) => (KeptUpload & { readonly storageKey: string }) | undefined;
  /** Where a new one is kept. */
  readonly createKey: () => string;
  readonly keep: (storageKey: string, file: File, upload: KeptUpload) => void;
  readonly forget: (storageKey: string) => void;
  readonly find: (storageKey: string) => KeptUpload | undefined;
  /** Those that no page works at. */
  readonly list: () => readonly BrokenUpload[];
  /** Lets others have what this page worked at. */
  readonly leave: () => void;
}

/** `storage` is shared with the other pages of this browser, and may be forbidden or full: uploads then end with their page. */
export function createKeptUploads(storage: Storage): KeptUploads {
  const taken = new Set<string>();
  const read = (storageKey: string): KeptRecord | undefined => {
    try {
      const stored: unknown = JSON.parse(storage.getItem(storageKey) ?? "null");
      return isRecord(stored) ? stored : undefined;
    } catch {
      return undefined;
    }
  };
  const write = (storageKey: string, record: KeptRecord): void => {
    try {
      storage.setItem(storageKey, JSON.stringify(record));
    } catch {
      // Forbidden or full: it then ends with the page.
    }
  };
  const free = (): readonly (readonly [storageKey: string, record: KeptRecord])[] => {
    const keys = Array.from({ length: lengthOf(storage) }, (_, index) => storage.key(index) ?? "");
    return keys.flatMap((key) => {
      const record = key.startsWith(PREFIX) && !taken.has(key) ? read(key) : undefined;
      return record === undefined || record.heldUntilMs > Date.now() ? [] : [[key, record] as const];
    });
  };
  return {
    take: ({ name, size, lastModified }) => {
      const isOf = (record: KeptRecord): boolean =>
        record.name === name && record.bytes === size && record.modifiedMs === lastModified;
      const [storageKey, record] = free().find(([, each]) => isOf(each)) ?? [];
      if (storageKey === undefined || record === undefined) return undefined;
      taken.add(storageKey);
      return { ...record, storageKey };
    },
    createKey: () => {
      const storageKey = PREFIX + createRandomId();
      taken.add(storageKey);
      return storageKey;
    },
    keep: (storageKey, { name, size, lastModified }, upload) => {
      // A part may come to its end when the upload has been taken off.
      if (!taken.has(storageKey)) return;
      const { key, upload_id, part_bytes, etags } = upload;
      const file = { name, bytes: size, modifiedMs: lastModified, heldUntilMs: Date.now() + HELD_MS };
      write(storageKey, { key, upload_id, part_bytes, etags, ...file });
    },
    forget: (storageKey) => {
      taken.delete(storageKey);
      try {
        storage.removeItem(storageKey);
      } catch {
        // Forbidden: there is nothing.
      }
    },
    find: read,
    leave: () => {
      for (const storageKey of taken) {
        const record = read(storageKey);
        if (record !== undefined) write(storageKey, { ...record, heldUntilMs: 0 });
      }
    },
    list: () => free().map(([storageKey, { name, bytes }]) => ({ name, bytes, storageKey })),
  };
}

function lengthOf(storage: Storage): number {
  try {
    return storage.length;
  } catch {
    return 0;
  }
}

function isRecord(value: unknown): value is KeptRecord {
  if (typeof value !== "object" || value === null) return false;
  const { key, upload_id, part_bytes, etags, name, bytes, modifiedMs, heldUntilMs } = value as Readonly<
    Record<string, unknown>
  >;
  return (
    [key, upload_id, name].every((text) => typeof text === "string") &&
    [part_bytes, bytes, modifiedMs, heldUntilMs].every((number) => typeof number === "number") &&
    Array.isArray(etags) &&
    etags.every((etag) => etag === null || typeof etag === "string")
  );
}
