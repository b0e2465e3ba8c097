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
    makeOneSync(path, mode);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    // Where it is there, somebody else may just have made it: a second try tells.
    if (!existsSync(dirname(path))) makeFolderSync(dirname(path), mode);
    makeOneSync(path, mode);
  }
}

function makeOneSync(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
}

/** As `makeFolderSync`. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    if (!(await isThere(dirname(path)))) await makeFolder(dirname(path), mode);
    await makeOne(path, mode);
  }
}

async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
