import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalDatabase, openDatabase } from "../../src/adapters/local/database.ts";
import { createJobStore } from "../../src/adapters/local/job-store.ts";
import { createTaskQueue } from "../../src/adapters/local/task-queue.ts";
import type { JobStore, TaskQueue } from "../../src/jobs/ports.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** A store on a database of its own. */
export interface LocalStore {
  readonly path: string;
  readonly database: LocalDatabase;
  readonly store: JobStore;
  readonly queue: TaskQueue;
  readonly clock: FakeClock;
  close(): Promise<void>;
}

/** Opens one in a new temporary folder, which goes with `close`. */
export async function openLocalStore(durability: "normal" | "full" = "normal"): Promise<LocalStore> {
  const folder = await mkdtemp(join(tmpdir(), "reelmill-store-"));
  const path = join(folder, "store.db");
  const database = openDatabase(path, durability);
  const clock = createFakeClock();
  return {
    path,
    database,
    store: createJobStore(database, clock),
    queue: createTaskQueue(database, clock),
    clock,
    close: async () => {
      database.close();
      await rm(folder, { recursive: true });
    },
  };
}
