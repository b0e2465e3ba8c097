/** Which page a path names. */
export type Route =
  | { readonly page: "jobs" }
  | { readonly page: "job"; readonly id: string }
  | { readonly page: "queues" }
  | { readonly page: "watch" }
  | { readonly page: "system" }
  | { readonly page: "missing" };

/** Finds the page of a path such as `/jobs/0190-…`. */
export function matchRoute(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  const [first, second] = parts;
  if (first === undefined || (first === "jobs" && parts.length === 1)) return { page: "jobs" };
  if (first === "jobs" && second !== undefined && parts.length === 2) return matchJob(second);
  if (parts.length === 1 && (first === "queues" || first === "watch" || first === "system")) return { page: first };
  return { page: "missing" };
}

function matchJob(part: string): Route {
  try {
    return { page: "job", id: decodeURIComponent(part) };
  } catch {
    // A lone % is no address of ours.
    return { page: "missing" };
  }
}

/** Path of a job's page. */
export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}
