import { closeSync, fdatasync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { MIGRATIONS } from "./migrations.ts";

/** How long a connection waits for another one's transaction to end. */
const BUSY_TIMEOUT_MS = 10_000;
/** The log is copied into the database whenever it has grown by so much; hot pages then are copied once, not for every commit. */
const CHECKPOINT_PAGES = 8000;
/** Larger than any growth between two checkpoints, so that the log does not grow for ever behind a long reader. */
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;

const syncFile = promisify(fdatasync);

/** How sure a commit is: `normal` outlives every crash of a process, `full` a power cut as well. */
export type Durability = "normal" | "full";

/**
 * A connection. Its commits outlive crashes of processes; with `full` durability they outlive a power cut once the log is on
 * the disk, which `flush` waits for: out of the lock and off the main thread, so that many commits of many processes share one
 * wait.
 */
export class LocalDatabase extends DatabaseSync {
  readonly #logFile: number | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** Throws what SQLite throws. */
  constructor(path: string, durability: Durability) {
    super(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      this.exec("PRAGMA journal_mode = WAL");
      this.exec("PRAGMA synchronous = NORMAL");
      this.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      this.exec(`PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES}`);
      // Reading makes the log where there is none; it then stays the same file until the last connection is closed.
      this.prepare("PRAGMA user_version").get();
      this.#logFile = durability === "full" ? openSync(`${path}-wal`, "r+") : undefined;
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /** Puts what was committed onto the disk, where the durability asks for it. Throws STORE_UNAVAILABLE. */
  flush(): Promise<void> {
    const file = this.#logFile;
    if (file === undefined) return Promise.resolve();
    // One under way may have begun before the commit; the next one cannot.
    this.#next ??= this.#syncing
      .catch(() => undefined)
      .then(async () => {
        this.#syncing = this.#next ?? this.#syncing;
        this.#next = undefined;
        try {
          await syncFile(file);
        } catch (error) {
          throw unflushed(error);
        }
      });
    return this.#next;
  }

  override close(): void {
    super.close();
    if (this.#logFile !== undefined) closeSync(this.#logFile);
  }
}

function unflushed(error: unknown): ReelmillError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ReelmillError("STORE_UNAVAILABLE", `The database's log cannot be written to the disk: ${reason}.`, {
    cause: error,
  });
}

/**
 * Opens the one file that holds jobs, tasks, events and queues, making or migrating it as needed. Several processes may have it
 * open. Throws STORE_UNAVAILABLE where it cannot be opened, is damaged, or was written by a newer Reelmill; NO_SPACE.
 */
export function openDatabase(
  path: string,
  durability: Durability,
  migrations: readonly string[] = MIGRATIONS,
): LocalDatabase {
  let database: LocalDatabase | undefined;
  try {
    database = new LocalDatabase(path, durability);
    migrate(database, path, migrations);
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

function migrate(database: LocalDatabase, path: string, migrations: readonly string[]): void {
  if (schemaVersion(database) === migrations.length) return;
  // What a power cut takes of it is done again at the next opening.
  commit(database, () => {
    // Read again: another process may have been quicker.
    const version = schemaVersion(database);
    if (version > migrations.length) {
      throw new ReelmillError(
        "STORE_UNAVAILABLE",
        `${path} was written by a newer Reelmill (schema ${version}, this one knows up to ${migrations.length}). Use that one, or another data folder.`,
      );
    }
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** As `commit`, and as durable as the database was opened for once it resolves. */
export async function commitDurably<T>(database: LocalDatabase, work: () => T): Promise<T> {
  const result = commit(database, work);
  await database.flush();
  return result;
}

/**
 * Runs `work` in a transaction that may write: all of it is kept, or nothing. The commit outlives crashes of processes; a power
 * cut as well once `flush` was waited for. Throws what `work` throws, STORE_UNAVAILABLE, NO_SPACE.
 */
export function commit<T>(database: DatabaseSync, work: () => T): T {
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

/** Reads. Throws STORE_UNAVAILABLE, and what `work` throws. */
export function read<T>(work: () => T): T {
  try {
    return work();
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
