import { expect, it } from "vitest";
import { NumberTable } from "./number-table.ts";

it("gives the records again that were put into it", () => {
  const records = Array.from({ length: 100 }, (_, index) => ({ ticks: -index, bytes: 2 ** 40 + index / 2 }));
  const table = new NumberTable(["bytes", "ticks"], records);

  expect(table).toHaveLength(100);
  expect([...table]).toEqual(records);
  expect(table.at(99)).toEqual(records[99]);
  expect([table.at(-1), table.at(100)]).toEqual([undefined, undefined]);
});
