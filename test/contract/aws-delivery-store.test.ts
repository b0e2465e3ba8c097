import { afterAll, beforeAll } from "vitest";
import { createDeliveryStore } from "../../src/adapters/aws/delivery-store.ts";
import { createTableClient } from "../../src/adapters/aws/table.ts";
import { type AwsUnderTest, makeTable, startTables } from "../support/aws.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { describeDeliveryStore } from "./delivery-store-contract.ts";

let tables: AwsUnderTest;

beforeAll(async () => {
  tables = await startTables();
});

afterAll(() => tables.stop());

describeDeliveryStore("DynamoDB", async () => {
  const table = await makeTable(tables.place);
  const clock = createFakeClock();
  const other = createTableClient(tables.place);
  return {
    store: createDeliveryStore(table, clock),
    clock,
    reopen: async () => createDeliveryStore({ client: other, name: table.name }, clock),
    close: async () => {
      other.destroy();
      await table.remove();
    },
  };
});
