import { lstat, readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Sighting } from "./stability.ts";
import { unlessMissing } from "./system-errors.ts";

const EXTENSIONS: ReadonlySet<string> = new Set([".mp4", ".mov", ".mkv", ".avi", ".m4v"]);

/** Whether a file of that name is looked at: a recording by its extension, not hidden, not another program's temporary one. */
export function isWatchedName(name: string): boolean {
  return EXTENSIONS.has(extname(name).toLowerCase()) && !/^(\.|~\$)/.test(name) && !/[/\\\0]/.test(name);
}

/** A file as it lies there; undefined where there is none, or no regular one: links are not followed. */
export async function sightFile(path: string): Promise<Sighting | undefined> {
  const stats = await unlessMissing(lstat(path), undefined);
  if (stats?.isFile() !== true) return undefined;
  return { bytes: stats.size, modifiedAtMs: stats.mtimeMs, inode: stats.ino };
}

/** The recordings in a folder itself, by name. Throws what the system says. */
export async function listRecordings(folder: string): Promise<ReadonlyMap<string, Sighting>> {
  const names = (await readdir(folder)).filter(isWatchedName).sort();
  const found = new Map<string, Sighting>();
  for (const name of names) {
    const sighting = await sightFile(join(folder, name));
    if (sighting !== undefined) found.set(name, sighting);
  }
  return found;
}
