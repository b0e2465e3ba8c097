import {
  BatchWriteCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import type { Item, Table } from "../../src/adapters/aws/table.ts";

/*
 * A table of DynamoDB in memory, as far as `src/adapters/aws/table.ts` asks for anything: thousands of jobs a second, and every request passes
 * by whoever wants to hold it up. Its own test holds it against the emulator.
 */

/** A request that is about to reach the table. */
interface TableRequest {
  readonly isWrite: boolean;
  /** Has the table do it, and gives its answer; throws what the table would. */
  readonly apply: () => unknown;
}

/** Lets a request through when it wants to; what it gives is the answer. */
type TableGate = (request: TableRequest) => unknown;

/** The items of a table. */
export interface MemoryTable {
  /** A way to the table, by a gate. */
  readonly reach: (gate?: TableGate) => Table;
}

/** Items by sort key, by partition. They are never changed, but replaced. */
type Partitions = Map<string, Map<string, Item>>;

/** A table that is empty. */
export function createMemoryTable(): MemoryTable {
  const items: Partitions = new Map();
  return {
    reach: (gate = ({ apply }) => apply()) => {
      const send = async (command: { readonly input: Input }): Promise<unknown> => {
        // None of a batch waits for another, and who asked may die in the middle of it.
        for (const single of command instanceof BatchWriteCommand ? singles(command.input) : []) {
          await gate({ isWrite: true, apply: () => answer(items, single) });
        }
        if (command instanceof BatchWriteCommand) return {};
        const isWrite = !(command instanceof GetCommand || command instanceof QueryCommand);
        return await gate({ isWrite, apply: () => answer(items, command) });
      };
      return { client: { send } as unknown as DynamoDBDocumentClient, name: "memory" };
    },
  };
}

/** What of a request is heeded. */
interface Input {
  readonly Key?: Readonly<Record<string, unknown>>;
  readonly Item?: Readonly<Record<string, unknown>>;
  readonly IndexName?: string;
  readonly KeyConditionExpression?: string;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: Item;
}

const MAX_BATCH = 25;

/** A batch as the requests that it stands for. */
function singles({ RequestItems = {} }: BatchWriteCommand["input"]): readonly { readonly input: Input }[] {
  const wanted = Object.values(RequestItems)
    .flat()
    .map(({ PutRequest, DeleteRequest }) => ({ Item: PutRequest?.Item, Key: DeleteRequest?.Key }));
  const keys = wanted.map(({ Item, Key }) => JSON.stringify([(Item ?? Key)?.["pk"], (Item ?? Key)?.["sk"]]));
  if (wanted.length > MAX_BATCH || new Set(keys).size < keys.length) throw new Error("No table takes this batch.");
  return wanted.map(({ Item, Key = {} }) => {
    const command =
      Item === undefined ? new DeleteCommand({ TableName: "", Key }) : new PutCommand({ TableName: "", Item });
    return command as { readonly input: Input };
  });
}

function answer(items: Partitions, command: { readonly input: Input }): unknown {
  const { input } = command;
  if (command instanceof QueryCommand) return query(items, input);
  const { pk, sk } = (input.Key ?? input.Item ?? {}) as { readonly pk: string; readonly sk: string };
  const found = items.get(pk)?.get(sk);
  if (command instanceof GetCommand) return { Item: found };
  requireCondition(found, input);
  if (command instanceof DeleteCommand) {
    items.get(pk)?.delete(sk);
    return { Attributes: found };
  }
  if (command instanceof PutCommand) return write(items, pk, sk, known(input.Item ?? {}));
  if (command instanceof UpdateCommand) return write(items, pk, sk, updated(found ?? { pk, sk }, input));
  throw new Error(`The table in memory knows no ${command.constructor.name}.`);
}

function write(items: Partitions, pk: string, sk: string, item: Item): unknown {
  const partition = items.get(pk) ?? new Map<string, Item>();
  items.set(pk, partition.set(sk, item));
  return { Attributes: item };
}

/** As the client leaves out what is undefined. */
function known(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
}

type Names = Pick<Input, "ExpressionAttributeNames" | "ExpressionAttributeValues">;

function pathOf(text: string, { ExpressionAttributeNames: names = {} }: Names): readonly string[] {
  return text.split(".").map((part) => names[part] ?? part);
}

function at(item: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Item | undefined)?.[name], item);
}

const TERM =
  /^(?:(attribute_exists|attribute_not_exists)\((\S+)\)|(\S+) (=|<|<=|>=) (\S+)|(\S+) BETWEEN (\S+) AND (\S+))$/;

/** Whether every term of an expression holds. */
function holds(item: Item | undefined, expression: string, input: Input): boolean {
  const value = (placeholder = ""): unknown => input.ExpressionAttributeValues?.[placeholder];
  const terms = expression.split(/ AND (?!:v\d+$)|(?<=BETWEEN \S+ AND \S+) AND /);
  return terms.every((term) => {
    const [, verb, subject, left, comparison, right, ranged, from, to] = TERM.exec(term) ?? [];
    const is = at(item, pathOf(subject ?? left ?? ranged ?? "", input));
    if (verb !== undefined) return (is !== undefined) === (verb === "attribute_exists");
    if (ranged !== undefined) return isAtMost(value(from), is) && isAtMost(is, value(to));
    if (comparison === "=") return is === value(right);
    if (comparison === "<") return isAtMost(is, value(right)) && is !== value(right);
    if (comparison === "<=") return isAtMost(is, value(right));
    if (comparison === ">=") return isAtMost(value(right), is);
    throw new Error(`The table in memory does not know what "${term}" means.`);
  });
}

/** Values of different kinds are in no order. */
function isAtMost(left: unknown, right: unknown): boolean {
  if (typeof left === "string" && typeof right === "string") return left <= right;
  return typeof left === "number" && typeof right === "number" && left <= right;
}

function requireCondition(item: Item | undefined, input: Input): void {
  const { ConditionExpression: expression } = input;
  if (expression === undefined || holds(item, expression, input)) return;
  throw Object.assign(new Error("The conditional request failed"), { name: "ConditionalCheckFailedException" });
}

function updated(before: Item, input: Input): Item {
  const clauses = (input.UpdateExpression ?? "").split(/ ?\b(SET|ADD|REMOVE) /).slice(1);
  let item = before;
  for (let clause = 0; clause < clauses.length; clause += 2) {
    for (const term of (clauses[clause + 1] ?? "").split(", ")) {
      const [subject = "", value = ""] = term.split(/ = | /);
      const path = pathOf(subject, input);
      const given = input.ExpressionAttributeValues?.[value];
      if (clauses[clause] === "REMOVE") item = replaced(item, path, undefined);
      else if (clauses[clause] === "SET") item = replaced(item, path, given);
      else item = replaced(item, path, Number(at(item, path) ?? 0) + Number(given));
    }
  }
  return item;
}

/** The item with another value at the path; without any where that is undefined. */
function replaced(item: Item, [name = "", ...rest]: readonly string[], value: unknown): Item {
  const { [name]: inner, ...others } = item;
  if (rest.length === 0) return value === undefined ? others : { ...item, [name]: value };
  if (typeof inner !== "object" || inner === null) {
    throw Object.assign(new Error("The document path provided in the update expression is invalid"), {
      name: "ValidationException",
      $metadata: { httpStatusCode: 400 },
    });
  }
  return { ...item, [name]: replaced(inner as Item, rest, value) };
}

function query(items: Partitions, input: Input): unknown {
  const { IndexName: index, KeyConditionExpression = "", ScanIndexForward = true, Limit = 1000 } = input;
  const order = index === undefined ? "sk" : `${index}SK`;
  const all = index === undefined ? partition(items, input) : [...items.values()].flatMap((some) => [...some.values()]);
  const start = input.ExclusiveStartKey?.[order];
  const isBehind = (item: Item): boolean =>
    start === undefined || (ScanIndexForward ? !isAtMost(item[order], start) : !isAtMost(start, item[order]));
  const found = all
    .filter((item) => holds(item, KeyConditionExpression, input) && isBehind(item))
    .sort((a, b) => (isAtMost(a[order], b[order]) === ScanIndexForward ? -1 : 1));
  const Items = found.slice(0, Limit);
  return { Items, ...(found.length > Limit ? { LastEvaluatedKey: Items.at(-1) } : {}) };
}

/** The first value of a query is its partition. */
function partition(items: Partitions, { ExpressionAttributeValues: values = {} }: Input): readonly Item[] {
  return [...(items.get(String(values[":v0"]))?.values() ?? [])];
}
