import { afterAll, beforeAll } from "vitest";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import { createTaskQueue } from "../../src/adapters/aws/task-queue.ts";
import { type AwsUnderTest, makeTable, startTables } from "../support/aws.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { describeJobStore, type StoreUnderTest } from "./job-store-contract.ts";
import { describeTaskQueue } from "./task-queue-contract.ts";

let tables: AwsUnderTest;

beforeAll(async () => {
  tables = await startTables();
});

afterAll(() => tables.stop());

async function open(): Promise<StoreUnderTest> {
  const table = await makeTable(tables.place);
  const clock = createFakeClock();
  return {
    store: createJobStore(table, clock),
    queue: createTaskQueue(table, clock),
    clock,
    close: () => table.remove(),
  };
}

describeJobStore("DynamoDB", open);
describeTaskQueue("DynamoDB", open);
