import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { systemCodeOf, translateInputError } from "./file-errors.ts";
import { identityOf } from "./file-source.ts";
import { extensionOf, type NamedInput } from "./output-path.ts";

/** Extensions that a walk through a folder takes up. A file named by itself may have any. */
const RECORDING_EXTENSIONS: ReadonlySet<string> = new Set([
  ".mp4",
  ".mov",
  ".m4v",
  ".m4a",
  ".qt",
  ".3gp",
  ".3g2",
  ".insv",
  ".lrv",
  ".360",
  ".mkv",
  ".webm",
  ".avi",
  ".ts",
  ".m2ts",
  ".mts",
]);
/** Hidden files (macOS's `._` companions, our own unfinished outputs), and what other programs have not finished. */
const SKIPPED_NAME = /^\.|^~\$|\.(part|tmp|crdownload)$|\.reelmill-undo$/i;
const MAX_FOLDER_DEPTH = 64;

/** A path that could not be taken up, and why. */
export interface InputFailure {
  readonly path: string;
  readonly error: unknown;
}

/** What the paths given come to. */
export interface CollectedInputs {
  /** Each file once, in the order of the paths, those of a folder by name. */
  readonly files: readonly NamedInput[];
  readonly failures: readonly InputFailure[];
}

interface Collection {
  readonly files: NamedInput[];
  readonly failures: InputFailure[];
  /** Identities of files and real paths of folders: each is taken up once, so that links cannot lead round in circles. */
  readonly seen: Set<string>;
  /** Recordings met, those seen before too. */
  metCount: number;
}

/**
 * Finds the files behind paths; folders are walked to the bottom. A path that cannot be read is a failure of its own, so that
 * one bad name does not stop the others. Never throws.
 */
export function collectInputs(paths: readonly string[]): CollectedInputs {
  const collection: Collection = { files: [], failures: [], seen: new Set(), metCount: 0 };
  for (const path of paths) {
    try {
      if (!statSync(path).isDirectory()) {
        addFile(collection, path, basename(path));
        continue;
      }
      const before = collection.metCount + collection.failures.length;
      walk(collection, path, "", 0);
      if (collection.metCount + collection.failures.length === before) {
        const message = `${path} holds no recordings (${[...RECORDING_EXTENSIONS].join(" ")}).`;
        collection.failures.push({ path, error: new ReelmillError("INPUT_NOT_FOUND", message) });
      }
    } catch (error) {
      collection.failures.push({ path, error: translateInputError(path, error) });
    }
  }
  return { files: collection.files, failures: collection.failures };
}

/** Recordings that lie in the folder itself, by name; empty where it cannot be read. */
export function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter(isRecordingName)
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function isRecordingName(name: string): boolean {
  return RECORDING_EXTENSIONS.has(extensionOf(name)) && !SKIPPED_NAME.test(name);
}

function addFile(collection: Collection, path: string, relativePath: string): void {
  const identity = identityOf(statSync(path));
  collection.metCount += 1;
  if (collection.seen.has(identity)) return;
  collection.seen.add(identity);
  collection.files.push({ path, relativePath });
}

function walk(collection: Collection, folder: string, relative: string, depth: number): void {
  const real = realpathSync(folder);
  if (collection.seen.has(real) || depth > MAX_FOLDER_DEPTH) return;
  collection.seen.add(real);
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const relativePath = join(relative, entry.name);
    try {
      if (isFolderEntry(entry, path)) {
        if (!entry.name.startsWith(".")) walk(collection, path, relativePath, depth + 1);
      } else if (isRecordingName(entry.name)) {
        addFile(collection, path, relativePath);
      }
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      collection.failures.push({ path, error: translateInputError(path, error) });
    }
  }
}

/** Follows links. A broken one is a file as far as its name says so, to be reported when it is opened. */
function isFolderEntry(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return isRecordingName(entry.name) ? statSync(path).isDirectory() : tryIsFolder(path);
}

function tryIsFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
