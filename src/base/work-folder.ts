import { mkdirSync, rmSync } from "node:fs";
import { translateOutputError } from "./file-errors.ts";
import { removeLeftovers, workFolderPathFor } from "./leftovers.ts";

/**
 * Lends a folder beside an output, on its file system, and removes it whatever happens, even where a second signal ends the process at once;
 * and what killed processes left there. `deed` shows in its name. Throws OUTPUT_UNWRITABLE and the like where it cannot be made, and what `use` throws.
 */
export async function withWorkFolder<T>(output: string, deed: string, use: (folder: string) => Promise<T>): Promise<T> {
  removeLeftovers(output);
  const folder = workFolderPathFor(output, deed);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    throw translateOutputError(output, error);
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await use(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}
