import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import { translateStoreError } from "./store-errors.ts";

/** What the system knows of a file that a store is to take in. Throws INPUT_NOT_FOUND, INPUT_IS_DIRECTORY, INPUT_UNREADABLE for a link or a device. */
export async function inputStats(path: string): Promise<Stats> {
  const shown = printableLine(path);
  const stats = await lstat(path).catch((error: unknown) => {
    const isMissing = ["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "");
    throw isMissing
      ? new ReelmillError("INPUT_NOT_FOUND", `${shown} does not exist.`, { cause: error })
      : translateStoreError(path, "reading", error);
  });
  if (stats.isFile()) return stats;
  if (stats.isDirectory()) throw new ReelmillError("INPUT_IS_DIRECTORY", `${shown} is a folder, not a file.`);
  throw new ReelmillError("INPUT_UNREADABLE", `${shown} is a link or a device, not a file.`);
}
