import { afterAll, beforeAll } from "vitest";
import { createBatchRecords } from "../../src/adapters/aws/batch-records.ts";
import { createTableClient } from "../../src/adapters/aws/table.ts";
import { type AwsUnderTest, makeTable, startTables } from "../support/aws.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { describeBatchRecords } from "./batch-records-contract.ts";

let tables: AwsUnderTest;

beforeAll(async () => {
  tables = await startTables();
});

afterAll(() => tables.stop());

describeBatchRecords("DynamoDB", async () => {
  const table = await makeTable(tables.place);
  const clock = createFakeClock();
  const other = createTableClient(tables.place);
  return {
    records: createBatchRecords(table, clock),
    clock,
    reopen: async () => createBatchRecords({ client: other, name: table.name }, clock),
    close: async () => {
      other.destroy();
      await table.remove();
    },
  };
});
