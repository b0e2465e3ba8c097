import { afterAll, beforeAll, expect, it } from "vitest";
import {
  deleteItem,
  getItem,
  type Item,
  putItem,
  queryItems,
  type Table,
  updateItem,
  writeItems,
} from "../../src/adapters/aws/table.ts";
import { type AwsUnderTest, makeTable, startTables } from "./aws.ts";
import { createMemoryTable } from "./memory-table.ts";

let tables: AwsUnderTest;

beforeAll(async () => {
  tables = await startTables();
});

afterAll(() => tables.stop());

/** Asks for one of each; gives all answers. */
async function askAll(table: Table): Promise<readonly unknown[]> {
  const key = { pk: "a", sk: "2" };
  const answers: unknown[] = [];
  const tell = async (answer: Promise<unknown>): Promise<void> =>
    void answers.push(await answer.catch((error: Error) => error.message.replace(/.*\(|: .*/gs, "")));
  await tell(getItem(table, key));
  await tell(putItem(table, { ...key, count: 1, map: {}, none: undefined }, [{ path: ["pk"], is: "absent" }]));
  await tell(putItem(table, { ...key, count: 2 }, [{ path: ["pk"], is: "absent" }]));
  await tell(
    updateItem(table, key, {
      set: [[["map", "x.y"], { z: 1 }]],
      add: [
        [["count"], 2],
        [["fresh"], 1],
      ],
    }),
  );
  await tell(updateItem(table, key, { set: [[["map", "w", "z"], 1]] }));
  await tell(
    updateItem(table, key, {
      remove: [["map", "x.y"], ["gone"]],
      where: [{ path: ["map", "x.y", "z"], is: "=", value: 1 }],
    }),
  );
  await tell(updateItem(table, key, { set: [[["count"], 9]], where: [{ path: ["map", "x.y"], is: "there" }] }));
  await tell(updateItem(table, key, { set: [[["count"], 9]], where: [{ path: ["count"], is: "<", value: 3 }] }));
  await tell(
    updateItem(
      table,
      { pk: "b", sk: "1" },
      {
        set: [
          [["GSI1PK"], "all"],
          [["GSI1SK"], "1"],
        ],
      },
    ),
  );
  for (const sk of ["1", "3", "4"]) await tell(putItem(table, { pk: "a", sk, GSI1PK: "all", GSI1SK: `2${sk}` }));
  await tell(writeItems(table, [{ put: { pk: "c", sk: "1" } }, { put: { pk: "c", sk: "2" } }]));
  await tell(writeItems(table, [{ put: { pk: "c", sk: "3" } }, { remove: { pk: "c", sk: "1" } }, { remove: key }]));
  await tell(updateItem(table, key, { set: [[["count"], 3]] }));
  const range = async (selection: Parameters<typeof queryItems>[1]): Promise<readonly Item[]> => {
    const found: Item[] = [];
    for await (const item of queryItems(table, selection)) found.push(item);
    return found;
  };
  await tell(range({ pk: "a", pageSize: 1 }));
  await tell(range({ pk: "a", from: "2", to: "3", isDescending: true }));
  await tell(range({ pk: "a", from: "3" }));
  await tell(range({ pk: "a", to: "2" }));
  await tell(range({ pk: "c" }));
  const listed = async () => (await range({ pk: "all", index: "GSI1", pageSize: 2 })).map(({ pk, sk }) => [pk, sk]);
  await tell(listed());
  await tell(deleteItem(table, key, [{ path: ["count"], is: "=", value: 1 }]));
  await tell(deleteItem(table, key, [{ path: ["count"], is: "=", value: 3 }]));
  await tell(deleteItem(table, key));
  return answers;
}

it("answers as DynamoDB does", async () => {
  const real = await makeTable(tables.place);
  const answers = await askAll(real);
  expect(await askAll(createMemoryTable().reach())).toEqual(answers);
  expect(answers).toContain("ValidationException");
  await real.remove();
});
