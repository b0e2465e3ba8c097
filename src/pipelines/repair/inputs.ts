import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { translateInputError } from "../../base/file-errors.ts";
import { identityOf } from "../../base/file-source.ts";
import { extensionOf, type NamedInput } from "../../base/output-path.ts";
import { systemCodeOf } from "../../base/system-code.ts";

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

/** A path that was left out on purpose. */
export interface SkippedInput {
  readonly path: string;
  /** In the user's terms, no full stop. */
  readonly reason: string;
}

/** What the paths given come to. */
export interface CollectedInputs {
  /** Each file once, in the order of the paths, those of a folder by name. */
  readonly files: readonly NamedInput[];
  readonly failures: readonly InputFailure[];
  /** Links out of the folders given. */
  readonly skipped: readonly SkippedInput[];
}

interface Collection {
  readonly files: NamedInput[];
  readonly failures: InputFailure[];
  readonly skipped: SkippedInput[];
  /** Identities of files and real paths of folders: each is taken up once, so that links cannot lead round in circles. */
  readonly seen: Set<string>;
  /** Recordings met, those seen before too. */
  metCount: number;
}

/**
 * Finds the files behind paths; folders are walked to the bottom and never left, links notwithstanding. A path that cannot be read is a failure of its own, so that
 * one bad name does not stop the others. Never throws.
 */
export function collectInputs(paths: readonly string[]): CollectedInputs {
  const collection: Collection = { files: [], failures: [], skipped: [], seen: new Set(), metCount: 0 };
  for (const path of paths) {
    try {
      if (!statSync(path).isDirectory()) {
        addFile(collection, path, basename(path));
        continue;
      }
      const before = countMet(collection);
      walk(collection, { root: path, realRoot: realpathSync(path) }, path, "", 0);
      if (countMet(collection) === before) {
        const message = `${path} holds no recordings (${[...RECORDING_EXTENSIONS].join(" ")}).`;
        collection.failures.push({ path, error: new ReelmillError("INPUT_FOLDER_EMPTY", message) });
      }
    } catch (error) {
      collection.failures.push({ path, error: translateInputError(path, error) });
    }
  }
  return { files: collection.files, failures: collection.failures, skipped: collection.skipped };
}

function countMet({ metCount, failures, skipped }: Collection): number {
  return metCount + failures.length + skipped.length;
}

/** Recordings that lie in the folder itself, by name, no links; empty where it cannot be read. */
export function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && isRecordingName(entry.name))
      .map((entry) => join(folder, entry.name))
      .sort();
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

/** A folder that was given, as typed and without links. */
interface Root {
  readonly root: string;
  readonly realRoot: string;
}

function walk(collection: Collection, root: Root, folder: string, relative: string, depth: number): void {
  const real = realpathSync(folder);
  if (collection.seen.has(real) || depth > MAX_FOLDER_DEPTH) return;
  collection.seen.add(real);
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const relativePath = join(relative, entry.name);
    try {
      const isFolder = isFolderEntry(entry, path);
      if (isFolder ? entry.name.startsWith(".") : !isRecordingName(entry.name)) continue;
      if (entry.isSymbolicLink() && !isInside(root.realRoot, realpathSync(path))) {
        collection.skipped.push({ path, reason: `it is a link that leads out of ${root.root}` });
      } else if (isFolder) walk(collection, root, path, relativePath, depth + 1);
      else addFile(collection, path, relativePath);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      collection.failures.push({ path, error: translateInputError(path, error) });
    }
  }
}

function isInside(realRoot: string, realPath: string): boolean {
  return realPath === realRoot || realPath.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep);
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
