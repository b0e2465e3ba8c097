import { basename } from "node:path";
import type { JobError } from "../../jobs/job.ts";

/** A job's error in terms of files: who puts files into a folder knows of no objects. `files`: paths by their keys. */
export function errorWithFiles(error: JobError, files: ReadonlyMap<string, string>): JobError {
  // The longest first, in case one key is the beginning of another.
  const keys = [...files.keys()].sort((a, b) => b.length - a.length);
  const nameOf = (key: string): string => basename(files.get(key) ?? key);
  const missing = keys.find((key) => error.message.includes(key));
  if (error.code === "OBJECT_NOT_FOUND" && missing !== undefined) {
    return { ...error, code: "INPUT_NOT_FOUND", message: `${nameOf(missing)} is not in its folder any more.` };
  }
  const message = keys.reduce((text, key) => text.replaceAll(key, () => nameOf(key)), error.message);
  return { ...error, message };
}
