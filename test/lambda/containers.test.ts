import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientSettings } from "../../src/adapters/aws/connection.ts";
import { runAgainst } from "../../src/apps/cli/remote/canned-server.fixture.ts";
import { openWorld, type World } from "../../src/apps/lambda/open.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { makeRecordings, type Recordings } from "../e2e/recordings.fixture.ts";
import { startWorker } from "../e2e/worker-command.fixture.ts";
import {
  type AwsUnderTest,
  environmentOf,
  makeBucket,
  makeTable,
  startStorage,
  startTables,
  temporaryFolder,
} from "../support/aws.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { type FakeBatch, startFakeBatch } from "./batch.fixture.ts";
import { API_HEADERS, askFunction, callFunction, changeOf } from "./events.fixture.ts";

/*
 * Jobs that nobody works at but containers: what the functions ask AWS Batch for, and what becomes of the jobs. The stream and the events are as AWS
 * documents them, and told by hand: the emulators have none.
 */

const KEY = "k".repeat(32);
const HOUR_MS = 3600_000;
const SOME_MINUTES_MS = 6 * 60_000;

let tables: AwsUnderTest;
let storage: AwsUnderTest;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let recordings: Recordings;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let wire: DynamoDBClient;
let batch: FakeBatch;
let clock: FakeClock;
let lines: string[];
let worlds: World[];

beforeAll(async () => {
  [tables, storage, folder] = await Promise.all([startTables(), startStorage(), temporaryFolder()]);
  recordings = makeRecordings(join(folder.path, "recordings"));
  wire = new DynamoDBClient(clientSettings(tables.place));
});

afterAll(async () => {
  wire.destroy();
  await tables.stop();
  await storage.stop();
  await folder.remove();
});

beforeEach(async () => {
  [bucket, table, batch] = await Promise.all([makeBucket(storage.place), makeTable(tables.place), startFakeBatch()]);
  clock = createFakeClock();
  [lines, worlds] = [[], []];
});

afterEach(async () => {
  for (const { parts } of worlds) parts.close();
  await batch.stop();
  await bucket.remove();
  await table.remove();
});

/** What functions and containers are told alike. */
function place(): Readonly<Record<string, string>> {
  return {
    PATH: process.env["PATH"] ?? "",
    LOG_FORMAT: "json",
    ...environmentOf({ storage, tables, bucket, table }),
  };
}

function open(at: Clock = clock, more: Readonly<Record<string, string>> = {}): World {
  const environment = {
    ...place(),
    REELMILL_DATA: join(folder.path, "functions"),
    REELMILL_API_KEY_SHA256: createHash("sha256").update(KEY).digest("hex"),
    REELMILL_BATCH_ENDPOINT: batch.endpoint,
    BATCH_JOB_QUEUE: "reelmill",
    BATCH_JOB_DEFINITION_REPAIR: "repair:3",
    BATCH_JOB_DEFINITION_CONVERT: "convert:4",
    SQS_QUEUE_URLS: JSON.stringify({ hls: "http://127.0.0.1:9/hls" }),
    REELMILL_SQS_ENDPOINT: "http://127.0.0.1:9",
    ...more,
  };
  const world = openWorld(environment, at, (line) => lines.push(line));
  worlds.push(world);
  return world;
}

async function put(world: World, key: string, bytes: Buffer): Promise<void> {
  await world.parts.objects.put(
    key,
    (async function* once() {
      yield bytes;
    })(),
  );
}

async function post(world: World, path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const headers = { ...API_HEADERS, "x-api-key": KEY, "content-type": "application/json" };
  const answer = await askFunction(world, "POST", path, { headers, body: JSON.stringify(body) });
  return { statusCode: answer.statusCode, ...JSON.parse(answer.body.toString()) };
}

/** Tells what the stream does once a job's item has come to what it is; in this order. */
async function tellChanges(world: World, ...jobIds: readonly string[]): Promise<unknown> {
  const records = jobIds.map((jobId, index) => changeOf(wire, table.name, jobId, String(index + 1)));
  return await callFunction("item-changed", { Records: await Promise.all(records) }, world);
}

const DONE = { batchItemFailures: [] };
const REPAIR = { pipeline: "repair", params: { inputs: ["uploads/a.mp4"] } } as const;

async function submit(world: World): Promise<string> {
  return (await world.service.submit(REPAIR)).job.id;
}

/** What API Gateway does: a request comes to the function as an event. */
async function startGateway(world: World): Promise<{ readonly address: string; stop(): Promise<unknown> }> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const { method = "", url = "", headers } = request;
    const body = { body: Buffer.concat(pieces).toString("base64"), isBase64Encoded: true };
    const answer = await askFunction(world, method, url, { headers, ...body });
    response.writeHead(answer.statusCode, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

it("runs a job from `submit` to its end, by the very command that AWS Batch is asked to run", async () => {
  const world = open(systemClock);
  const gateway = await startGateway(world);
  const words = ["submit", "repair", recordings.damaged, "-r", recordings.reference];
  const submitted = await runAgainst(gateway, words, { environment: { REELMILL_API_KEY: KEY } });
  await gateway.stop();
  const id = submitted.output.trim();
  expect([submitted.exitCode, await tellChanges(world, id)]).toEqual([0, DONE]);
  const [asked] = batch.asked;
  expect(batch.asked).toEqual([
    {
      jobName: `repair-${id}`,
      jobQueue: "reelmill",
      jobDefinition: "repair:3",
      containerOverrides: {
        command: ["worker", "--job", id],
        resourceRequirements: [
          { type: "VCPU", value: "1" },
          { type: "MEMORY", value: "2048" },
        ],
        environment: [{ name: "REELMILL_MAX_WORKERS", value: "1" }],
      },
    },
  ]);
  const run = async () => {
    const keys = { AWS_ACCESS_KEY_ID: "test-key-id", AWS_SECRET_ACCESS_KEY: "test-s3cret" };
    const [, ...args] = asked?.containerOverrides.command ?? [];
    const environment = { ...place(), ...keys, REELMILL_DATA: join(folder.path, "container") };
    return await startWorker(environment, args).ended();
  };
  const { status, output } = await run();
  expect([status, JSON.parse(output)]).toMatchObject([0, { id, status: "succeeded", attempt: 1 }]);
  const told = await askFunction(world, "GET", `/v1/jobs/${id}`, { headers: { ...API_HEADERS, "x-api-key": KEY } });
  expect(JSON.parse(told.body.toString())).toMatchObject({ status: "succeeded", tasks: { succeeded: 1 } });
  // One that comes too late, or twice, finds nothing to do.
  expect(await tellChanges(world, id)).toEqual(DONE);
  expect(batch.asked).toHaveLength(1);
  expect(await run()).toEqual({ status, output });
}, 120_000);

describe("item-changed", () => {
  it("asks for one container for each start of a job, however often and by how many it is told", async () => {
    const [world, other] = [open(), open()];
    const { job } = await world.service.submit({
      pipeline: "convert",
      params: { input: "uploads/a.mp4", to: "vp9" },
    });
    const tell = () => Promise.all([tellChanges(world, job.id, job.id), tellChanges(other, job.id)]);
    expect(await tell()).toEqual([DONE, DONE]);
    expect(await tellChanges(world, job.id)).toEqual(DONE);
    const command = ["worker", "--job", job.id];
    const named = { jobName: `convert-${job.id}`, jobQueue: "reelmill", jobDefinition: "convert:4" };
    expect(batch.asked).toEqual([{ ...named, containerOverrides: { command } }]);
    await world.service.cancel(job.id);
    expect(await tellChanges(world, job.id)).toEqual(DONE);
    expect(batch.asked).toHaveLength(1);
    await world.service.retry(job.id);
    expect(await tell()).toEqual([DONE, DONE]);
    const replay = await world.service.replay(job.id);
    expect(await tellChanges(world, replay.id)).toEqual(DONE);
    expect(batch.asked.map(({ jobName }) => jobName)).toEqual([
      `convert-${job.id}`,
      `convert-${job.id}`,
      `convert-${replay.id}`,
    ]);
  });

  it("asks for none where somebody else works at the jobs, or nobody is to", async () => {
    const world = open();
    const hls = await world.service.submit({ pipeline: "hls", params: { input: "uploads/a.mp4" } });
    const paused = await submit(world);
    await world.parts.queue.setPaused("repair", true);
    expect(await tellChanges(world, hls.job.id, paused)).toEqual(DONE);
    const elsewhere = open(clock, { SQS_QUEUE_URLS: JSON.stringify({ repair: "http://127.0.0.1:9/repair" }) });
    await world.parts.queue.setPaused("repair", false);
    expect(await tellChanges(elsewhere, paused)).toEqual(DONE);
    expect(batch.asked).toEqual([]);
    expect(await tellChanges(world, paused)).toEqual(DONE);
    expect(batch.asked).toHaveLength(1);
  });

  it("gives back what AWS Batch refuses, and the others get theirs", async () => {
    const world = open();
    const [refused, taken] = [await submit(world), await submit(world)];
    batch.refused.add(`repair-${refused}`);
    expect(await tellChanges(world, refused, taken)).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(batch.asked.map(({ jobName }) => jobName)).toEqual([`repair-${taken}`]);
    expect(lines.join("")).toContain(`The job ${refused} got no container.`);
    batch.refused.clear();
    expect(await tellChanges(world, refused, taken)).toEqual(DONE);
    expect(batch.asked.map(({ jobName }) => jobName)).toEqual([`repair-${taken}`, `repair-${refused}`]);
  });

  it("leaves the one container of a batch to whoever is first, of the size that its submission was told", async () => {
    const BATCH_JOB_DEFINITIONS_REPAIR = '{"60":"repair-60:1","200":"repair-200:1"}';
    const world = open(clock, { BATCH_JOB_DEFINITIONS_REPAIR });
    await put(world, "uploads/day/broken.mp4", Buffer.from("no recording"));
    const wanted = { input_prefix: "day", vcpu: 2, memory_mb: 6000, storage_gb: 61 };
    const answer = await post(world, "/submit-batch", wanted);
    expect(answer).toMatchObject({
      statusCode: 202,
      batch_job_id: "container-1",
      resources: { memory_mb: 6144, storage_gb: 61 },
    });
    const [job] = (await world.parts.store.list({ limit: 2 })).jobs;
    const id = String(job?.id);
    expect(await tellChanges(world, id)).toEqual(DONE);
    expect(batch.asked).toHaveLength(1);
    await world.service.cancel(id);
    await world.service.retry(id);
    expect(await tellChanges(world, id)).toEqual(DONE);
    expect(batch.asked[1]).toEqual(batch.asked[0]);
    expect(batch.asked[1]).toMatchObject({
      jobName: answer["job_id"],
      jobDefinition: "repair-200:1",
      containerOverrides: { resourceRequirements: [{ value: "2" }, { value: "6144" }] },
    });
  });
});

describe("sweep", () => {
  const sweep = (world: World, event: object = { reason: "time" }) => callFunction("sweep", event, world);
  /** The queue of hls is away here, which the sweep tells at its end. */
  const quiet = () => open(clock, { SQS_QUEUE_URLS: "{}" });
  const failed = (jobId: string, containerId: string) => ({
    source: "aws.batch",
    detail: {
      jobId: containerId,
      status: "FAILED",
      statusReason: "Host terminated",
      container: { command: ["worker", "--job", jobId] },
    },
  });

  it("asks for containers that nobody asked for, once something had to be heard of the job", async () => {
    const world = quiet();
    const [refused, id] = [await submit(world), await submit(world)];
    await sweep(world);
    expect(batch.asked).toEqual([]);
    batch.refused.add(`repair-${refused}`);
    clock.advance(SOME_MINUTES_MS);
    await expect(sweep(world)).rejects.toMatchObject({ code: "STORE_REFUSED" });
    expect(batch.asked.map(({ jobName }) => jobName)).toEqual([`repair-${id}`]);
    batch.refused.clear();
    await sweep(world);
    // Both wait for their place now, which may take its time.
    clock.advance(HOUR_MS);
    await sweep(world);
    expect(batch.asked.map(({ jobName }) => jobName)).toEqual([`repair-${id}`, `repair-${refused}`]);
    expect(lines.join("")).toContain("Jobs waited for which no container had been asked.");
  });

  it("overtakes one who died between asking and noting the answer", async () => {
    const world = quiet();
    const id = await submit(world);
    await tellChanges(world, id);
    // What is noted before asking.
    const { PutItemCommand } = await import("@aws-sdk/client-dynamodb");
    const askedAtMs = { N: String(clock.nowMs()) };
    const Item = { pk: { S: `job#${id}` }, sk: { S: "container" }, attempt: { N: "1" }, nonce: { S: "x" }, askedAtMs };
    await wire.send(new PutItemCommand({ TableName: table.name, Item }));
    clock.advance(SOME_MINUTES_MS);
    await sweep(world);
    expect(batch.asked).toHaveLength(2);
  });

  it("ends a job whose container is gone, whether AWS Batch tells or is asked, and no later start of it", async () => {
    const world = quiet();
    const [told, asked, unknown] = [await submit(world), await submit(world), await submit(world)];
    for (const id of [told, asked, unknown]) await tellChanges(world, id);
    await sweep(world, failed(told, "container-9"));
    expect(await world.parts.store.get(told)).toMatchObject({ status: "queued" });
    await sweep(world, failed(told, "container-1"));
    batch.statuses.set("container-2", "FAILED");
    batch.statuses.delete("container-3");
    clock.advance(SOME_MINUTES_MS);
    await sweep(world);
    for (const id of [told, asked, unknown]) {
      expect(await world.parts.store.get(id)).toMatchObject({ status: "failed", error: { code: "WORKER_LOST" } });
    }
    await world.service.retry(told);
    await sweep(world, failed(told, "container-1"));
    expect(await world.parts.store.get(told)).toMatchObject({ status: "queued", attempt: 2 });
    expect(await tellChanges(world, told)).toEqual(DONE);
    expect(batch.asked).toHaveLength(4);
  });
});
