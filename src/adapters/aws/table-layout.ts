import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";

/** What of an item the first index tells besides the keys: enough to list jobs without reading them. */
const LISTED = ["pipeline", "status", "parentJobId", "finishedAtMs"] as const;

/**
 * The one table of a Reelmill, as `docs/reference/table.md` describes it. Makes it, for tests and for stores that are not AWS; on AWS the
 * stack does, by the same definition.
 */
export function tableDefinition(name: string) {
  const key = (pk: string, sk: string) => [
    { AttributeName: pk, KeyType: "HASH" as const },
    { AttributeName: sk, KeyType: "RANGE" as const },
  ];
  return {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST" as const,
    AttributeDefinitions: ["pk", "sk", "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK"].map((AttributeName) => ({
      AttributeName,
      AttributeType: "S" as const,
    })),
    KeySchema: key("pk", "sk"),
    GlobalSecondaryIndexes: [
      {
        IndexName: "GSI1",
        KeySchema: key("GSI1PK", "GSI1SK"),
        Projection: { ProjectionType: "INCLUDE" as const, NonKeyAttributes: [...LISTED] },
      },
      { IndexName: "GSI2", KeySchema: key("GSI2PK", "GSI2SK"), Projection: { ProjectionType: "KEYS_ONLY" as const } },
    ],
  };
}

/** Makes the table and waits until it is there. */
export async function createTable(client: DynamoDBClient, name: string): Promise<void> {
  await client.send(new CreateTableCommand(tableDefinition(name)));
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName: name });
}
