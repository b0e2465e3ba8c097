import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalBatchRecords, openBatchRecords } from "../../src/adapters/local/batch-records.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { describeBatchRecords } from "./batch-records-contract.ts";

describeBatchRecords("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "reelmill-records-"));
  const clock = createFakeClock();
  const opened: LocalBatchRecords[] = [];
  const open = (): LocalBatchRecords => {
    const records = openBatchRecords(join(folder, "records.db"), "full", clock);
    opened.push(records);
    return records;
  };
  return {
    records: open(),
    clock,
    reopen: async () => open(),
    close: async () => {
      for (const records of opened) records.close();
      await rm(folder, { recursive: true });
    },
  };
});
