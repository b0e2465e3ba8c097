import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, HeadBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Bucket } from "./bucket.ts";
import { type AwsPlace, asking, clientSettings, type Subject } from "./connection.ts";
import { createTable } from "./table-layout.ts";

/** Makes the bucket; false where there is one already. Throws STORE_REFUSED, STORE_UNAVAILABLE. */
export async function makeBucketIfMissing({ client, name }: Bucket): Promise<boolean> {
  // To make one's own once more is no error everywhere: only a question tells.
  const isThere = await isFound({ bucket: name }, () => client.send(new HeadBucketCommand({ Bucket: name })));
  if (!isThere) await asking({ bucket: name }, () => client.send(new CreateBucketCommand({ Bucket: name })));
  return !isThere;
}

/** Makes the table; false where there is one already. Throws as `makeBucketIfMissing`. */
export async function makeTableIfMissing(place: AwsPlace, name: string): Promise<boolean> {
  const client = new DynamoDBClient(clientSettings(place));
  try {
    const isThere = await isFound({ table: name }, () => client.send(new DescribeTableCommand({ TableName: name })));
    if (!isThere) await asking({ table: name }, () => createTable(client, name));
    return !isThere;
  } finally {
    client.destroy();
  }
}

/** Makes the queue that the last part of the URL names; false where there is one already. Throws as `makeBucketIfMissing`. */
export async function makeQueueIfMissing(client: SQSClient, url: string): Promise<boolean> {
  const name = new URL(url).pathname.split("/").at(-1) ?? "";
  const isThere = await isFound(name, () => client.send(new GetQueueUrlCommand({ QueueName: name })));
  if (!isThere) await asking(name, () => client.send(new CreateQueueCommand({ QueueName: name })));
  return !isThere;
}

/** Names of the errors for what is not there, by service. */
const ABSENT = /^(NotFound|NoSuchBucket|ResourceNotFoundException|.*(QueueDoesNotExist|NonExistentQueue))$/;

async function isFound(subject: Subject, ask: () => Promise<unknown>): Promise<boolean> {
  return await asking(subject, async () => {
    try {
      await ask();
      return true;
    } catch (error) {
      if (error instanceof Error && ABSENT.test(error.name)) return false;
      throw error;
    }
  });
}
