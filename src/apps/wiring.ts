import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { openBatchRecords } from "../adapters/local/batch-records.ts";
import { type Durability, openDatabase } from "../adapters/local/database.ts";
import { createDeliveryStore } from "../adapters/local/delivery-store.ts";
import { type FolderLock, lockFolder } from "../adapters/local/folder-lock.ts";
import { createJobLogs, type JobLogs } from "../adapters/local/job-logs.ts";
import { createJobStore } from "../adapters/local/job-store.ts";
import { createLocalObjectStore, type LocalObjectStore } from "../adapters/local/object-store.ts";
import { createTaskQueue } from "../adapters/local/task-queue.ts";
import type { Clock } from "../base/clock.ts";
import type { ServerConfig } from "../base/config-defaults.ts";
import { ReelmillError } from "../base/errors.ts";
import { makeFolderSync } from "../base/make-folder.ts";
import { systemCodeOf } from "../base/system-code.ts";
import type { BatchRecords } from "../jobs/batch-records.ts";
import type { DeliveryStore } from "../jobs/deliveries.ts";
import type { ObjectStore } from "../jobs/object-store.ts";
import type { PipelineRegistry } from "../jobs/pipeline.ts";
import type { JobStore, TaskQueue } from "../jobs/ports.ts";
import { createRegistry } from "../pipelines/registry.ts";

/** Where everything of one machine's Reelmill lies. */
export interface LocalFolders {
  /** Holds database, objects, unfinished uploads, work folders and logs. */
  readonly data: string;
  /** Where objects lie; default `objects` in the data folder. */
  readonly objects?: string;
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

/** Throws FEATURE_MISSING where the configuration asks for another place than this machine; the batch worker alone can be elsewhere. */
export function requireLocalBackend({ backend }: ServerConfig): void {
  if (backend === "local") return;
  const message = `REELMILL_BACKEND is ${backend}, but in this version that is for the batch worker alone (reelmill worker --once). Leave it unset, or set it to local.`;
  throw new ReelmillError("FEATURE_MISSING", message);
}

/** Less what the user's mask takes away. */
const SHARED = 0o777;
const PRIVATE = 0o700;

/** Opens the data folder, making what is missing. Throws STORE_UNAVAILABLE, NO_SPACE. */
export function openLocal(folders: LocalFolders, durability: Durability, clock: Clock): LocalParts {
  const { data, mounts, objects = join(data, "objects") } = folders;
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
      objects: createLocalObjectStore({ root: objects, mounts }),
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

/** The parts of one job of the batch worker, which nobody else works at while they are open. */
export interface BatchParts extends Pick<LocalParts, "store" | "queue" | "pipelines" | "workRoot"> {
  readonly objects: ObjectStore;
  readonly records: BatchRecords;
  /** Removes what a worker left half-written that was killed. */
  sweep(): Promise<void>;
  /** Lets go of the job; where it is done, what was kept to go on with is removed. */
  close(isDone: boolean): Promise<void>;
}

/** Names of a job of the batch worker, each fit to be one of a path. */
export interface BatchPlace {
  readonly bucket: string;
  readonly table: string;
  readonly jobId: string;
}

/**
 * Opens the bucket and the table of a job, which are a folder and a database in the data folder, and the job's own store for that
 * bucket, which outlives a worker that is killed. Throws CONFIG_INVALID where there is no such bucket, and makes nothing then; JOB_STATE
 * where another worker has the job, STORE_UNAVAILABLE, NO_SPACE.
 */
export function openLocalBatch(data: string, { bucket, table, jobId }: BatchPlace, clock: Clock): BatchParts {
  const objects = join(data, "buckets", bucket);
  requireBucket(bucket, objects);
  const tableFolder = join(data, "tables");
  // A job is its table's and its own, whatever the bucket: the record has no other key.
  const jobFolder = join(data, "batch", table, jobId);
  for (const folder of [tableFolder, jobFolder]) makeFolder(folder, PRIVATE);
  const tablePath = join(tableFolder, `${table}.db`);
  makePrivateFile(tablePath);
  const lock = lockJob(jobFolder, jobId);
  try {
    const records = openBatchRecords(tablePath, "full", clock);
    try {
      const parts = openLocal({ data: join(jobFolder, "buckets", bucket), objects, mounts: {} }, "normal", clock);
      const { store, queue, pipelines, workRoot } = parts;
      const close = async (isDone: boolean): Promise<void> => {
        parts.close();
        records.close();
        if (isDone) rmSync(jobFolder, { recursive: true, force: true });
        lock.release();
      };
      const sweep = (): Promise<void> => parts.objects.sweepTemporary();
      return { store, queue, pipelines, workRoot, objects: parts.objects, records, sweep, close };
    } catch (error) {
      records.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A bucket is made by whoever puts the recording there: one that is missing is a mistyped one. */
function requireBucket(bucket: string, folder: string): void {
  let isThere: boolean;
  try {
    isThere = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ReelmillError("STORE_UNAVAILABLE", `The bucket ${bucket} cannot be looked at: ${reason}.`, { cause });
  }
  if (isThere) return;
  throw new ReelmillError(
    "CONFIG_INVALID",
    `S3_BUCKET is "${bucket}", but there is no bucket: ${folder} is no folder.`,
    {
      advice: "Put the recording there, or name the bucket where it lies.",
    },
  );
}

function lockJob(folder: string, jobId: string): FolderLock {
  try {
    return lockFolder(folder);
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code !== "DATA_FOLDER_IN_USE") throw error;
    throw new ReelmillError("JOB_STATE", `Another worker has the job ${jobId}.`, { cause: error });
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
