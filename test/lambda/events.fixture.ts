import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { FUNCTIONS } from "../../src/apps/lambda/functions.ts";
import type { World } from "../../src/apps/lambda/open.ts";

/** Calls a function as Lambda does: what goes in and what comes out is JSON. */
export async function callFunction(
  name: string,
  event: unknown,
  world: World,
  signal = new AbortController().signal,
): Promise<unknown> {
  const handle = await FUNCTIONS[name]?.(world);
  const answer = await handle?.(JSON.parse(JSON.stringify(event)), {
    signal,
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer));
}

/** What API Gateway is answered, with the body as its client gets it. */
export interface ApiAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Headers that every request through API Gateway has. */
export const API_HEADERS = {
  host: "abc123.execute-api.eu-central-1.amazonaws.com",
  "x-forwarded-proto": "https",
} as const;

/** Asks by an event of an HTTP API as AWS documents it, payload format 2.0. */
export async function askFunction(
  world: World,
  method: string,
  path: string,
  more: object,
  signal?: AbortSignal,
): Promise<ApiAnswer> {
  const answer = (await callFunction("api", apiEvent(method, path, more), world, signal)) as RawAnswer;
  return { ...answer, body: Buffer.from(answer.body, "base64") };
}

type RawAnswer = Omit<ApiAnswer, "body"> & { readonly body: string };

/** The event of a request, as AWS documents it. */
export function apiEvent(method: string, path: string, more: object): object {
  const [rawPath, rawQueryString = ""] = path.split("?");
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    requestContext: {
      accountId: "123456789012",
      apiId: "abc123",
      domainName: API_HEADERS.host,
      http: { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "curl/8" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: "$default",
      stage: "$default",
      timeEpoch: 1795274311114,
    },
    isBase64Encoded: false,
    ...more,
  };
}

/** As a stream of DynamoDB tells of a job's item as it is now. */
export async function changeOf(
  wire: DynamoDBClient,
  table: string,
  jobId: string,
  sequence: string,
  more: object = {},
): Promise<object> {
  const Keys = { pk: { S: `job#${jobId}` }, sk: { S: "job" } };
  const { Item } = await wire.send(new GetItemCommand({ TableName: table, Key: Keys }));
  return {
    eventID: "c81e728d9d4c2f636f067f89cc14862c",
    eventName: "MODIFY",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "eu-central-1",
    dynamodb: {
      ApproximateCreationDateTime: 1795274311,
      Keys,
      NewImage: Item,
      SequenceNumber: sequence,
      SizeBytes: 26,
      StreamViewType: "NEW_AND_OLD_IMAGES",
      ...more,
    },
    eventSourceARN: "arn:aws:dynamodb:eu-central-1:123456789012:table/jobs/stream/2026-11-21T00:00:00.000",
  };
}
