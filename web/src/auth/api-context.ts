import { createContext, use } from "react";
import type { Api } from "../api/api.ts";

/** What the pages talk through. */
export interface ApiAccess {
  readonly api: Api;
  /** For what does not go through the API's client, such as uploads. */
  readonly readKey: () => string | null;
  /** Asks the user for a key. */
  readonly requireKey: () => void;
}

/** Set by ApiProvider. */
export const ApiContext = createContext<ApiAccess | null>(null);

/** The server, as the component's surroundings reach it; throws outside of an ApiProvider. */
export function useApiAccess(): ApiAccess {
  const access = use(ApiContext);
  if (access === null) throw new Error("useApiAccess needs an ApiProvider around it.");
  return access;
}

/** The calls of the API; throws outside of an ApiProvider. */
export function useApi(): Api {
  return useApiAccess().api;
}
