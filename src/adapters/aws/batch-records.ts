import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { type BatchRecord, type BatchRecords, nextBatchRecord } from "../../jobs/batch-records.ts";
import { retrying } from "./retrying.ts";
import { getItem, type Item, type ItemKey, putItem, type Table } from "./table.ts";

/** Records in a table: one item each, with the record's fields as its attributes, so that its owner can read it by the console. */
export function createBatchRecords(table: Table, clock: Clock): BatchRecords {
  return {
    get: async (jobId) => toRecord(await getItem(table, keyOf(jobId))),
    record: (jobId, change) =>
      retrying(`The record of the job ${jobId}`, async () => {
        const item = await getItem(table, keyOf(jobId));
        const record = toRecord(item);
        const next = nextBatchRecord(record, jobId, change, clock.nowMs());
        if (next === undefined) throw new ReelmillError("JOB_NOT_FOUND", `There is no record of the job ${jobId}.`);
        if (next === record) return next;
        const version = Number(item?.["version"] ?? 0);
        const isWritten = await putItem(table, { ...keyOf(jobId), ...next, version: version + 1 }, [
          version === 0 ? { path: ["pk"], is: "absent" } : { path: ["version"], is: "=", value: version },
        ]);
        return isWritten ? next : undefined;
      }),
  };
}

function keyOf(jobId: string): ItemKey {
  return { pk: `batch#${jobId}`, sk: "record" };
}

function toRecord(item: Item | undefined): BatchRecord | undefined {
  if (item === undefined) return undefined;
  const { pk: _pk, sk: _sk, version: _version, ...record } = item;
  // What this adapter wrote.
  return record as unknown as BatchRecord;
}
