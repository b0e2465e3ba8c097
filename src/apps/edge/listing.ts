import { isUtf8 } from "node:buffer";
import { lstat, readdir } from "node:fs/promises";
import { sep } from "node:path";
import { printableLine } from "../../base/printable.ts";
import type { JobError } from "../../jobs/job.ts";
import { objectKeyFault } from "../../jobs/object-key.ts";
import { isRecordingName } from "../../pipelines/repair/recording-name.ts";
import type { Sighting } from "./stability.ts";
import { unlessMissing } from "./system-errors.ts";

/** A recording that no job can name, and why. */
export interface MisnamedFile {
  readonly sighting: Sighting;
  readonly error: JobError;
}

/** What lies in a folder of recordings, each by its name. */
export interface Listing {
  readonly recordings: ReadonlyMap<string, Sighting>;
  /** Recordings that no job can name. What is no text in their names is shown as `\\xff`. */
  readonly misnamed: ReadonlyMap<string, MisnamedFile>;
}

/** Why no job can name a file, and what to do; undefined where one can. Jobs name files by the keys of objects. */
export function misnamingOf(name: string): JobError | undefined {
  const fault = objectKeyFault(name);
  return fault === undefined ? undefined : misnaming(name, fault);
}

function misnaming(name: string, fault: string): JobError {
  const message = `The name "${printableLine(name)}" cannot be used: ${fault}. Rename the file; until then it stays where it is.`;
  return { code: "INPUT_NAME_INVALID", message };
}

/** A file as it lies there; undefined where there is none, or no regular one: links are not followed. */
export async function sightFile(path: string | Buffer): Promise<Sighting | undefined> {
  const stats = await unlessMissing(lstat(path), undefined);
  if (stats?.isFile() !== true) return undefined;
  return { bytes: stats.size, modifiedAtMs: stats.mtimeMs, inode: stats.ino };
}

/** The recordings in a folder itself. Throws what the system says. */
export async function listRecordings(folder: string): Promise<Listing> {
  const recordings = new Map<string, Sighting>();
  const misnamed = new Map<string, MisnamedFile>();
  // As bytes: in text, those that are none would be lost, and with them the way to the file.
  const found = (await readdir(folder, { encoding: "buffer" })).map((bytes) => ({ bytes, ...readName(bytes) }));
  for (const { bytes, name, error } of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!isRecordingName(name)) continue;
    const sighting = await sightFile(Buffer.concat([Buffer.from(folder + sep), bytes]));
    if (sighting === undefined) continue;
    if (error === undefined) recordings.set(name, sighting);
    else misnamed.set(name, { sighting, error });
  }
  return { recordings, misnamed };
}

function readName(bytes: Buffer): { readonly name: string; readonly error: JobError | undefined } {
  const name = bytes.toString("utf8");
  if (isUtf8(bytes)) return { name, error: misnamingOf(name) };
  const shown = bytes.toString("latin1").replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
  return { name: shown, error: misnaming(shown, "it is not in UTF-8") };
}
