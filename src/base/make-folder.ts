import { existsSync, mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf } from "./system-code.ts";

/*
 * Not Node's own recursive way: where a file system refuses a folder with ENOENT though its parent is there, as /proc does, that
 * never comes to an end.
 */

/**
 * Makes a folder and those above it that are missing; `mode` less what the user's mask takes away. Throws what the system
 * throws, EEXIST where a file has that name.
 */
export function makeFolderSync(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST" && statSync(path).isDirectory()) return;
    if (systemCodeOf(error) !== "ENOENT" || existsSync(dirname(path))) throw error;
    makeFolderSync(dirname(path), mode);
    makeFolderSync(path, mode);
  }
}

/** As `makeFolderSync`. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (systemCodeOf(error) !== "ENOENT" || (await isThere(dirname(path)))) throw error;
    await makeFolder(dirname(path), mode);
    await makeFolder(path, mode);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
