import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { type BatchRecord, type BatchRecords, nextBatchRecord } from "../../jobs/batch-records.ts";
import { commitDurably, type Durability, openDatabase, read } from "./database.ts";

/** As the migrations of the jobs' database: a step is never changed. */
const MIGRATIONS = ["CREATE TABLE records (job_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;"];

/** Records in a database file of their own. */
export interface LocalBatchRecords extends BatchRecords {
  close(): void;
}

/** Opens the file, making it where it is missing; several processes may have it open. Throws STORE_UNAVAILABLE, NO_SPACE. */
export function openBatchRecords(path: string, durability: Durability, clock: Clock): LocalBatchRecords {
  const database = openDatabase(path, durability, MIGRATIONS);
  const find = database.prepare("SELECT record FROM records WHERE job_id = ?1");
  const keep = database.prepare("INSERT OR REPLACE INTO records (job_id, record) VALUES (?1, ?2)");
  const get = (jobId: string): BatchRecord | undefined => {
    const row = find.get(jobId);
    return row === undefined ? undefined : (JSON.parse(row["record"] as string) as BatchRecord);
  };
  return {
    get: async (jobId) => read(() => get(jobId)),
    record: (jobId, change) =>
      commitDurably(database, () => {
        const next = nextBatchRecord(get(jobId), jobId, change, clock.nowMs());
        if (next === undefined) throw new ReelmillError("JOB_NOT_FOUND", `There is no record of the job ${jobId}.`);
        keep.run(jobId, JSON.stringify(next));
        return next;
      }),
    close: () => database.close(),
  };
}
