import { DatabaseSync } from "node:sqlite";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { MIGRATIONS } from "./migrations.ts";

/** How long a connection waits for another one's transaction to end. */
const BUSY_TIMEOUT_MS = 10_000;
/** Larger than any growth between two checkpoints, so that the log does not grow for ever behind a long reader. */
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;

/** How sure a commit is: `normal` outlives every crash of a process, `full` a power cut as well. */
export type Durability = "normal" | "full";

/**
 * Opens the one file that holds jobs, tasks, events and queues, making or migrating it as needed. Several processes may have it
 * open. Throws STORE_UNAVAILABLE where it cannot be opened, is damaged, or was written by a newer Reelmill; NO_SPACE.
 */
export function openDatabase(path: string, durability: Durability): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(`PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
    database.exec(`PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES}`);
    database.exec("PRAGMA foreign_keys = ON");
    migrate(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof ReelmillError ? error : translateDatabaseError(error, path);
  }
}

function schemaVersion(database: DatabaseSync): number {
  const row = database.prepare("PRAGMA user_version").get() as { readonly user_version: number };
  return row.user_version;
}

function migrate(database: DatabaseSync, path: string): void {
  if (schemaVersion(database) === MIGRATIONS.length) return;
  transact(database, () => {
    // Read again: another process may have been quicker.
    const version = schemaVersion(database);
    if (version > MIGRATIONS.length) {
      throw new ReelmillError(
        "STORE_UNAVAILABLE",
        `${path} was written by a newer Reelmill (schema ${version}, this one knows up to ${MIGRATIONS.length}). Use that one, or another data folder.`,
      );
    }
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/** Runs `work` in a transaction that may write: all of it is kept, or nothing. Throws what `work` throws, STORE_UNAVAILABLE, NO_SPACE. */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk has rolled back already.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  } catch (error) {
    throw error instanceof ReelmillError ? error : translateDatabaseError(error, "the database");
  }
}

/** Result codes of SQLite (sqlite.org/rescode.html) that are no fault of ours. */
const DATABASE_ERRORS: ReadonlyMap<number, ErrorCode> = new Map([
  [5, "STORE_UNAVAILABLE"], // SQLITE_BUSY
  [6, "STORE_UNAVAILABLE"], // SQLITE_LOCKED
  [8, "STORE_UNAVAILABLE"], // SQLITE_READONLY
  [10, "STORE_UNAVAILABLE"], // SQLITE_IOERR
  [11, "STORE_UNAVAILABLE"], // SQLITE_CORRUPT
  [13, "NO_SPACE"], // SQLITE_FULL
  [14, "STORE_UNAVAILABLE"], // SQLITE_CANTOPEN
  [26, "STORE_UNAVAILABLE"], // SQLITE_NOTADB
]);

function translateDatabaseError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  // The lowest byte is the primary code.
  const code = DATABASE_ERRORS.get(Number(error.errcode) & 0xff);
  if (code === undefined) return error;
  return new ReelmillError(code, `${path} cannot be used: ${error.message}.`, { cause: error });
}
