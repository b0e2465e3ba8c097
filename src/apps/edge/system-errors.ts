import { ReelmillError } from "../../base/errors.ts";
import { systemCodeOf } from "../../base/system-code.ts";

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

/** The system's code of an error or of what caused it. */
export function rootCodeOf(error: unknown): string | undefined {
  const code = systemCodeOf(error);
  if (code !== undefined) return code;
  return error instanceof Error && error.cause !== undefined ? rootCodeOf(error.cause) : undefined;
}

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
