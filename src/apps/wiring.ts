import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { type Durability, openDatabase } from "../adapters/local/database.ts";
import { createDeliveryStore } from "../adapters/local/delivery-store.ts";
import { createJobLogs, type JobLogs } from "../adapters/local/job-logs.ts";
import { createJobStore } from "../adapters/local/job-store.ts";
import { createLocalObjectStore, type LocalObjectStore } from "../adapters/local/object-store.ts";
import { createTaskQueue } from "../adapters/local/task-queue.ts";
import type { Clock } from "../base/clock.ts";
import { ReelmillError } from "../base/errors.ts";
import { makeFolderSync } from "../base/make-folder.ts";
import { systemCodeOf } from "../base/system-code.ts";
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

/** Less what the user's mask takes away. */
const SHARED = 0o777;
const PRIVATE = 0o700;

/** Opens the data folder, making what is missing. Throws STORE_UNAVAILABLE, NO_SPACE. */
export function openLocal(folders: LocalFolders, durability: Durability, clock: Clock): LocalParts {
  const { data, mounts } = folders;
  makeFolder(data, SHARED);
  const databasePath = join(data, "reelmill.db");
  const uploadFolder = join(data, "uploads");
  const logFolder = join(data, "logs");
  const workRoot = join(data, "work");
  // Others on the machine may be given objects; what else there is, webhooks' secrets among it, is for this user alone.
  for (const folder of [uploadFolder, logFolder, workRoot]) makeFolder(folder, PRIVATE);
  makePrivateFile(databasePath);
  const database = openDatabase(databasePath, durability);
  try {
    return {
      store: createJobStore(database, clock),
      queue: createTaskQueue(database, clock),
      objects: createLocalObjectStore({ root: join(data, "objects"), mounts }),
      deliveries: createDeliveryStore(database, clock),
      pipelines: createRegistry(),
      logs: createJobLogs(logFolder),
      workRoot,
      uploadFolder,
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function makeFolder(path: string, mode: number): void {
  making(`The folder ${path}`, () => makeFolderSync(path, mode));
}

/**
 * SQLite's own log and index get the permissions of the database's file. One that is there is not opened: closing it again would
 * end the locks of this process's other connections to it (fcntl(2)).
 */
function makePrivateFile(path: string): void {
  making(`The file ${path}`, () => {
    try {
      closeSync(openSync(path, "wx", 0o600));
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw error;
    }
  });
}

function making(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("STORE_UNAVAILABLE", `${what} cannot be made: ${reason}.`, { cause: error });
  }
}
