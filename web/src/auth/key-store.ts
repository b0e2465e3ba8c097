const KEY_NAME = "reelmill.api-key";

/** Keeps the API key for as long as the tab lives. */
export interface KeyStore {
  readonly read: () => string | null;
  readonly write: (key: string) => void;
  readonly clear: () => void;
}

/** Creates the store over the tab's own storage; a browser that forbids it keeps the key until the page is left. */
export function createKeyStore(storage: Storage): KeyStore {
  let kept: string | null = null;
  return {
    read: () => {
      try {
        return storage.getItem(KEY_NAME) ?? kept;
      } catch {
        // Storage is forbidden by the browser's settings.
        return kept;
      }
    },
    write: (key) => {
      kept = key;
      try {
        storage.setItem(KEY_NAME, key);
      } catch {
        // As above: the key then lasts until the page is left.
      }
    },
    clear: () => {
      kept = null;
      try {
        storage.removeItem(KEY_NAME);
      } catch {
        // As above: there is nothing stored.
      }
    },
  };
}
