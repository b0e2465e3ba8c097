import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type AwsUnderTest, makeTable, startTables, temporaryFolder } from "../support/aws.ts";
import { API_HEADERS } from "./events.fixture.ts";
import { runFunction } from "./runtime.fixture.ts";

const KEY = "k".repeat(32);
const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reelmill/webhooks-AbCdEf";
const SUBMIT = {
  version: "2.0",
  rawPath: "/v1/jobs",
  headers: { ...API_HEADERS, "x-api-key": KEY, "content-type": "application/json" },
  body: JSON.stringify({
    pipeline: "repair",
    params: { inputs: ["uploads/a.mp4"] },
    webhook: { url: "https://example.com/hook", format: "standard" },
  }),
  requestContext: { http: { method: "POST", sourceIp: "192.0.2.1" } },
};

let tables: AwsUnderTest;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let secrets: Server;
/** What Secrets Manager has by that ARN; undefined: nothing. */
let held: string | undefined;
let asked: unknown[];

beforeAll(async () => {
  [tables, folder] = await Promise.all([startTables(), temporaryFolder()]);
  table = await makeTable(tables.place);
  // Secrets Manager (JSON 1.1), as far as a function asks it.
  secrets = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    asked.push([request.headers["x-amz-target"], JSON.parse(body)]);
    const answer = held === undefined ? { __type: "ResourceNotFoundException" } : { ARN, SecretString: held };
    response.writeHead(held === undefined ? 400 : 200).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => secrets.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  secrets.closeAllConnections();
  secrets.close();
  await table.remove();
  await tables.stop();
  await folder.remove();
});

beforeEach(() => {
  held = undefined;
  asked = [];
});

async function submit(environment: Readonly<Record<string, string>>) {
  const told = await runFunction("api", [SUBMIT], {
    AWS_REGION: tables.place.region,
    REELMILL_BACKEND: "aws",
    REELMILL_DATA: folder.path,
    REELMILL_DYNAMODB_ENDPOINT: tables.place.endpoint ?? "",
    REELMILL_SECRETS_ENDPOINT: `http://127.0.0.1:${(secrets.address() as AddressInfo).port}`,
    REELMILL_API_KEY_SHA256: createHash("sha256").update(KEY).digest("hex"),
    S3_BUCKET: "bucket",
    DYNAMODB_TABLE: table.name,
    ...environment,
  });
  expect(JSON.stringify(told)).not.toContain(SECRET.slice(6));
  return told;
}

const QUESTION = ["secretsmanager.GetSecretValue", { SecretId: ARN }];

it("webhooks are signed by the secret that is named, which a function reads once, when it starts", async () => {
  held = `${SECRET},${SECRET}\n`;
  expect(await submit({ WEBHOOK_SECRETS_ARN: ARN })).toMatchObject([{ body: { statusCode: 201 } }]);
  expect(asked).toEqual([QUESTION]);
});

it("nothing is asked where none is named, and webhooks are refused", async () => {
  expect(await submit({})).toMatchObject([{ body: { statusCode: 400 } }]);
  expect(asked).toEqual([]);
});

it.each([
  ["is not there", undefined, {}, "STORE_REFUSED", /secret:reelmill\/webhooks-AbCdEf.*ResourceNotFoundException/],
  ["is empty", " \n", {}, "CONFIG_INVALID", /webhooks-AbCdEf holds no text/],
  ["holds something else", SECRET.slice(6), {}, "CONFIG_INVALID", /REELMILL_WEBHOOK_SECRETS has a value/],
  ["is not the only one", SECRET, { REELMILL_WEBHOOK_SECRETS: SECRET }, "CONFIG_INVALID", /only one of them/],
])("a function does not start whose secret %s", async (_what, value, more, errorType, errorMessage) => {
  held = value;
  const [told, ...others] = await submit({ WEBHOOK_SECRETS_ARN: ARN, ...more });
  expect(others).toEqual([]);
  expect(told).toMatchObject({ body: { errorType, errorMessage: expect.stringMatching(errorMessage) } });
});
