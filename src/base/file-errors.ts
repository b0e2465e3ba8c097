import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, ReelmillError } from "./errors.ts";
import { systemCodeOf } from "./system-code.ts";

const IS_FOLDER = "is a folder, but a single file is needed here";

const INPUT_CODES: Readonly<Record<string, readonly [code: ErrorCode, what: string]>> = {
  ENOENT: ["INPUT_NOT_FOUND", "does not exist"],
  ENOTDIR: ["INPUT_NOT_FOUND", "does not exist: a part of its path is no folder"],
  ENAMETOOLONG: ["INPUT_NOT_FOUND", "does not exist: its name is longer than the file system allows"],
  EISDIR: ["INPUT_IS_DIRECTORY", IS_FOLDER],
  ELOOP: ["INPUT_SYMLINK_LOOP", "leads round in a circle of symbolic links"],
  EACCES: ["INPUT_UNREADABLE", "may not be read: its permissions forbid it"],
  EPERM: ["INPUT_UNREADABLE", "may not be read: its permissions forbid it"],
  EIO: ["INPUT_UNREADABLE", "cannot be read: the disk reports a fault"],
};

const OUTPUT_CODES: Readonly<Record<string, readonly [code: ErrorCode, what: string]>> = {
  ENOSPC: ["NO_SPACE", "the disk is full"],
  EDQUOT: ["NO_SPACE", "the disk quota is used up"],
  EFBIG: ["OUTPUT_UNWRITABLE", "the file would be larger than the file system allows"],
  EACCES: ["OUTPUT_UNWRITABLE", "permissions forbid it"],
  EPERM: ["OUTPUT_UNWRITABLE", "permissions forbid it"],
  EROFS: ["OUTPUT_UNWRITABLE", "the file system is read-only"],
  ENOENT: ["OUTPUT_UNWRITABLE", "its folder does not exist"],
  ENOTDIR: ["OUTPUT_UNWRITABLE", "a part of its path is no folder"],
  EISDIR: ["OUTPUT_UNWRITABLE", "it is a folder"],
  ENAMETOOLONG: ["OUTPUT_UNWRITABLE", "its name is longer than the file system allows"],
  EEXIST: ["OUTPUT_EXISTS", "a file of that name is there already; choose another name or remove it"],
  EIO: ["OUTPUT_UNWRITABLE", "the disk reports a fault"],
  ETXTBSY: ["OUTPUT_UNWRITABLE", "the file is in use"],
  EBUSY: ["OUTPUT_UNWRITABLE", "the file is in use"],
};

/** The error for a folder that was given in the place of a file. */
export function inputIsDirectory(path: string): ReelmillError {
  return new ReelmillError("INPUT_IS_DIRECTORY", `${path} ${IS_FOLDER}.`);
}

const REFUSED = ["OUTPUT_UNWRITABLE", "its folder takes no new files"] as const;

/**
 * The error for a file that could not be opened or read: INPUT_NOT_FOUND, INPUT_IS_DIRECTORY, INPUT_SYMLINK_LOOP or
 * INPUT_UNREADABLE. What the system did not raise is given back unchanged.
 */
export function translateInputError(path: string, error: unknown): unknown {
  const system = systemCodeOf(error);
  if (system === undefined) return error;
  const [code, what] = INPUT_CODES[system] ?? (["INPUT_UNREADABLE", `cannot be read (${system})`] as const);
  const advice = code === "INPUT_NOT_FOUND" ? adviseName(path) : "";
  return new ReelmillError(code, `${path} ${what}.`, { cause: error, advice });
}

/** Whether a name is rather one of the web's: `scheme://…`. */
export function looksLikeAddress(name: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(name);
}

/** What to do about a name that no file has; empty where the name tells nothing. */
function adviseName(path: string): string {
  if (looksLikeAddress(path)) return "Files are taken, not addresses: fetch it first.";
  // Bytes of a name that are no UTF-8 become this mark on the way in; by that the file cannot be found again.
  return path.includes("\ufffd") ? "If it is there, its name is not in UTF-8: rename it." : "";
}

/**
 * The error for a file that could not be written: NO_SPACE, OUTPUT_EXISTS or OUTPUT_UNWRITABLE. What the system did not
 * raise is given back unchanged.
 */
export function translateOutputError(path: string, error: unknown): unknown {
  const system = systemCodeOf(error);
  if (system === undefined) return error;
  // As /proc refuses new files.
  const isRefused = system === "ENOENT" && existsSync(dirname(path));
  const [code, what] = isRefused ? REFUSED : (OUTPUT_CODES[system] ?? (["OUTPUT_UNWRITABLE", system] as const));
  return new ReelmillError(code, `${path} cannot be written: ${what}.`, { cause: error });
}
