import { type AttributeValue, type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { Table } from "../../src/adapters/aws/table.ts";
import type { ItemPattern, ValueRule } from "../../src/apps/lambda/item-patterns.ts";

type Attributes = Record<string, AttributeValue>;

/** A change as the stream of a table tells of it, as far as it is looked at. */
export interface StreamRecord {
  readonly eventName: "MODIFY" | "REMOVE";
  readonly dynamodb: {
    readonly Keys: Attributes;
    readonly NewImage?: Attributes;
    readonly SequenceNumber: string;
  };
}

/** What the requests that write have in common, as the service gets it. */
interface WriteInput {
  readonly Item?: Attributes;
  readonly Key?: Attributes;
  readonly RequestItems?: Readonly<
    Record<
      string,
      readonly {
        readonly PutRequest?: { readonly Item: Attributes };
        readonly DeleteRequest?: { readonly Key: Attributes };
      }[]
    >
  >;
}

/**
 * What a stream would tell of all that the table's client writes from now on, in its order: behind each write the item is read as it then is, before
 * whoever wrote it goes on. The emulator has no streams.
 */
export function watchStream({ client, name }: Table, wire: DynamoDBClient): readonly StreamRecord[] {
  const records: StreamRecord[] = [];
  const note = async (input: WriteInput): Promise<void> => {
    for (const { pk, sk } of itemsOf(input)) {
      if (pk === undefined || sk === undefined) throw new Error("Something without a key was written.");
      const Keys = { pk, sk };
      const { Item } = await wire.send(new GetItemCommand({ TableName: name, Key: Keys, ConsistentRead: true }));
      const SequenceNumber = String(records.length + 1);
      records.push(
        Item === undefined
          ? { eventName: "REMOVE", dynamodb: { Keys, SequenceNumber } }
          : { eventName: "MODIFY", dynamodb: { Keys, NewImage: Item, SequenceNumber } },
      );
    }
  };
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args);
        if (/^(Put|Update|Delete|BatchWrite)/.test(String(commandName))) await note(args.input as WriteInput);
        return result;
      },
    // Where values are as they are sent.
    { step: "build" },
  );
  return records;
}

function itemsOf({ Item, Key, RequestItems = {} }: WriteInput): readonly Attributes[] {
  const batch = Object.values(RequestItems).flat();
  return [Item, Key, ...batch.map(({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key)].filter(
    (found) => found !== undefined,
  );
}

/** Whether Lambda's filters let a record through that have this pattern. */
export function fitsPattern(pattern: ItemPattern | readonly ValueRule[], value: unknown): boolean {
  if (isRules(pattern)) return pattern.some((rule) => fitsRule(rule, value));
  const fields = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  return Object.entries(pattern).every(([name, inner]) => fitsPattern(inner, fields[name]));
}

function isRules(pattern: ItemPattern | readonly ValueRule[]): pattern is readonly ValueRule[] {
  return Array.isArray(pattern);
}

function fitsRule(rule: ValueRule, value: unknown): boolean {
  if (typeof rule === "string") return value === rule;
  if ("prefix" in rule) return typeof value === "string" && value.startsWith(rule.prefix);
  // Maps and lists are not there, as the service has it.
  return (value !== undefined && typeof value !== "object") === rule.exists;
}
