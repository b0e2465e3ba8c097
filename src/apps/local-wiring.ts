import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { openBatchRecords } from "../adapters/local/batch-records.ts";
import { openDatabase } from "../adapters/local/database.ts";
import { createDeliveryStore } from "../adapters/local/delivery-store.ts";
import { type FolderLock, lockFolder } from "../adapters/local/folder-lock.ts";
import { createJobLogs, type JobLogs } from "../adapters/local/job-logs.ts";
import { createJobStore } from "../adapters/local/job-store.ts";
import { createLocalObjectStore } from "../adapters/local/object-store.ts";
import { createTaskQueue } from "../adapters/local/task-queue.ts";
import type { Clock } from "../base/clock.ts";
import { ReelmillError } from "../base/errors.ts";
import { makeFolderSync } from "../base/make-folder.ts";
import { systemCodeOf } from "../base/system-code.ts";
import { createRegistry } from "../pipelines/registry.ts";
import type { BatchParts, BatchPlace, LocalHome, Opening, Parts } from "./parts.ts";

/** Less what the user's mask takes away. */
const SHARED = 0o777;
const PRIVATE = 0o700;

/** The log of each job, from all processes on this machine. Throws STORE_UNAVAILABLE. */
export function openJobLogs(data: string): JobLogs {
  const folder = join(data, "logs");
  makeFolder(data, SHARED);
  makeFolder(folder, PRIVATE);
  return createJobLogs(folder);
}

/** Folders of this machine, whatever the home. */
export interface MachineFolders {
  /** Parent of all processes' folders. */
  readonly workRoot: string;
  /** Unfinished uploads. */
  readonly uploadFolder: string;
}

/**
 * Makes the data folder and what any process needs in it. Others on the machine may be given objects; what else there is, webhooks' secrets
 * among it, is for this user alone. Throws STORE_UNAVAILABLE.
 */
export function makeMachineFolders(data: string): MachineFolders {
  const folders = { uploadFolder: join(data, "uploads"), workRoot: join(data, "work") };
  makeFolder(data, SHARED);
  for (const folder of Object.values(folders)) makeFolder(folder, PRIVATE);
  return folders;
}

/** Opens the data folder, making what is missing. Throws STORE_UNAVAILABLE, NO_SPACE. */
export function openLocal(
  { data, mounts, objects: root = join(data, "objects") }: Omit<LocalHome, "backend">,
  { durability, clock }: Pick<Opening, "durability" | "clock">,
): Parts {
  const folders = makeMachineFolders(data);
  const databasePath = join(data, "reelmill.db");
  makePrivateFile(databasePath);
  const database = openDatabase(databasePath, durability);
  try {
    const objects = createLocalObjectStore({ root, mounts });
    return {
      store: createJobStore(database, clock),
      queue: createTaskQueue(database, clock),
      objects,
      deliveries: createDeliveryStore(database, clock),
      pipelines: createRegistry(),
      ...folders,
      news: undefined,
      listen: undefined,
      startContainer: undefined,
      countContainers: undefined,
      requireStores: async () => undefined,
      sweepTemporary: objects.sweepTemporary,
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
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
      const parts = openLocal(
        { data: join(jobFolder, "buckets", bucket), objects, mounts: {} },
        { durability: "normal", clock },
      );
      const { store, queue, pipelines, workRoot, sweepTemporary: sweep } = parts;
      const close = async (isDone: boolean): Promise<void> => {
        parts.close();
        records.close();
        if (isDone) rmSync(jobFolder, { recursive: true, force: true });
        lock.release();
      };
      // The system's own lock ends with the process and not before.
      const lost = new AbortController().signal;
      // The folder is the job's, and the job one process's.
      const workOwner = "batch";
      return { store, queue, pipelines, workRoot, workOwner, objects: parts.objects, records, lost, sweep, close };
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
