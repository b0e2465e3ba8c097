import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import type { ObjectStoreFixture } from "./object-store-contract.ts";

/** A local store on a new folder. */
export async function createLocalFixture(): Promise<ObjectStoreFixture> {
  const folder = await mkdtemp(join(tmpdir(), "reelmill-store-"));
  const scratch = await mkdtemp(join(tmpdir(), "reelmill-scratch-"));
  const root = join(folder, "objects");
  return {
    store: createLocalObjectStore({ root, mounts: {} }),
    scratch,
    root,
    leftovers: () =>
      readdir(join(root, ".reelmill-tmp")).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      }),
    stop: async () => {
      await rm(folder, { recursive: true });
      await rm(scratch, { recursive: true });
    },
  };
}
