import { type ReactNode, useEffect, useMemo, useState } from "react";
import { type Api, createApi } from "../api/api.ts";
import { createClient } from "../api/client.ts";
import { ApiContext } from "./api-context.ts";
import { type KeyGate, KeyGateContext } from "./key-gate.ts";
import { createKeyStore } from "./key-store.ts";

/** Reaches the server for all below, and knows whether the server wants an API key first. */
export function ApiProvider({ children }: { readonly children: ReactNode }) {
  const [keyStore] = useState(() => createKeyStore(window.sessionStorage));
  // The cookie may have gone while the tab kept the key: streams and videos need it before anything is shown.
  const [state, setState] = useState<KeyGate["state"]>(() => (keyStore.read() === null ? "open" : "opening"));
  const access = useMemo(() => {
    const requireKey = (): void => setState("key-needed");
    const { read: readKey } = keyStore;
    return { api: createApi(createClient({ readKey, onUnauthorized: requireKey })), readKey, requireKey };
  }, [keyStore]);
  useEffect(() => {
    const key = keyStore.read();
    if (key !== null) void reopenSession(access.api, key).then(setState);
  }, [access, keyStore]);
  const gate = useMemo<KeyGate>(
    () => ({
      state,
      enter: async (key) => {
        await access.api.openSession(key);
        keyStore.write(key);
        setState("open");
      },
      hasKey: state === "open" && keyStore.read() !== null,
      leave: async () => {
        await access.api.closeSession();
        keyStore.clear();
        setState("key-needed");
      },
    }),
    [access, keyStore, state],
  );
  return (
    <ApiContext value={access}>
      <KeyGateContext value={gate}>{children}</KeyGateContext>
    </ApiContext>
  );
}

async function reopenSession(api: Api, key: string): Promise<KeyGate["state"]> {
  try {
    await api.openSession(key);
    return "open";
  } catch (error) {
    // A key that is no longer good is asked for anew; whatever else is wrong, the pages will say.
    return error instanceof Error && "status" in error && error.status === 401 ? "key-needed" : "open";
  }
}
