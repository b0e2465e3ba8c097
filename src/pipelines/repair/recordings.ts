import { statSync } from "node:fs";
import { translateInputError } from "../../base/file-errors.ts";
import { type FileSource, identityOf, openFileSource } from "../../base/file-source.ts";
import { listFolder } from "./inputs.ts";

/** A recording that is open to be read. */
export type Recording = Pick<FileSource, "path" | "sizeBytes" | "read" | "close">;

/** What tells recordings apart. */
interface RecordingStats {
  /** The same for two names of one recording. */
  readonly identity: string;
  readonly modifiedAtMs: number;
}

/** Where a repair finds recordings by their names: files by their paths, objects by their keys. */
export interface Recordings {
  /** The caller closes it. Throws as `openFileSource`. */
  readonly open: (name: string) => Recording;
  /** Samples of each track that a quick look reads, spread over the recording: as many as cost little there. */
  readonly triedSamples: number;
  /** Undefined where there is none. */
  readonly stat: (name: string) => RecordingStats | undefined;
  /** Whether the name is that of a folder of recordings. Throws INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_SYMLINK_LOOP. */
  readonly isFolder: (name: string) => boolean;
  /** Recordings that lie in a folder itself, by name. */
  readonly list: (folder: string) => readonly string[];
}

/** The files of this machine. */
export const FILES: Recordings = {
  open: openFileSource,
  triedSamples: 256,
  stat: (path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats && { identity: identityOf(stats), modifiedAtMs: stats.mtimeMs };
  },
  isFolder: (path) => {
    try {
      return statSync(path).isDirectory();
    } catch (error) {
      throw translateInputError(`The reference ${path}`, error);
    }
  },
  list: listFolder,
};
