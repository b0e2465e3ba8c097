import { expect, it } from "vitest";
import { tableDefinition } from "../../src/adapters/aws/table-layout.ts";
import { propertiesOf } from "./templates.fixture.ts";

it("the table is the one that the adapter reads and writes", () => {
  const { TableName: _name, AttributeDefinitions, ...definition } = tableDefinition("any");
  const table = propertiesOf("State", "AWS::DynamoDB::Table");
  expect(table).toMatchObject(definition);
  expect(table).not.toHaveProperty("TableName");
  // In whatever order.
  expect(new Set(table["AttributeDefinitions"] as readonly unknown[])).toEqual(new Set(AttributeDefinitions));
});
