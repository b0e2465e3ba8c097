import { type FileHandle, open } from "node:fs/promises";
import { ReelmillError } from "../../../base/errors.ts";
import { translateInputError } from "../../../base/file-errors.ts";

/** A file of this machine that is being sent, and is to stay as it is meanwhile. */
export interface LocalFile {
  readonly file: FileHandle;
  readonly sizeBytes: number;
  /** Throws UPLOAD_CHANGED where it is not the one any more that was opened. */
  readonly requireUnchanged: () => Promise<void>;
}

/** Makes sure that a local file can be sent; gives its bytes. Throws INPUT_NOT_FOUND, INPUT_IS_DIRECTORY, INPUT_UNREADABLE, INPUT_EMPTY. */
export async function requireSendable(path: string): Promise<number> {
  const file = await openLocal(path);
  return (await file.stat().finally(() => file.close())).size;
}

/** Lends a local file that can be sent, open for as long as `use` takes. Throws as `requireSendable`, and what `use` does. */
export async function withLocalFile<T>(path: string, use: (local: LocalFile) => Promise<T>): Promise<T> {
  const file = await openLocal(path);
  try {
    const { size: sizeBytes, mtimeMs } = await file.stat();
    const requireUnchanged = async (): Promise<void> => {
      const now = await file.stat();
      if (now.size !== sizeBytes || now.mtimeMs !== mtimeMs) throw changed(path);
    };
    return await use({ file, sizeBytes, requireUnchanged });
  } finally {
    await file.close();
  }
}

/** Tells that a file is not the one any more that was being sent. */
export function changed(path: string): ReelmillError {
  return new ReelmillError("UPLOAD_CHANGED", `${path} changed while it was being uploaded.`);
}

/** A local file that can be sent. Throws as `requireSendable`. */
async function openLocal(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    throw translateInputError(path, error);
  }
  const stat = await file.stat();
  const refusal = stat.isDirectory()
    ? new ReelmillError("INPUT_IS_DIRECTORY", `${path} is a folder; name the files in it.`)
    : !stat.isFile()
      ? new ReelmillError("INPUT_UNREADABLE", `${path} is no ordinary file.`)
      : stat.size === 0
        ? new ReelmillError("INPUT_EMPTY", `${path} is empty.`)
        : undefined;
  if (refusal === undefined) return file;
  await file.close();
  throw refusal;
}
