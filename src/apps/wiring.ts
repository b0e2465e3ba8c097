import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Durability, openDatabase } from "../adapters/local/database.ts";
import { createDeliveryStore } from "../adapters/local/delivery-store.ts";
import { createJobLogs, type JobLogs } from "../adapters/local/job-logs.ts";
import { createJobStore } from "../adapters/local/job-store.ts";
import { createLocalObjectStore, type LocalObjectStore } from "../adapters/local/object-store.ts";
import { createTaskQueue } from "../adapters/local/task-queue.ts";
import type { Clock } from "../base/clock.ts";
import { ReelmillError } from "../base/errors.ts";
import type { DeliveryStore } from "../jobs/deliveries.ts";
import type { PipelineRegistry } from "../jobs/pipeline.ts";
import type { JobStore, TaskQueue } from "../jobs/ports.ts";
import { createRegistry } from "../pipelines/registry.ts";

/** Where everything of one machine's Reelmill lies. */
export interface LocalFolders {
  /** Holds database, objects, unfinished uploads, work folders and logs. */
  readonly data: string;
  /** Folders elsewhere whose files are objects too, by the first segment of their keys. */
  readonly mounts: Readonly<Record<string, string>>;
}

/** Ports joined to the local adapters. */
export interface LocalParts {
  readonly store: JobStore;
  readonly queue: TaskQueue;
  readonly objects: LocalObjectStore;
  readonly deliveries: DeliveryStore;
  readonly pipelines: PipelineRegistry;
  readonly logs: JobLogs;
  /** Parent of all workers' folders. */
  readonly workRoot: string;
  /** Unfinished uploads. */
  readonly uploadFolder: string;
  close(): void;
}

/** Opens the data folder, making what is missing. Throws STORE_UNAVAILABLE, NO_SPACE. */
export function openLocal(folders: LocalFolders, durability: Durability, clock: Clock): LocalParts {
  const { data, mounts } = folders;
  makeFolder(data);
  const database = openDatabase(join(data, "reelmill.db"), durability);
  try {
    const uploadFolder = join(data, "uploads");
    makeFolder(uploadFolder);
    return {
      store: createJobStore(database, clock),
      queue: createTaskQueue(database, clock),
      objects: createLocalObjectStore({ root: join(data, "objects"), mounts }),
      deliveries: createDeliveryStore(database, clock),
      pipelines: createRegistry(),
      logs: createJobLogs(join(data, "logs")),
      workRoot: join(data, "work"),
      uploadFolder,
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("STORE_UNAVAILABLE", `The folder ${path} cannot be made: ${reason}.`, { cause: error });
  }
}
