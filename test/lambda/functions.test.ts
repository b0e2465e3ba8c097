import { createHash } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateQueueCommand, PurgeQueueCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSqsClient } from "../../src/adapters/aws/bell.ts";
import { clientSettings } from "../../src/adapters/aws/connection.ts";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import { createTableClient, getItem, queryItems } from "../../src/adapters/aws/table.ts";
import { startReceiver } from "../../src/adapters/webhook/receiver.fixture.ts";
import { openWorld, type World } from "../../src/apps/lambda/open.ts";
import { createUuid } from "../../src/base/ids.ts";
import {
  type AwsUnderTest,
  environmentOf,
  makeBucket,
  makeTable,
  type StorageUnderTest,
  startStorage,
  startTables,
  temporaryFolder,
  uniqueName,
} from "../support/aws.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { API_HEADERS, type ApiAnswer, askFunction, callFunction, changeOf } from "./events.fixture.ts";

const KEY = "k".repeat(32);
const HASH = createHash("sha256").update(KEY).digest("hex");

let tables: AwsUnderTest;
let storage: StorageUnderTest;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let sqs: SQSClient;
let wire: DynamoDBClient;
let queueUrl: string;
let clock: FakeClock;
let lines: string[];
let worlds: World[];

beforeAll(async () => {
  [tables, storage, folder] = await Promise.all([startTables(), startStorage(), temporaryFolder()]);
  sqs = createSqsClient(storage.queues);
  wire = new DynamoDBClient(clientSettings(tables.place));
});

afterAll(async () => {
  for (const client of [sqs, wire]) client.destroy();
  await tables.stop();
  await storage.stop();
  await folder.remove();
});

beforeEach(async () => {
  [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: uniqueName() }))).QueueUrl ?? "";
  clock = createFakeClock();
  lines = [];
  worlds = [];
});

afterEach(async () => {
  for (const { parts } of worlds) parts.close();
  await bucket.remove();
  await table.remove();
});

function open(more: Readonly<Record<string, string>> = {}): World {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    LOG_FORMAT: "json",
    ...environmentOf({ storage, tables, bucket, table }),
    REELMILL_DATA: folder.path,
    REELMILL_SQS_ENDPOINT: storage.queues.endpoint ?? "",
    REELMILL_API_KEY_SHA256: HASH,
    SQS_QUEUE_URLS: JSON.stringify({ repair: queueUrl }),
    ...more,
  };
  const world = openWorld(environment, clock, (line) => lines.push(line));
  worlds.push(world);
  return world;
}

async function call(name: string, event: unknown, world = open()): Promise<unknown> {
  return await callFunction(name, event, world);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function ask(method: string, path: string, more: object = {}, world = open()): Promise<ApiAnswer> {
  return await askFunction(world, method, path, { headers: { ...API_HEADERS, "x-api-key": KEY }, ...more });
}

const JSON_HEADERS = { headers: { "x-api-key": KEY, "content-type": "application/json" } };

describe("api", () => {
  it("serves the app: a job is submitted, its slip sent, and the job told", async () => {
    const body = JSON.stringify({ pipeline: "repair", params: { inputs: ["uploads/a.mp4"] } });
    const made = await ask("POST", "/v1/jobs", { ...JSON_HEADERS, body });
    expect(made.statusCode).toBe(201);
    const { id } = JSON.parse(made.body.toString()) as { readonly id: string };
    const again = await ask("POST", "/v1/jobs", {
      ...JSON_HEADERS,
      body: Buffer.from(body).toString("base64"),
      isBase64Encoded: true,
    });
    expect(again.statusCode).toBe(201);
    const told = await ask("GET", `/v1/jobs/${id}`);
    expect([told.statusCode, JSON.parse(told.body.toString())]).toMatchObject([200, { id, status: "queued" }]);
    const listed = await ask("GET", "/v1/jobs?status=queued,running&limit=1");
    expect(JSON.parse(listed.body.toString())).toMatchObject({ jobs: [{ status: "queued" }] });
  });

  it("tells what jobs depend on, and nothing of the disk of one instance", async () => {
    const { statusCode, body } = await ask("GET", "/v1/checks");
    const { checks } = JSON.parse(body.toString()) as { readonly checks: readonly { check: string; status: string }[] };
    const found = checks.map(({ check, status }) => (check === "clock" ? check : `${check} ${status}`));
    // The clock of these tests stands still, which the store notices.
    expect([statusCode, found]).toEqual([
      200,
      ["bucket ok", "clock", "table ok", "SQS repair ok", "ffmpeg ok", "queues ok"],
    ]);
  });

  it("asks for the key", async () => {
    const { statusCode, headers } = await ask("GET", "/v1/jobs", { headers: { host: "x" } });
    expect([statusCode, headers["content-type"]]).toEqual([401, expect.stringContaining("problem+json")]);
  });

  it("gives objects byte by byte, whether their key comes encoded or not, and leads to those that are too large", async () => {
    const world = open();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await world.parts.objects.put("uploads/é a?.bin", once(bytes));
    const large = Buffer.alloc(5 * 1024 * 1024, "large");
    await world.parts.objects.put("uploads/large", once(large));
    for (const path of ["/v1/objects/uploads/é a%3F.bin", "/v1/objects/uploads/%C3%A9%20a%3F.bin"]) {
      const { statusCode, body } = await ask("GET", path, {}, world);
      expect([statusCode, body.equals(bytes)]).toEqual([200, true]);
    }
    const withRange = (range: string) => ({ headers: { "x-api-key": KEY, range } });
    expect(await ask("GET", "/v1/objects/uploads/large", withRange("bytes=5-9"), world)).toMatchObject({
      statusCode: 206,
      body: large.subarray(5, 10),
    });
    for (const [more, bytes] of [
      [{}, large],
      [withRange("bytes=7-"), large.subarray(7)],
    ] as const) {
      const led = await ask("GET", "/v1/objects/uploads/large", more, world);
      expect([led.statusCode, led.body.length, led.headers["content-range"]]).toEqual([307, 0, undefined]);
      const query = new URL(led.headers["location"] ?? "").searchParams;
      const shown = ["response-content-type", "response-content-disposition"].map((name) => query.get(name));
      expect(shown).toEqual(["application/octet-stream", expect.stringMatching(/^inline; filename="large"/)]);
      const { headers = {} } = more as { readonly headers?: Readonly<Record<string, string>> };
      const { range } = headers;
      const found = await fetch(led.headers["location"] ?? "", range === undefined ? {} : { headers: { range } });
      expect(Buffer.from(await found.arrayBuffer()).equals(bytes)).toBe(true);
    }
    const head = await ask("HEAD", "/v1/objects/uploads/large", {}, world);
    expect(head).toMatchObject({ statusCode: 200, headers: { "accept-ranges": "bytes" } });
  });

  it("takes no uploads in parts, which need a process that stays", async () => {
    expect((await ask("POST", "/v1/uploads")).statusCode).toBe(403);
  });

  it("tells by streams that end what is new, and when to come again", async () => {
    const world = open();
    const listen = async (path: string, lastId?: string): Promise<string> => {
      const resumes = lastId === undefined ? {} : { "last-event-id": lastId };
      const headers = { "x-api-key": KEY, accept: "text/event-stream", ...resumes };
      const told = await ask("GET", path, { headers }, world);
      expect([told.statusCode, told.headers["content-type"]]).toEqual([200, "text/event-stream; charset=utf-8"]);
      return told.body.toString();
    };
    const before = await listen("/v1/events");
    const place = /^retry: 2000\nid: (\d+)\n\n$/.exec(before)?.[1];
    const body = JSON.stringify({ pipeline: "repair", params: { inputs: ["uploads/a.mp4"] } });
    const made = await ask("POST", "/v1/jobs", { ...JSON_HEADERS, body }, world);
    const { id } = JSON.parse(made.body.toString()) as { readonly id: string };
    const after = await listen("/v1/events", place);
    expect(after).toContain(`"id":"${id}"`);
    const next = after
      .match(/^id: (\d+)$/gm)
      ?.at(-1)
      ?.slice(4);
    expect(await listen("/v1/events", next)).toBe(`retry: 2000\nid: ${next}\n\n`);
    const first = await listen(`/v1/jobs/${id}/events`);
    expect(first.match(/^event: .*$/gm)).toEqual(["event: event", "event: job"]);
    const seq = first
      .match(/^id: (\d+)$/gm)
      ?.at(-1)
      ?.slice(4);
    await ask("POST", `/v1/jobs/${id}/cancel`, {}, world);
    const last = await listen(`/v1/jobs/${id}/events`, seq);
    expect(last.match(/^event: .*$/gm)).toEqual(["event: event", "event: job"]);
    expect(last).toContain('"status":"cancelled"');
    expect(last).not.toContain("job.created");
    const unknown = await ask("GET", "/v1/jobs/01920000-0000-7000-8000-000000000001/events", {}, world);
    expect(unknown.statusCode).toBe(404);
  });

  it("is not begun without a key that it could ask for", async () => {
    await expect(ask("GET", "/v1/jobs", {}, open({ REELMILL_API_KEY_SHA256: "" }))).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });
});

/** As EventBridge tells of an object, with the fields that AWS documents. */
function objectCreated(key: string, more: object = {}, bucketName = bucket.name): object {
  return {
    version: "0",
    id: "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Object Created",
    source: "aws.s3",
    account: "123456789012",
    time: "2026-11-21T12:00:00Z",
    region: "eu-central-1",
    resources: [`arn:aws:s3:::${bucketName}`],
    detail: {
      version: "0",
      bucket: { name: bucketName },
      object: {
        key,
        size: 5,
        etag: "b1946ac92492d2347c6235b4d2611184",
        "version-id": "IYV3p45",
        sequencer: "617f08299329d189",
        ...more,
      },
      "request-id": "N4N7GDK58NMKJ12R",
      requester: "123456789012",
      "source-ip-address": "192.0.2.1",
      reason: "PutObject",
    },
  };
}

describe("object-made", () => {
  const JOB = JSON.stringify({ pipeline: "convert", params: { to: "vp9" } });

  it("submits a job for an upload, one for each write of it", async () => {
    const world = open({ OBJECT_MADE_JOB: JOB });
    const event = objectCreated("uploads/a b+c%20ü.mp4");
    const [first] = (await call("object-made", event, world)) as string[];
    expect(await call("object-made", event, world)).toEqual([first]);
    expect((await world.parts.store.get(first ?? ""))?.params).toMatchObject({
      input: "uploads/a b+c%20ü.mp4",
      to: "vp9",
    });
    const [second] = (await call(
      "object-made",
      objectCreated("uploads/a b+c%20ü.mp4", { sequencer: "2" }),
      world,
    )) as string[];
    expect(second).not.toBe(first);
  });

  it("decodes the keys of S3's own messages, once", async () => {
    const world = open({ OBJECT_MADE_JOB: JSON.stringify({ pipeline: "repair" }) });
    const object = { key: "uploads/a+b%2Bc%2520%C3%BC.mp4", size: 5, eTag: "1", sequencer: "0055AED6DCD90281E5" };
    const record = {
      eventVersion: "2.1",
      eventSource: "aws:s3",
      awsRegion: "eu-central-1",
      eventName: "ObjectCreated:Put",
    };
    const event = { Records: [{ ...record, s3: { s3SchemaVersion: "1.0", bucket: { name: bucket.name }, object } }] };
    const [id] = (await call("object-made", event, world)) as string[];
    expect((await world.parts.store.get(id ?? ""))?.params).toMatchObject({ inputs: ["uploads/a b+c%20ü.mp4"] });
    const broken = {
      Records: [{ ...record, s3: { bucket: { name: bucket.name }, object: { ...object, key: "uploads/%E0%A4%A" } } }],
    };
    await expect(call("object-made", broken, world)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });

  it("leaves alone what jobs wrote, what lies in another bucket, keys that no job can name, and all where nothing is set", async () => {
    const world = open({ OBJECT_MADE_JOB: JOB });
    for (const key of ["outputs/1/output.webm", "uploadsx/a.mp4", "uploads/a/../../b.mp4", "uploads//a.mp4"]) {
      expect(await call("object-made", objectCreated(key), world)).toEqual([]);
    }
    expect(await call("object-made", objectCreated("uploads/a.mp4", {}, "raw-recordings"), world)).toEqual([]);
    expect(await call("object-made", objectCreated("uploads/a.mp4"))).toEqual([]);
    expect((await world.parts.store.list({ limit: 9 })).jobs).toEqual([]);
    await expect(call("object-made", { source: "aws.s3" }, world)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });
});

/** A job whose submitter died before its so-manieth write: what its transition brings is half-written. */
async function submitAndDie(atWrite: number): Promise<string> {
  const client = createTableClient(tables.place);
  let writes = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (/^(Put|Update|Delete)/.test(String(context.commandName))) writes += 1;
      if (writes >= atWrite) throw new Error("dead");
      return await next(args);
    },
    { step: "initialize" },
  );
  const id = createUuid(clock.nowMs());
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  const job = { id, pipeline: "repair", params: { inputs: ["uploads/a.mp4"] }, ...rest };
  await expect(createJobStore({ client, name: table.name }, clock).create(job)).rejects.toThrow("dead");
  client.destroy();
  return id;
}

async function recordOf(jobId: string, sequence: string, more: object = {}): Promise<object> {
  return await changeOf(wire, table.name, jobId, sequence, more);
}

async function isPending(jobId: string): Promise<boolean> {
  return (await getItem(table, { pk: `job#${jobId}`, sk: "job" }))?.["pending"] !== undefined;
}

describe("item-changed", () => {
  it("writes out what a writer that died had begun, and wakes the workers", async () => {
    const world = open();
    const id = await submitAndDie(5);
    expect([await isPending(id), await world.parts.queue.countWaiting(["repair"], 9)]).toEqual([true, 0]);
    const Records = [await recordOf(id, "111")];
    expect(await call("item-changed", { Records }, world)).toEqual({ batchItemFailures: [] });
    expect([await isPending(id), await world.parts.queue.countWaiting(["repair"], 9)]).toEqual([false, 1]);
    expect(await call("item-changed", { Records }, world)).toEqual({ batchItemFailures: [] });
    expect(await world.parts.queue.countWaiting(["repair"], 9)).toBe(1);
    expect((await world.parts.store.listEvents({ afterSeq: 0, limit: 9 })).map(({ type }) => type)).toEqual([
      "job.queued",
    ]);
  });

  it("gives back the first record of each job that it fails at, and moves the others on", async () => {
    const [lost, kept] = [await submitAndDie(5), await submitAndDie(5)];
    const records = [await recordOf(lost, "1"), await recordOf(kept, "2"), await recordOf(lost, "3")];
    const world = open();
    const failing = {
      ...world,
      parts: {
        ...world.parts,
        care: {
          ...world.parts.care,
          settle: async (job: { readonly space: string; readonly jobId: string }) => {
            if (job.jobId === lost) throw new Error("the table is away");
            await world.parts.care.settle(job);
          },
        },
      },
    };
    const answer = await call("item-changed", { Records: records }, failing);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect([await isPending(lost), await isPending(kept)]).toEqual([true, false]);
  });

  it("has nothing to do with other items, and refuses what is no stream", async () => {
    const id = await submitAndDie(5);
    const other = await recordOf(id, "1", { Keys: { pk: { S: "queues" }, sk: { S: "repair" } } });
    const removed = { ...(await recordOf(id, "2", { NewImage: undefined })), eventName: "REMOVE" };
    expect(await call("item-changed", { Records: [other, removed] })).toEqual({ batchItemFailures: [] });
    expect(await isPending(id)).toBe(true);
    await expect(call("item-changed", { Records: [{ eventName: "MODIFY" }] })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });
  });

  it("has the end of a job told, once", async () => {
    const receiver = await startReceiver();
    const world = open({
      REELMILL_WEBHOOK_SECRETS: `whsec_${Buffer.alloc(24, 7).toString("base64")}`,
      REELMILL_WEBHOOK_PRIVATE_NETWORKS: "true",
    });
    const { job } = await world.service.submit({
      pipeline: "repair",
      params: { inputs: ["uploads/a.mp4"] },
      webhook: { url: receiver.url, format: "standard" },
    });
    await world.service.cancel(job.id);
    const Records = [await recordOf(job.id, "7")];
    for (let time = 0; time < 2; time++)
      expect(await call("item-changed", { Records }, world)).toEqual({ batchItemFailures: [] });
    expect(receiver.received).toHaveLength(1);
    await receiver.stop();
  });
});

describe("sweep", () => {
  it("moves on what is stale, rings for what waits unheard, and forgets what is old once an hour", async () => {
    const world = open();
    const id = await submitAndDie(5);
    const ended = await world.service.submit({ pipeline: "repair", params: { inputs: ["uploads/b.mp4"] } });
    await world.service.cancel(ended.job.id);
    clock.advance(10_000);
    await call("sweep", { reason: "time" }, world);
    expect([await isPending(id), await world.parts.store.get(ended.job.id)]).toMatchObject([
      false,
      { status: "cancelled" },
    ]);
    await sqs.send(new PurgeQueueCommand({ QueueUrl: queueUrl }));
    clock.advance(90 * 24 * 3600_000);
    await call("sweep", { reason: "time" }, world);
    expect(lines.join("")).toContain("Tasks waited of which no worker had been told.");
    expect(await world.parts.store.get(ended.job.id)).toBeUndefined();
    const turns: unknown[] = [];
    for await (const item of queryItems(table, { pk: "turns" })) turns.push(item["atMs"]);
    clock.advance(1000);
    await call("sweep", { reason: "time" }, world);
    expect(turns).toEqual([clock.nowMs() - 1000]);
    for await (const item of queryItems(table, { pk: "turns" })) expect(item["atMs"]).toBe(turns[0]);
  });

  it("tells how many dead letters there are, where that is asked for", async () => {
    const told: object[] = [];
    const metrics = { measure: () => undefined, observe: (values: object) => told.push(values) };
    const world = { ...open(), telemetry: { metrics, tracer: undefined, flush: async () => undefined } };
    const { store, queue } = world.parts;
    const { job } = await world.service.submit({ pipeline: "repair", params: { inputs: ["uploads/d.mp4"] } });
    await call("sweep", { reason: "time" }, world);
    const lease = { owner: "w", leaseMs: 60_000 };
    const taken = await store.takeNamed({ jobId: job.id, stage: "plan", index: 0 }, lease, () => undefined);
    if (taken === undefined) throw new Error("The task was not due.");
    await queue.bury(taken.message, { code: "INTERNAL", message: "broken" });
    await call("sweep", { reason: "time" }, world);
    expect(told).toEqual([{ DeadLetters: 0 }, { DeadLetters: 1 }]);
  });

  it("records what a container of AWS Batch could not that was killed", async () => {
    const world = open();
    const begun = {
      status: "PROCESSING",
      outputCodec: "vp9",
      bucket: bucket.name,
      inputKey: "uploads/j1/input.mp4",
    } as const;
    await world.parts.records.record("j1", begun);
    await world.parts.records.record("j2", begun);
    await world.parts.records.record("j2", { status: "FAILED", errorMessage: "its own words" });
    for (const value of ["j1", "j2", "j3"]) {
      const container = {
        image: "x",
        environment: [{ name: "JOB_ID", value }],
        exitCode: 137,
        reason: "OutOfMemoryError",
      };
      const detail = {
        jobName: "convert",
        jobId: "4c7599ae",
        status: "FAILED",
        statusReason: "Host terminated",
        container,
      };
      const event = {
        version: "0",
        id: "c8f9c4b5",
        "detail-type": "Batch Job State Change",
        source: "aws.batch",
        detail,
      };
      await call("sweep", event, world);
    }
    // A container that was started for a job of the table.
    const { job } = await world.service.submit({ pipeline: "repair", params: { inputs: ["uploads/c.mp4"] } });
    const lost = {
      jobId: "4c7599ae",
      status: "FAILED",
      statusReason: "Host terminated",
      container: { command: ["worker", "--job", job.id] },
    };
    for (let times = 0; times < 2; times++) await call("sweep", { source: "aws.batch", detail: lost }, world);
    expect(await world.parts.store.get(job.id)).toMatchObject({
      status: "failed",
      error: { code: "WORKER_LOST", message: "AWS Batch gave the job up: Host terminated" },
    });
    const read = async (id: string) => (await world.parts.records.get(id))?.errorMessage;
    expect(await read("j1")).toBe("AWS Batch gave the job up: Host terminated");
    expect([await read("j2"), await read("j3")]).toEqual(["its own words", undefined]);
    await expect(call("sweep", { reason: "whim" }, world)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });
});

it("is not begun for a Reelmill of one machine", () => {
  expect(() => open({ REELMILL_BACKEND: "local" })).toThrow("REELMILL_BACKEND");
});
