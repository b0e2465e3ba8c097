import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, type QueueAttributeName, type SQSClient } from "@aws-sdk/client-sqs";
import type { Clock } from "../../base/clock.ts";
import type { Bucket } from "./bucket.ts";
import { asking } from "./connection.ts";

const SLIP_COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const satisfies readonly QueueAttributeName[];

/** Messages that a queue in SQS holds, received and delayed ones included, about. Throws STORE_REFUSED, STORE_UNAVAILABLE. */
export async function countSlips(client: SQSClient, url: string): Promise<number> {
  const request = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...SLIP_COUNTS] });
  const { Attributes = {} } = await asking(url, () => client.send(request));
  return SLIP_COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

/**
 * Asks for the bucket, and by the date of the answer how far this machine's clock is ahead of the store's, in milliseconds; undefined where the answer has
 * no date. It is told in whole seconds: less than one means nothing. Throws OBJECT_NOT_FOUND where there is no bucket, STORE_REFUSED, STORE_UNAVAILABLE.
 */
export async function measureSkew({ client, name }: Bucket, clock: Clock): Promise<number | undefined> {
  let date: string | undefined;
  const request = new HeadBucketCommand({ Bucket: name });
  request.middlewareStack.add(
    (next) => async (args) => {
      const answered = await next(args);
      date = (answered.response as { readonly headers?: Readonly<Record<string, string>> }).headers?.["date"];
      return answered;
    },
    { step: "deserialize", priority: "low" },
  );
  await asking({ bucket: name }, () => client.send(request));
  const atMs = Date.parse(date ?? "");
  return Number.isNaN(atMs) ? undefined : clock.nowMs() - atMs;
}
