import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { ReelmillError } from "./errors.ts";
import { inputIsDirectory, translateInputError } from "./file-errors.ts";

/** An open file, a `ByteSource` of the media room. */
export interface FileSource {
  readonly sizeBytes: number;
  /** Fills `target` from an offset on, and returns how many bytes were there; fewer only at the end. */
  readonly read: (offsetBytes: number, target: Uint8Array) => number;
  readonly path: string;
  /** Descriptor, open for reading until `close`. */
  readonly descriptor: number;
  /** Tells files apart whatever path leads to them. */
  readonly identity: string;
  close(): void;
}

/** The same for two paths of one file. */
export function identityOf(stats: Stats): string {
  return `${stats.dev}:${stats.ino}`;
}

function nameKind(stats: Stats): string {
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

function requireRegularFile(path: string, stats: Stats): void {
  if (stats.isDirectory()) throw inputIsDirectory(path);
  if (!stats.isFile()) {
    throw new ReelmillError("INPUT_UNREADABLE", `${path} is ${nameKind(stats)}, but a regular file is needed.`);
  }
  if (stats.size === 0) {
    throw new ReelmillError("INPUT_EMPTY", `${path} is empty: it holds no bytes.`);
  }
}

function readFully(descriptor: number, offsetBytes: number, target: Uint8Array): number {
  let filled = 0;
  while (filled < target.length) {
    const got = readSync(descriptor, target, filled, target.length - filled, offsetBytes + filled);
    if (got === 0) break;
    filled += got;
  }
  return filled;
}

/**
 * Opens a regular file for reading; the caller closes it. Throws INPUT_NOT_FOUND, INPUT_IS_DIRECTORY, INPUT_SYMLINK_LOOP,
 * INPUT_UNREADABLE (pipes and devices too) or INPUT_EMPTY; later reads throw INPUT_UNREADABLE where the disk fails.
 */
export function openFileSource(path: string): FileSource {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a pipe that nobody writes to would hold the program up for ever.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw translateInputError(path, error);
  }
  try {
    const stats = fstatSync(descriptor);
    requireRegularFile(path, stats);
    return {
      path,
      descriptor,
      identity: identityOf(stats),
      sizeBytes: stats.size,
      read: (offsetBytes, target) => {
        try {
          return offsetBytes >= stats.size ? 0 : readFully(descriptor, offsetBytes, target);
        } catch (error) {
          throw translateInputError(`${path}, byte ${offsetBytes},`, error);
        }
      },
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw translateInputError(path, error);
  }
}
