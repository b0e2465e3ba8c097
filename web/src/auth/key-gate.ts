import { createContext, use } from "react";

/** Whether the pages may be shown. */
export interface KeyGate {
  readonly state: "opening" | "open" | "key-needed";
  /** Tries a key; throws an ApiError where the server refuses it. */
  readonly enter: (key: string) => Promise<void>;
  /** Whether a key was given that can be forgotten. */
  readonly hasKey: boolean;
  /** Forgets the key and closes the session; throws an ApiError where the server cannot be told. */
  readonly leave: () => Promise<void>;
}

/** Set by ApiProvider. */
export const KeyGateContext = createContext<KeyGate | null>(null);

/** Whether the server wants a key; throws outside of an ApiProvider. */
export function useKeyGate(): KeyGate {
  const gate = use(KeyGateContext);
  if (gate === null) throw new Error("useKeyGate needs an ApiProvider around it.");
  return gate;
}
