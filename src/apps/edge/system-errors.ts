import { ReelmillError } from "../../base/errors.ts";
import { rootCodeOf } from "../../base/system-code.ts";

/** What a system says when the share behind a path has gone, or the way to it. */
const GONE: ReadonlySet<string> = new Set([
  "EIO",
  "ESTALE",
  "ENOTCONN",
  "ETIMEDOUT",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENODEV",
  "ENXIO",
]);

/** Whether an error says that the share has gone. */
export function isShareGone(error: unknown): boolean {
  const code = rootCodeOf(error);
  return code !== undefined && GONE.has(code);
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = rootCodeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Gives `absent` where there is no such file; other errors are thrown. */
export async function unlessMissing<T, Absent>(work: Promise<T>, absent: Absent): Promise<T | Absent> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return absent;
    throw error;
  }
}

/** For people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Throws ABORTED once the signal was given. */
export function requireRunning(signal: AbortSignal): void {
  if (signal.aborted) throw new ReelmillError("ABORTED", "The watch folder was stopped; the file stays where it is.");
}
