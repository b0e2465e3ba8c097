import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type AwsUnderTest,
  makeBucket,
  makeTable,
  type StorageUnderTest,
  startStorage,
  startTables,
  uniqueName,
} from "../../test/support/aws.ts";
import { createSqsClient } from "../adapters/aws/bell.ts";
import { createJobStore } from "../adapters/aws/job-store.ts";
import { systemClock } from "../base/clock.ts";
import { checkAws } from "./aws-checks.ts";
import type { AwsHome } from "./aws-settings.ts";

let storage: StorageUnderTest;
let tables: AwsUnderTest;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let home: AwsHome;

beforeAll(async () => {
  [storage, tables] = await Promise.all([startStorage(), startTables()]);
  [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  const sqs = createSqsClient(storage.queues);
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: uniqueName() }));
  sqs.destroy();
  home = {
    backend: "aws",
    data: "unused",
    region: storage.place.region,
    bucket: bucket.name,
    table: table.name,
    s3Endpoint: storage.place.endpoint,
    dynamoDbEndpoint: tables.place.endpoint,
    sqsEndpoint: storage.queues.endpoint,
    snsEndpoint: undefined,
    logsEndpoint: undefined,
    logGroups: [],
    topicArn: undefined,
    queueUrls: { hls: QueueUrl },
    longPollSeconds: 0,
    containers: undefined,
    services: [],
    ecsEndpoint: undefined,
  };
});

afterAll(async () => {
  await Promise.all([bucket.remove(), table.remove()]);
  await Promise.all([storage.stop(), tables.stop()]);
});

async function look(changes: Partial<AwsHome> = {}, clock = systemClock): Promise<Readonly<Record<string, string>>> {
  const checks = await checkAws({ ...home, ...changes }, clock);
  return Object.fromEntries(checks.map(({ check, status, detail }) => [check, `${status}: ${detail}`]));
}

it("tells of a bucket, a table and queues that are not there or cannot be reached", async () => {
  const well = await look();
  expect(Object.entries(well).map(([check, told]) => [check, told.slice(0, 3)])).toEqual([
    ["bucket", "ok:"],
    ["clock", "ok:"],
    ["table", "ok:"],
    ["SQS hls", "ok:"],
  ]);
  const none = new URL("/000000000000/none", storage.queues.endpoint).href;
  expect(await look({ bucket: "no-such-bucket", queueUrls: { hls: none } })).toMatchObject({
    bucket: expect.stringMatching(/^failed: no-such-bucket: .*\(OBJECT_NOT_FOUND\)$/),
    "SQS hls": expect.stringMatching(/^failed: http.*none: .*QueueDoesNotExist.*\(STORE_REFUSED\)$/),
  });
  const gone = await look({ table: "no-such-table" });
  expect(gone["table"]).toMatch(/^failed: no-such-table: .*\(STORE_REFUSED\)$/);
  // What waits is not known then, nor what SQS should hold.
  expect(gone).not.toHaveProperty("SQS hls");
  const away = await look({ dynamoDbEndpoint: "http://127.0.0.1:9" });
  expect(away["table"]).toMatch(/^failed: .*\(STORE_UNAVAILABLE\)$/);
});

it("tells of a table that refuses to say what waits", async () => {
  const passing = createServer(async (incoming, response) => {
    const body = await text(incoming);
    if (body.includes('"dead"')) {
      response.writeHead(400).end(JSON.stringify({ __type: "AccessDeniedException", message: "No." }));
      return;
    }
    const headers = Object.fromEntries(
      ["authorization", "content-type", "x-amz-date", "x-amz-target"].map((name) => [
        name,
        String(incoming.headers[name]),
      ]),
    );
    const answer = await fetch(tables.place.endpoint ?? "", { method: "POST", headers, body });
    response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" }).end(await answer.text());
  });
  await new Promise<void>((settle) => passing.listen(0, "127.0.0.1", settle));
  const { port } = passing.address() as AddressInfo;
  const told = await look({ dynamoDbEndpoint: `http://127.0.0.1:${port}` });
  expect(told).toMatchObject({
    bucket: expect.stringMatching(/^ok: /),
    table: expect.stringMatching(/^failed: .*AccessDenied.*\(STORE_REFUSED\)$/),
  });
  passing.closeAllConnections();
  await new Promise((settle) => passing.close(settle));
});

it("tells of a clock that is off by more than some seconds, and in which direction", async () => {
  const skewed = (byMs: number) => ({ ...systemClock, nowMs: () => systemClock.nowMs() + byMs });
  expect((await look({}, skewed(-120_000)))["clock"]).toMatch(/^warning: .*clock is (1|2) min.* behind the store's/);
  expect((await look({}, skewed(3_600_000)))["clock"]).toMatch(/^warning: .*ahead of the store's/);
});

it("tells of tasks that wait without a message in SQS", async () => {
  // Without the bell that tells of it.
  await createJobStore(table, systemClock).create({
    ...{ id: "01920000-0000-7000-8000-000000000001", pipeline: "hls", params: null, priority: 0 },
    ...{ parentJobId: null, webhook: null, idempotency: null },
  });
  expect((await look())["SQS hls"]).toMatch(/^warning: 1 waiting, but SQS holds no message/);
});
