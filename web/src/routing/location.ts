import { useSyncExternalStore } from "react";

/** Where the user is. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Where the user is; the component renders anew when that changes. */
export function usePlace(): Place {
  const href = useSyncExternalStore(subscribe, () => window.location.pathname + window.location.search);
  const [path = "/", search = ""] = href.split("?", 2);
  return { path, query: new URLSearchParams(search) };
}

/** Goes to a path of the dashboard. */
export function navigate(to: string): void {
  window.history.pushState(null, "", to);
  // The browser tells of its own moves only.
  window.dispatchEvent(new PopStateEvent("popstate"));
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("popstate", onChange);
  return () => window.removeEventListener("popstate", onChange);
}
