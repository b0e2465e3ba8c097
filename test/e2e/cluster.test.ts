import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteBucketCommand } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createSqsClient } from "../../src/adapters/aws/bell.ts";
import { clientSettings } from "../../src/adapters/aws/connection.ts";
import {
  type AwsUnderTest,
  environmentOf,
  makeBucket,
  makeTable,
  type StorageUnderTest,
  startStorage,
  startTables,
  uniqueName,
} from "../support/aws.ts";
import { writeSteadyFfmpeg } from "../support/steady-ffmpeg.ts";
import { createJobsClient } from "./jobs.fixture.ts";
import { makeRecordings, type Recordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";
import { startWorker, type WorkerCommand } from "./worker-command.fixture.ts";
import { reelmill } from "./workplace.fixture.ts";

/*
 * A server that does no work itself and workers that have no server, each a process with a folder of its own, on a bucket, a table and queues.
 */

const SECONDS = 20;
/** Each costs the start of a machine, and up to a lease. */
const KILLS = process.env["REELMILL_TEST_EVERY_WRITE"] === "1" ? 20 : 5;
/** Two servers and a worker share the cores. */
const LONG_MS = 300_000;
const KEYS = { AWS_ACCESS_KEY_ID: "test-key-id", AWS_SECRET_ACCESS_KEY: "test-s3cret" };

interface ClusterJob {
  readonly id: string;
  readonly status: string;
  readonly stage: string;
  readonly error: object | null;
  readonly tasks: { readonly total: number; readonly succeeded: number };
}

interface ClusterEvent {
  readonly type: string;
  readonly data: { readonly stage?: string; readonly index?: number };
}

let folder: string;
let clip: string;
let files: Recordings;
let storage: StorageUnderTest;
let tables: AwsUnderTest;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let sqs: SQSClient;
let queueUrl: string;
let topic: { readonly arn: string; readonly hear: () => Promise<unknown>; readonly close: () => void };
let agent: Server;
let told: string[];
let server: RunningServer;
let workers: WorkerCommand[] = [];
let machines = 0;

const jobs = createJobsClient<ClusterJob>(() => server);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-cluster-"));
  files = makeRecordings(join(folder, "made"));
  clip = join(folder, "clip.mp4");
  const inputs = `-f lavfi -i testsrc2=s=192x108:r=10:d=${SECONDS} -f lavfi -i sine=d=${SECONDS}`.split(" ");
  execFileSync("ffmpeg", ["-v", "error", ...inputs, ..."-c:v libx264 -preset ultrafast -c:a aac".split(" "), clip]);
  [storage, tables] = await Promise.all([startStorage(), startTables()]);
  [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  sqs = createSqsClient(storage.queues);
  // A slip of a worker that was killed comes again soon.
  const Attributes = { VisibilityTimeout: "9" };
  queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: uniqueName(), Attributes }))).QueueUrl ?? "";
  topic = await openTopic();
  told = [];
  agent = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    told.push(body);
    response.end(JSON.stringify({ protection: JSON.parse(body) }));
  });
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  server = await startServer(folder, await findFreePort(), { ...place(), REELMILL_MAX_WORKERS: "0" }, null);
});

afterEach(async () => {
  const ending = workers.map((worker) => {
    worker.process.kill("SIGTERM");
    return worker.ended();
  });
  workers = [];
  for (const { status } of await Promise.all(ending)) expect([0, null]).toContain(status);
});

afterAll(async () => {
  expect(await server.stop()).toBe(0);
  for (const secret of Object.values(KEYS)) expect(server.errors()).not.toContain(secret);
  agent.closeAllConnections();
  await new Promise((resolve) => agent.close(resolve));
  sqs.destroy();
  topic.close();
  await bucket.remove();
  await table.remove();
  await storage.stop();
  await tables.stop();
  rmSync(folder, { recursive: true });
});

/** What every machine is told; conversions ring, the others are looked for. */
function place(): Readonly<Record<string, string>> {
  return {
    ...KEYS,
    ...environmentOf({ storage, tables, bucket, table }),
    REELMILL_SQS_ENDPOINT: storage.queues.endpoint ?? "",
    REELMILL_LEASE_SECONDS: "5",
    SQS_QUEUE_URLS: JSON.stringify({ convert: queueUrl }),
    REELMILL_SNS_ENDPOINT: storage.topics.endpoint ?? "",
    SNS_TOPIC_ARN: topic.arn,
  };
}

/** A topic, and what hears the next of its news. */
async function openTopic(): Promise<typeof topic> {
  const sns = new SNSClient(clientSettings(storage.topics));
  const subscriber = createSqsClient(storage.subscribers);
  const QueueUrl = (await subscriber.send(new CreateQueueCommand({ QueueName: uniqueName() }))).QueueUrl ?? "";
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] });
  const Endpoint = (await subscriber.send(asked)).Attributes?.["QueueArn"];
  const arn = (await sns.send(new CreateTopicCommand({ Name: uniqueName() }))).TopicArn ?? "";
  const RawMessageDelivery = "true";
  await sns.send(
    new SubscribeCommand({ TopicArn: arn, Protocol: "sqs", Endpoint, Attributes: { RawMessageDelivery } }),
  );
  sns.destroy();
  const hear = async (): Promise<unknown> => {
    const { Messages = [] } = await subscriber.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    return JSON.parse(Messages[0]?.Body ?? "null");
  };
  return { arn, hear, close: () => subscriber.destroy() };
}

function addMachine(environment: Readonly<Record<string, string>> = {}): WorkerCommand {
  machines += 1;
  const worker = startWorker({ ...place(), REELMILL_DATA: join(folder, `machine-${machines}`), ...environment });
  workers.push(worker);
  return worker;
}

/** Messages of the queue in SQS, received ones included. */
async function slips(): Promise<number> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const asked = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] });
  const { Attributes } = await sqs.send(asked);
  return names.reduce((sum, name) => sum + Number(Attributes?.[name]), 0);
}

type Client = typeof jobs;

/** Runs a job of each pipeline, all at once. */
async function runAll(client: Client): Promise<readonly ClusterJob[]> {
  const inputs = { "damaged.mp4": files.damaged, "reference.mp4": files.reference, "clip.mp4": clip };
  for (const [name, path] of Object.entries(inputs)) await client.put(`uploads/${name}`, readFileSync(path));
  const all = await Promise.all([
    client.run("repair", { inputs: ["uploads/damaged.mp4"], references: ["uploads/reference.mp4"] }),
    client.run("convert", { input: "uploads/clip.mp4", to: "h264", reencode: true }),
    client.run("hls", { input: "uploads/clip.mp4" }),
  ]);
  expect(all).toMatchObject(all.map(() => ({ status: "succeeded", error: null })));
  return all;
}

/** The SHA-256 of each output of each job, by its name below the job's own. */
async function outputsOf(
  client: Client,
  all: readonly ClusterJob[],
): Promise<readonly Readonly<Record<string, string>>[]> {
  return await Promise.all(
    all.map(async ({ id }) => {
      const prefix = `outputs/${id}/`;
      const contents: Record<string, string> = {};
      for (const key of await client.listKeys(prefix)) {
        contents[key.slice(prefix.length)] = createHash("sha256")
          .update(await client.bytes(key))
          .digest("hex");
      }
      return contents;
    }),
  );
}

it(
  "runs each pipeline on other machines than the server, with the very output of one machine",
  async () => {
    const steady = { REELMILL_FFMPEG: writeSteadyFfmpeg(folder) };
    const ECS_AGENT_URI = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/api`;
    const worker = addMachine({ ...steady, ECS_AGENT_URI });
    const all = await runAll(jobs);
    const here = await startServer(join(folder, "here"), await findFreePort(), steady, null);
    try {
      const local = createJobsClient<ClusterJob>(() => here);
      const expected = await outputsOf(local, await runAll(local));
      expect(expected.map((job) => Object.keys(job).length > 0)).toEqual([true, true, true]);
      expect(await outputsOf(jobs, all)).toEqual(expected);
    } finally {
      await here.stop();
    }
    await expect.poll(slips).toBe(0);
    // What the worker logged is shown by the server, which logged none of it.
    const shown = (): Promise<{ readonly lines: readonly object[] }> => jobs.get(`jobs/${all[0]?.id}/logs`);
    await expect.poll(async () => JSON.stringify(await shown()), { timeout: 20_000 }).toContain("finish is done");
    // Protected from the first task on, and not any more.
    await expect.poll(() => told.at(-1)).toBe('{"ProtectionEnabled":false}');
    expect(told[0]).toBe('{"ProtectionEnabled":true,"ExpiresInMinutes":60}');
    expect(worker.lines().filter(({ level }) => level === "error")).toEqual([]);
    for (const secret of Object.values(KEYS)) expect(JSON.stringify(worker.lines())).not.toContain(secret);
  },
  LONG_MS,
);

it(
  "loses nothing of a machine that is ended or killed in the middle of its work",
  async () => {
    await jobs.put("uploads/clip.mp4", readFileSync(clip));
    const first = addMachine();
    const { id } = await jobs.submit("convert", { input: "uploads/clip.mp4", to: "vp9" });
    // The plan, and two spans at once.
    await first.said(/ begins$/, 3);
    first.process.kill("SIGTERM");
    expect((await first.ended()).status).toBe(0);
    expect(await jobs.get<ClusterJob>(`jobs/${id}`)).toMatchObject({ status: "running", stage: "work" });
    const second = addMachine({ TASK_QUEUES: "convert" });
    await second.said(/ begins$/, 2);
    second.process.kill("SIGKILL");
    await second.ended();
    addMachine();
    const job = await jobs.ended(id);
    expect(job).toMatchObject({ status: "succeeded", error: null });
    // One that is let go of while another worker is at its task rests for a minute.
    await expect.poll(slips, { timeout: LONG_MS / 2 }).toBe(0);
    // Whoever did what twice, nothing counted twice.
    const { events } = await jobs.get<{ readonly events: readonly ClusterEvent[] }>(`jobs/${id}/events`);
    const ends = events
      .filter(({ type }) => type.startsWith("job.") || type === "task.succeeded")
      .map(({ type, data: { stage = "", index = "" } }) => `${type} ${stage} ${index}`);
    expect(ends).toEqual([...new Set(ends)]);
    const counted = (type: string): number => ends.filter((one) => one.startsWith(`${type} `)).length;
    expect(["job.started", "job.stage", "job.succeeded"].map(counted)).toEqual([1, 2, 1]);
    expect(counted("task.succeeded")).toBe(job.tasks.total);
  },
  LONG_MS,
);

it(
  "ends every job once, however often machines are killed",
  async () => {
    await jobs.put("uploads/killed/damaged.mp4", readFileSync(files.damaged));
    await jobs.put("uploads/killed/reference.mp4", readFileSync(files.reference));
    const params = { inputs: ["uploads/killed/damaged.mp4"], references: ["uploads/killed/reference.mp4"] };
    const pauses = fc.sample(fc.integer({ min: 0, max: 1500 }), KILLS).values();
    const ids: string[] = [];
    const submit = async (): Promise<void> => void ids.push((await jobs.submit("repair", params)).id);
    const isOver = async (id: string): Promise<boolean> =>
      !["queued", "running"].includes((await jobs.get<ClusterJob>(`jobs/${id}`)).status);
    for (const pauseMs of pauses) {
      const machine = addMachine();
      await submit();
      // What it begins with is drawn by lot, and where in it the machine falls.
      await machine.said(/ begins$/, 1);
      await delay(pauseMs);
      machine.process.kill("SIGKILL");
      await machine.ended();
      if (await isOver(ids.at(-1) ?? "")) await submit();
    }
    addMachine();
    for (const id of ids) expect(await jobs.ended(id)).toMatchObject({ status: "succeeded", error: null });
    const countEnds = async (id: string): Promise<number> => {
      const { events } = await jobs.get<{ readonly events: readonly ClusterEvent[] }>(`jobs/${id}/events`);
      return events.filter(({ type }) => type === "job.succeeded").length;
    };
    // What a machine that was killed left to be told is told by another one, some seconds later.
    for (const id of ids) await expect.poll(() => countEnds(id)).toBeGreaterThan(0);
    expect(await Promise.all(ids.map(countEnds))).toEqual(ids.map(() => 1));
    const outputs = await outputsOf(jobs, await Promise.all(ids.map((id) => jobs.get<ClusterJob>(`jobs/${id}`))));
    expect(new Set(outputs.map((made) => JSON.stringify(Object.values(made)))).size).toBe(1);
    expect(outputs.map((made) => Object.keys(made).length)).toEqual(ids.map(() => 1));
  },
  LONG_MS,
);

it("works at one job alone in a container that is started for it, and at no other", async () => {
  await jobs.put("uploads/damaged.mp4", readFileSync(files.damaged));
  await jobs.put("uploads/reference.mp4", readFileSync(files.reference));
  const params = { inputs: ["uploads/damaged.mp4"], references: ["uploads/reference.mp4"] };
  const [other, own] = [await jobs.submit("repair", params), await jobs.submit("repair", params)];
  const container = startWorker({ ...place(), REELMILL_DATA: join(folder, "container") }, ["--job", own.id]);
  const { status, output } = await container.ended();
  expect(status).toBe(0);
  expect(JSON.parse(output)).toMatchObject({ id: own.id, status: "succeeded" });
  // News of what ended before come first.
  await expect.poll(topic.hear).toMatchObject({ job_id: own.id, status: "COMPLETED", success_count: 1 });
  expect(await jobs.get<ClusterJob>(`jobs/${other.id}`)).toMatchObject({ status: "queued" });
  const nothing = startWorker({ ...place(), REELMILL_DATA: join(folder, "container") }, ["--job", "none"]);
  expect([(await nothing.ended()).status, nothing.lines().at(-1)]).toMatchObject([
    1,
    { error: { code: "JOB_NOT_FOUND" } },
  ]);
});

it("makes what machines share, once, and never on AWS itself", async () => {
  const [name, queue] = [uniqueName(), uniqueName()];
  const SQS_QUEUE_URLS = JSON.stringify({ hls: new URL(`/000000000000/${queue}`, storage.queues.endpoint) });
  const environment = { ...place(), S3_BUCKET: name, DYNAMODB_TABLE: name, SQS_QUEUE_URLS };
  const init = (more: object = {}) =>
    reelmill(["cluster", "init", "--json"], { environment: { ...environment, ...more } });
  for (const isNew of [true, false]) {
    const { status, output, error } = await init();
    expect([status, error]).toEqual([0, ""]);
    const kinds = ["bucket", "table", "queue"].map((kind) => ({ kind, isNew }));
    expect(JSON.parse(output)).toMatchObject({ schema: 1, stores: kinds });
  }
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
  expect(QueueUrl).toContain(queue);
  expect(await init({ REELMILL_S3_ENDPOINT: "" })).toMatchObject({ status: 2 });
  const refusal = expect.stringMatching(/SQS_QUEUE_URLS names "mend", .* repair, convert, hls/);
  expect(await init({ SQS_QUEUE_URLS: '{"mend":"http://127.0.0.1:9/1/q"}' })).toMatchObject({
    status: 2,
    error: refusal,
  });
  await bucket.client.send(new DeleteBucketCommand({ Bucket: name }));
});

it("says what is wrong with its environment, and begins nothing", async () => {
  const say = async (environment: Readonly<Record<string, string>>): Promise<unknown> => {
    const worker = startWorker({ ...place(), REELMILL_DATA: join(folder, "wrong"), ...environment });
    const { status } = await worker.ended();
    const { error, message } = worker.lines().at(-1) as {
      readonly error: { readonly code: string };
      readonly message: string;
    };
    return [status, error.code, message];
  };
  expect(await say({ S3_BUCKET: "", DYNAMODB_TABLE: "?" })).toEqual([
    2,
    "CONFIG_INVALID",
    expect.stringMatching(/^S3_BUCKET is not set; .* DYNAMODB_TABLE is "\?", but must be /),
  ]);
  // What is mistyped is named before any store is asked.
  const mistyped = { TASK_QUEUES: "convert,mend", REELMILL_DYNAMODB_ENDPOINT: "http://127.0.0.1:9" };
  expect(await say(mistyped)).toEqual([2, "CONFIG_INVALID", expect.stringContaining("mend")]);
  const SQS_QUEUE_URLS = '{"foo":"http://127.0.0.1:9/1/q"}';
  const noQueue = expect.stringMatching(/^SQS_QUEUE_URLS names "foo", but must be .* repair, convert, hls\.$/);
  expect(await say({ ...mistyped, TASK_QUEUES: "", SQS_QUEUE_URLS })).toEqual([2, "CONFIG_INVALID", noQueue]);
  const environment = { ...place(), ...mistyped, REELMILL_DATA: join(folder, "wrong"), REELMILL_PORT: "0" };
  const up = await reelmill(["up"], { environment });
  expect(up).toMatchObject({ status: 2, error: expect.stringContaining('TASK_QUEUES names "mend"') });
  expect(await say({ REELMILL_MAX_WORKERS: "0" })).toEqual([2, "CONFIG_INVALID", expect.stringContaining('"0"')]);
  expect(await say({ REELMILL_BACKEND: "local" })).toEqual([2, "CONFIG_INVALID", expect.stringContaining("local")]);
  expect(await say({ DYNAMODB_TABLE: "no-such-table" })).toEqual([
    1,
    "STORE_REFUSED",
    expect.stringContaining("table no-such-table"),
  ]);
  expect(await say({ S3_BUCKET: "no-such-bucket" })).toEqual([
    1,
    "STORE_REFUSED",
    expect.stringContaining("bucket no-such-bucket"),
  ]);
});
