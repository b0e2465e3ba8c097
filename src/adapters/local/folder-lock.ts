import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ReelmillError } from "../../base/errors.ts";

const NAME = "server.lock";
/** SQLITE_BUSY (sqlite.org/rescode.html). */
const BUSY = 5;

/** A folder that is this process's alone. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes a folder that exists for this process alone. The lock is one of the operating system's, by way of an empty database: it
 * ends with the process however that ends, and never has to be cleared by hand. Throws DATA_FOLDER_IN_USE, STORE_UNAVAILABLE.
 */
export function lockFolder(folder: string): FolderLock {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, NAME), { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    database?.close();
    throw translate(folder, error);
  }
}

function translate(folder: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  if ((Number(error.errcode) & 0xff) === BUSY) {
    return new ReelmillError(
      "DATA_FOLDER_IN_USE",
      `Another Reelmill server or worker works with the data folder ${folder}. Use that one, or give this one a folder of its own (REELMILL_DATA, or --data of \`reelmill up\`).`,
      { cause: error },
    );
  }
  return new ReelmillError("STORE_UNAVAILABLE", `The data folder ${folder} cannot be locked: ${error.message}.`, {
    cause: error,
  });
}
