import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type StorageUnderTest, startStorage, uniqueName } from "../../../test/support/aws.ts";
import { createSqsClient } from "./bell.ts";
import { clientSettings } from "./connection.ts";
import { createSnsSender, type SnsSender } from "./sns-sender.ts";

let storage: StorageUnderTest;
let sender: SnsSender;
let topic: string;
let hear: () => Promise<unknown>;

beforeAll(async () => {
  storage = await startStorage();
  sender = createSnsSender(storage.topics);
  const sns = new SNSClient(clientSettings(storage.topics));
  const sqs = createSqsClient(storage.subscribers);
  const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: uniqueName() }))).QueueUrl ?? "";
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] });
  const Endpoint = (await sqs.send(asked)).Attributes?.["QueueArn"];
  topic = (await sns.send(new CreateTopicCommand({ Name: uniqueName() }))).TopicArn ?? "";
  await sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: "sqs", Endpoint }));
  hear = async () => {
    const request = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 });
    return JSON.parse((await sqs.send(request)).Messages?.[0]?.Body ?? "null");
  };
});

afterAll(async () => {
  sender.close();
  await storage.stop();
});

const LIVE = { timeoutMs: 10_000, signal: new AbortController().signal };

it("gives news to whoever has subscribed to the topic, with their id", async () => {
  const body = JSON.stringify({ job_id: "untrunc-0123456789ab", status: "COMPLETED" });
  expect(await sender.send({ id: "d1", url: topic, body }, LIVE)).toEqual({
    status: 200,
    error: null,
    retryAfterMs: null,
  });
  expect(await hear()).toMatchObject({ Message: body, MessageAttributes: { "webhook-id": { Value: "d1" } } });
});

it("tells that there is no such topic, which no other try mends", async () => {
  const none = await sender.send({ id: "d2", url: `${topic}-none`, body: "{}" }, LIVE);
  expect(none).toMatchObject({ error: { code: "WEBHOOK_REFUSED" }, status: 404 });
});
