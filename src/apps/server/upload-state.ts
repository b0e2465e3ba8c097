import { type FileHandle, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import { systemCodeOf } from "../../base/system-code.ts";

const STATE = z.strictObject({
  schema: z.literal(1),
  /** In bytes. */
  size: z.int().min(0),
  metadata: z.record(z.string(), z.string().nullable()),
  /** Where the finished upload goes. */
  key: z.string(),
  createdAtMs: z.number(),
  /** When bytes last came. */
  touchedAtMs: z.number(),
  isFinished: z.boolean(),
});

/** What is kept of an upload besides its bytes. */
export type UploadState = Readonly<z.infer<typeof STATE>>;

const ID = /^[0-9a-f]{32}$/;

/** Whether a text has the form of an upload's id. */
export function isUploadId(id: string): boolean {
  return ID.test(id);
}

/** Where an upload's bytes are gathered. */
export function partPath(folder: string, id: string): string {
  return join(folder, `${id}.part`);
}

/** Where its state lies. */
export function statePath(folder: string, id: string): string {
  return join(folder, `${id}.json`);
}

/** Undefined where there is none, or it cannot be understood. */
export async function readUploadState(folder: string, id: string): Promise<UploadState | undefined> {
  if (!isUploadId(id)) return undefined;
  let text: string;
  try {
    text = await readFile(statePath(folder, id), "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw translateUploadError(error);
  }
  try {
    return STATE.parse(JSON.parse(text));
  } catch {
    // Cut short by a power cut: as good as none, and swept when it is old.
    return undefined;
  }
}

/** Replaces the state: the old one or the new one is there, whole. */
export async function writeUploadState(folder: string, id: string, state: UploadState): Promise<void> {
  const temporary = `${statePath(folder, id)}.tmp`;
  try {
    const handle = await open(temporary, "w", 0o600);
    await closing(handle, async () => {
      await handle.writeFile(JSON.stringify(state));
      await handle.sync();
    });
    await rename(temporary, statePath(folder, id));
  } catch (error) {
    await removeIfThere(temporary);
    throw translateUploadError(error);
  }
}

/** Runs `work` and closes the file, however it ends. */
export async function closing<T>(handle: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await handle.close();
  }
}

/** Bytes of a file; undefined where there is none. */
export async function bytesOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw translateUploadError(error);
  }
}

/** Removes a file that may not be there. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw translateUploadError(error);
  }
}

/** A failure of the disk in our terms; what is none of it stays as it is. */
export function translateUploadError(error: unknown): unknown {
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new ReelmillError("NO_SPACE", "The disk is full; what has come of the upload so far is kept.", {
      cause: error,
    });
  }
  return new ReelmillError("STORE_UNAVAILABLE", `The folder of uploads cannot be used: ${code}.`, { cause: error });
}
