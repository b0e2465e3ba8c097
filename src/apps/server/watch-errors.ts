import { basename, posix } from "node:path";
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
  const named = keys.reduce((text, key) => text.replaceAll(key, () => nameOf(key)), error.message);
  // Files beside them, such as healthy ones that the repair found by itself, are named as they are, too.
  const folders = new Set(keys.map((key) => `${posix.dirname(key)}/`));
  const message = [...folders].reduce((text, folder) => text.replaceAll(folder, ""), named);
  return { ...error, message };
}
