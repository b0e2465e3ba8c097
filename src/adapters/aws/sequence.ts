import { type Table, updateItem } from "./table.ts";

/** Takes numbers that are given once and rise over all processes; gives the first of them. Numbers may be skipped. */
export async function takeNumbers(table: Table, count: number): Promise<number> {
  const key = { pk: "sequence", sk: "numbers" };
  const item = await updateItem(table, key, { add: [[["last"], count]] });
  return Number(item?.["last"]) - count + 1;
}
