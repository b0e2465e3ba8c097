import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { makeFolder } from "../../base/make-folder.ts";
import type { WorkFolders } from "../../jobs/run-task.ts";

/** Folders for the attempts of one worker, below `root/owner`. Removing that one folder removes whatever a lost worker left. */
export function createWorkFolders(root: string, owner: string): WorkFolders {
  const home = join(root, owner);
  return {
    create: async ({ jobId, stage, index }, attempt) => {
      try {
        await makeFolder(home);
        return await mkdtemp(join(home, `${jobId}-${stage}-${index}-${attempt}-`));
      } catch (error) {
        throw translateFolderError(error, home);
      }
    },
    remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Removes what the worker left behind, which is known to have ended. */
export async function removeWorkFolders(root: string, owner: string): Promise<void> {
  await rm(join(root, owner), { recursive: true, force: true, maxRetries: 3 });
}

/** Workers that left folders behind, or have them still. */
export async function listWorkOwners(root: string): Promise<readonly string[]> {
  await makeFolder(root);
  return await readdir(root);
}

function translateFolderError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new ReelmillError("NO_SPACE", `The work folder ${path} cannot be made: the disk is full.`, { cause: error });
  }
  if (typeof code !== "string") return error;
  return new ReelmillError("STORE_UNAVAILABLE", `The work folder ${path} cannot be made (${code}).`, { cause: error });
}
