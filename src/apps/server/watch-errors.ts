import { basename, posix } from "node:path";
import { createReplacer } from "../../base/replace-texts.ts";
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
  // Files beside them, such as healthy ones that the repair found by itself, are named as they are, too.
  const replace = createReplacer(
    new Map(keys.flatMap((key) => [[`${posix.dirname(key)}/`, ""] as const, [key, nameOf(key)] as const])),
  );
  return { ...error, message: replace(error.message) };
}
