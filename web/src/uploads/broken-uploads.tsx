import { useEffect, useState, useSyncExternalStore } from "react";
import { Button } from "../ui/button.tsx";
import { formatBytes, formatCount } from "../ui/formats.ts";
import { Name } from "../ui/name.tsx";
import type { BrokenUpload } from "./upload.ts";
import type { UploadStore } from "./upload-store.ts";

/** Names the uploads that a reload broke off; the browser lets a page read a file again only when it is chosen again. */
export function BrokenUploads({ store }: { readonly store: UploadStore }) {
  // Whatever they are for: what is under way is not broken off.
  const items = useSyncExternalStore(store.subscribe, store.list);
  const [broken, setBroken] = useState<readonly BrokenUpload[]>([]);
  useEffect(() => {
    void store.listBroken().then(setBroken);
  }, [store]);
  const missing = broken.filter((one) => !items.some(({ name, bytes }) => name === one.name && bytes === one.bytes));
  if (missing.length === 0) return null;
  const forget = async (storageKey: string): Promise<void> => {
    await store.forgetBroken(storageKey);
    setBroken(await store.listBroken());
  };
  return (
    <div className="note">
      <div>
        <p>
          {formatCount(missing.length, "upload was", "uploads were")} broken off. Choose the same files again to go on
          where they stopped.
        </p>
        <ul>
          {missing.map(({ name, bytes, storageKey }) => (
            <li key={storageKey}>
              <Name text={name} /> <span className="muted">{formatBytes(bytes)}</span>{" "}
              <Button kind="quiet" label={`Forget the upload of ${name}`} onClick={() => void forget(storageKey)}>
                Forget
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
