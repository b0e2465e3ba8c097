import { accessSync, constants, existsSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { translateOutputError } from "../../../base/file-errors.ts";
import { makeFolderSync } from "../../../base/make-folder.ts";

/**
 * Refuses a folder that could not take a job's outputs, before anything is sent; makes nothing. A package lies in a folder of its own. Throws
 * OUTPUT_EXISTS, OUTPUT_UNWRITABLE.
 */
export function requireOutputFolder(path: string, isPackage: boolean): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === false) {
      throw new ReelmillError("OUTPUT_EXISTS", `${path} is there already, and is no folder; -o names a folder.`);
    }
    if (isPackage && found !== undefined && readdirSync(path).length > 0) {
      const problem = `The folder ${path} is there already, and is not empty; choose another one or remove it.`;
      throw new ReelmillError("OUTPUT_EXISTS", problem);
    }
    accessSync(nearestFolder(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw error instanceof ReelmillError ? error : translateOutputError(path, error);
  }
}

function nearestFolder(path: string): string {
  const [uppermost] = missingFolders(path);
  return uppermost === undefined ? path : dirname(uppermost);
}

/** The folder and those above it that are not there, the uppermost first. */
function missingFolders(path: string): readonly string[] {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  return missing;
}

/**
 * Makes folders where there are none, and gives those that it made, in the order in which they were made. Throws OUTPUT_UNWRITABLE, NO_SPACE.
 */
export function makeFolders(paths: Iterable<string>): readonly string[] {
  const made: string[] = [];
  for (const path of paths) {
    const missing = missingFolders(path);
    try {
      makeFolderSync(path);
    } catch (error) {
      removeEmptyFolders([...made, ...missing]);
      throw translateOutputError(path, error);
    }
    made.push(...missing);
  }
  return made;
}

/** Removes folders that `makeFolders` made, as far as nothing lies in them. */
export function removeEmptyFolders(made: readonly string[]): void {
  for (const folder of made.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      // Something was saved in it, or it is gone: either way it stays as it is, and the failure that led here is the one to tell.
    }
  }
}
