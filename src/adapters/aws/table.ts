import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { type AwsPlace, asking, clientSettings, type TableSubject } from "./connection.ts";

/*
 * The few things that are asked of a table. Every write that depends on something is one to one item, with a condition: what a job needs to
 * change in one step is more than a transaction of DynamoDB takes (100 items), and compatible stores have none.
 */

/** One table, and the client that reaches it. */
export interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly name: string;
  /** Keeps all that is written by this apart from what else the table holds, such as `batch#42/`; default nothing. */
  readonly space?: string;
}

/** What names an item. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** An item as it is stored. */
export type Item = Readonly<Record<string, unknown>>;

/** A client for DynamoDB, or what speaks its protocol. */
export function createTableClient(place: AwsPlace): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings(place)), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** Attributes that are partition keys, of the table or of an index. */
const PARTITION_KEYS = new Set(["pk", "GSI1PK", "GSI2PK"]);

function within({ space = "" }: Table, name: string, value: unknown): unknown {
  return PARTITION_KEYS.has(name) && typeof value === "string" ? `${space}${value}` : value;
}

function toStored(table: Table, item: Item): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, within(table, name, value)]));
}

function fromStored<Found extends Item | undefined>({ space = "" }: Table, item: Found): Found {
  const pk = item?.["pk"];
  return typeof pk === "string" ? { ...item, pk: pk.slice(space.length) } : item;
}

/** What an item must be like before it is written; a path's parts are apart, so that each may hold anything. */
export type Condition =
  | { readonly path: Path; readonly is: "=" | "<"; readonly value: unknown }
  | { readonly path: Path; readonly is: "there" | "absent" };

/** An attribute, or the way to one in maps. */
export type Path = readonly [string, ...string[]];

/** What to write about an item. */
export interface Change {
  readonly set?: readonly (readonly [Path, unknown])[];
  readonly add?: readonly (readonly [Path, number])[];
  readonly remove?: readonly Path[];
  /** All of them must hold. */
  readonly where?: readonly Condition[];
}

/** Names and values that the expressions of a request refer to, in place of themselves. */
function createPlaceholders() {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const placeholderOf = (part: string): string => {
    const known = Object.entries(names).find(([, name]) => name === part)?.[0];
    const placeholder = known ?? `#n${Object.keys(names).length}`;
    names[placeholder] = part;
    return placeholder;
  };
  const path = (path: Path): string => path.map(placeholderOf).join(".");
  const value = (value: unknown): string => {
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = value;
    return placeholder;
  };
  const term = (condition: Condition): string => {
    const subject = path(condition.path);
    switch (condition.is) {
      case "there":
        return `attribute_exists(${subject})`;
      case "absent":
        return `attribute_not_exists(${subject})`;
      default:
        return `${subject} ${condition.is} ${value(condition.value)}`;
    }
  };
  return {
    path,
    value,
    condition: (where: readonly Condition[]) => (where.length === 0 ? undefined : where.map(term).join(" AND ")),
    /** What every request takes; DynamoDB refuses lists that are empty. */
    fields: () => ({
      ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
      ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
    }),
  };
}

/** The item, as the last write left it. Throws STORE_REFUSED, STORE_UNAVAILABLE, as all that follows does. */
export async function getItem(table: Table, { pk, sk }: ItemKey): Promise<Item | undefined> {
  const { client, name } = table;
  const request = new GetCommand({ TableName: name, Key: toStored(table, { pk, sk }), ConsistentRead: true });
  return fromStored(table, (await asking({ table: name, key: pk }, () => client.send(request))).Item);
}

const MAX_GET = 100;

/** Those of the items that there are, in no order. */
export async function getItems(table: Table, keys: readonly ItemKey[]): Promise<readonly Item[]> {
  const { client, name } = table;
  const found: Item[] = [];
  for (let at = 0; at < keys.length; at += MAX_GET) {
    let asked: Record<string, unknown>[] = keys.slice(at, at + MAX_GET).map((key) => toStored(table, { ...key }));
    while (asked.length > 0) {
      const request = new BatchGetCommand({ RequestItems: { [name]: { Keys: asked, ConsistentRead: true } } });
      const { Responses = {}, UnprocessedKeys = {} } = await asking({ table: name }, () => client.send(request));
      found.push(...(Responses[name] ?? []).map((item) => fromStored(table, item)));
      asked = UnprocessedKeys[name]?.Keys ?? [];
    }
  }
  return found;
}

/** Writes a whole item; false, and nothing written, where the conditions do not hold. */
export async function putItem(table: Table, item: Item & ItemKey, where: readonly Condition[] = []): Promise<boolean> {
  const { client, name } = table;
  const placeholders = createPlaceholders();
  const ConditionExpression = placeholders.condition(where);
  const request = new PutCommand({
    TableName: name,
    Item: toStored(table, item),
    ConditionExpression,
    ...placeholders.fields(),
  });
  return (await unlessRefused({ table: name, key: item.pk }, async () => await client.send(request))) !== undefined;
}

/** A write that depends on nothing. */
export type Write = { readonly put: Item & ItemKey } | { readonly remove: ItemKey };

const MAX_WRITES = 25;
const UNPROCESSED_PAUSE_MS = 50;

/** Puts and removes items, each of them once, with few requests; not as one, and in no order. */
export async function writeItems(table: Table, writes: readonly Write[]): Promise<void> {
  const { client, name } = table;
  const requests = writes.map((write) =>
    "put" in write
      ? { PutRequest: { Item: toStored(table, write.put) } }
      : { DeleteRequest: { Key: toStored(table, { ...write.remove }) } },
  );
  for (let at = 0; at < requests.length; at += MAX_WRITES) {
    let asked: typeof requests = requests.slice(at, at + MAX_WRITES);
    while (asked.length > 0) {
      const request = new BatchWriteCommand({ RequestItems: { [name]: asked } });
      const { UnprocessedItems = {} } = await asking({ table: name }, () => client.send(request));
      asked = (UnprocessedItems[name] ?? []) as typeof requests;
      if (asked.length > 0) await delay(UNPROCESSED_PAUSE_MS);
    }
  }
}

/** Changes an item, making it where it is missing; gives it as it then is, undefined where the conditions do not hold. */
export async function updateItem(table: Table, { pk, sk }: ItemKey, change: Change): Promise<Item | undefined> {
  const { client, name } = table;
  const placeholders = createPlaceholders();
  const { set = [], add = [], remove = [], where = [] } = change;
  const clauses = [
    [
      "SET",
      set.map(([path, value]) => `${placeholders.path(path)} = ${placeholders.value(within(table, path[0], value))}`),
    ],
    ["ADD", add.map(([path, value]) => `${placeholders.path(path)} ${placeholders.value(value)}`)],
    ["REMOVE", remove.map((path) => placeholders.path(path))],
  ] as const;
  const UpdateExpression = clauses
    .filter(([, terms]) => terms.length > 0)
    .map(([verb, terms]) => `${verb} ${terms.join(", ")}`)
    .join(" ");
  const ConditionExpression = placeholders.condition(where);
  const request = new UpdateCommand({
    TableName: name,
    Key: toStored(table, { pk, sk }),
    UpdateExpression,
    ConditionExpression,
    ReturnValues: "ALL_NEW",
    ...placeholders.fields(),
  });
  return await unlessRefused({ table: name, key: pk }, async () =>
    fromStored(table, (await client.send(request)).Attributes ?? {}),
  );
}

/** Removes an item; gives what was removed, undefined where there was none or the conditions do not hold. */
export async function deleteItem(
  table: Table,
  { pk, sk }: ItemKey,
  where: readonly Condition[] = [],
): Promise<Item | undefined> {
  const { client, name } = table;
  const placeholders = createPlaceholders();
  const ConditionExpression = placeholders.condition(where);
  const request = new DeleteCommand({
    TableName: name,
    Key: toStored(table, { pk, sk }),
    ConditionExpression,
    ReturnValues: "ALL_OLD",
    ...placeholders.fields(),
  });
  return await unlessRefused({ table: name, key: pk }, async () => (await client.send(request)).Attributes);
}

/** Undefined where the conditions do not hold. */
async function unlessRefused<T>(subject: TableSubject, send: () => Promise<T>): Promise<T | undefined> {
  return await asking(subject, async () => {
    try {
      return await send();
    } catch (error) {
      if (error instanceof Error && error.name === "ConditionalCheckFailedException") return undefined;
      throw error;
    }
  });
}

/** Which items to give, in the order of their sort keys. */
export interface Selection {
  readonly pk: string;
  /** Of the table itself, which is read as the last write left it; or one of an index, which may lag behind. */
  readonly index?: "GSI1" | "GSI2";
  /** Bounds of the sort key, both included; empty ends are open. */
  readonly from?: string;
  readonly to?: string;
  readonly isDescending?: boolean;
  readonly pageSize?: number;
  /** Attributes to give; all where it is left out. */
  readonly only?: readonly string[];
}

/** Above every key that there is, as the end of a range of keys that begin with the same. */
export const LAST = "\u{10ffff}";

/** Reads page by page, as far as it is gone through. */
export async function* queryItems(table: Table, selection: Selection): AsyncGenerator<Item> {
  const { client, name } = table;
  const { pk, index, from = "", to = "", isDescending = false, pageSize, only } = selection;
  const placeholders = createPlaceholders();
  const [pkName, skName] = index === undefined ? ["pk", "sk"] : [`${index}PK`, `${index}SK`];
  const terms = [`${placeholders.path([pkName])} = ${placeholders.value(within(table, "pk", pk))}`];
  const sk = (): string => placeholders.path([skName]);
  if (from !== "" && to !== "") {
    terms.push(`${sk()} BETWEEN ${placeholders.value(from)} AND ${placeholders.value(to)}`);
  } else if (from !== "") terms.push(`${sk()} >= ${placeholders.value(from)}`);
  else if (to !== "") terms.push(`${sk()} <= ${placeholders.value(to)}`);
  const ProjectionExpression = only?.map((attribute) => placeholders.path([attribute])).join(", ");
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const request = new QueryCommand({
      TableName: name,
      IndexName: index,
      ConsistentRead: index === undefined,
      KeyConditionExpression: terms.join(" AND "),
      ScanIndexForward: !isDescending,
      Limit: pageSize,
      ProjectionExpression,
      ExclusiveStartKey,
      ...placeholders.fields(),
    });
    const page = await asking({ table: name, key: pk }, () => client.send(request));
    for (const item of page.Items ?? []) yield fromStored(table, item);
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
}

/** The first item of a selection. */
export async function firstItem(table: Table, selection: Selection): Promise<Item | undefined> {
  for await (const item of queryItems(table, { ...selection, pageSize: 1 })) return item;
  return undefined;
}

/** Numbers are written with as many digits as all of them have, so that they sort as what they are. */
export function sortable(value: number): string {
  return String(value).padStart(16, "0");
}
