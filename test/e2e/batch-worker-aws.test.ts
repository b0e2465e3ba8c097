import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createBatchRecords } from "../../src/adapters/aws/batch-records.ts";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { firstItem, getItem } from "../../src/adapters/aws/table.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { BatchRecords } from "../../src/jobs/batch-records.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { type AwsUnderTest, environmentOf, makeBucket, makeTable, startStorage, startTables } from "../support/aws.ts";
import { CLIP_PICTURES, countPictures, makeClip } from "./batch-clip.fixture.ts";
import { startBatchWorker, type WorkerCommand } from "./worker-command.fixture.ts";

const JOB_ID = "550e8400-e29b-41d4-a716-446655440000";
const INPUT = `uploads/${JOB_ID}/input.mp4`;
const KEYS = { AWS_ACCESS_KEY_ID: "test-key-id", AWS_SECRET_ACCESS_KEY: "test-s3cret" };

let folder: string;
let clip: string;
let storage: AwsUnderTest;
let tables: AwsUnderTest;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let objects: ObjectStore;
let records: BatchRecords;
let containers = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-batch-aws-"));
  clip = makeClip(folder, "192x108");
  [storage, tables] = await Promise.all([startStorage(), startTables()]);
});

afterAll(async () => {
  await storage.stop();
  await tables.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  objects = createS3ObjectStore({ bucket, workFolder: join(folder, "lent") });
  records = createBatchRecords(table, systemClock);
  await objects.put(INPUT, createReadStream(clip));
});

afterEach(async () => {
  await bucket.remove();
  await table.remove();
});

/** Starts a worker as in a container of its own: nothing is there of those before. */
function start(environment: Readonly<Record<string, string>> = {}): WorkerCommand {
  containers += 1;
  return startBatchWorker({
    ...KEYS,
    ...environmentOf({ storage, tables, bucket, table }),
    REELMILL_DATA: join(folder, `container-${containers}`),
    // So long another one waits for a sign of life.
    REELMILL_LEASE_SECONDS: "5",
    ...{ JOB_ID, OUTPUT_CODEC: "vp9", ...environment },
  });
}

async function keys(): Promise<readonly string[]> {
  return (await objects.list("", { limit: 100 })).map(({ key }) => key);
}

async function countPicturesIn(key: string): Promise<number> {
  return await objects.withLocalFile(key, async (path) => countPictures(path));
}

it("converts a recording in a bucket, with the very bytes of a conversion on this machine, and leaves nothing else", async () => {
  const worker = start({ OUTPUT_CODEC: "h264" });
  const { status, output } = await worker.ended();
  expect([status, worker.lines().filter(({ level }) => level === "error")]).toEqual([0, []]);
  const record = await records.get(JOB_ID);
  const outputKey = `outputs/${JOB_ID}/output.mp4`;
  expect(record).toMatchObject({ status: "COMPLETED", bucket: bucket.name, inputKey: INPUT, outputKey });
  expect(JSON.parse(output)).toEqual(record);
  expect(await keys()).toEqual([outputKey, INPUT]);
  for (const pk of ["queues", "log", "sequence", `job#${JOB_ID}`]) {
    expect(await firstItem({ ...table, space: `batch#${JOB_ID}/` }, { pk })).toBeUndefined();
  }
  const local = join(folder, "local.mp4");
  const main = new URL("../../src/apps/cli/main.ts", import.meta.url).pathname;
  execFileSync(process.execPath, [main, "convert", clip, "--to", "h264", "-o", local], { stdio: "pipe" });
  const made = await objects.withLocalFile(outputKey, (path) => readFile(path));
  expect(made.equals(await readFile(local))).toBe(true);
  const said = JSON.stringify(worker.lines()) + output;
  for (const secret of Object.values(KEYS)) expect(said).not.toContain(secret);
});

it("goes on in another container where one was killed", async () => {
  const first = start();
  // The plan, two spans at once, and a third one once the end of one of those is recorded.
  await first.said(/ begins$/, 4);
  first.process.kill("SIGKILL");
  await first.ended();
  expect(await records.get(JOB_ID)).toMatchObject({ status: "PROCESSING" });
  const second = start();
  expect((await second.ended()).status).toBe(0);
  const messages = second.lines().map(({ message }) => message);
  expect(messages).toContain("The job goes on with what an earlier worker left.");
  const [kept] = first.lines().filter(({ message }) => / is done$/.test(String(message)) && message !== "plan is done");
  expect(messages).not.toContain(kept?.["message"]);
  const outputKey = `outputs/${JOB_ID}/output.webm`;
  expect(await records.get(JOB_ID)).toMatchObject({ status: "COMPLETED", outputKey });
  expect(await countPicturesIn(outputKey)).toBe(CLIP_PICTURES);
  expect(await keys()).toEqual([outputKey, INPUT]);
});

it("leaves a job alone that another worker has, and its record", async () => {
  // The first is to be at it until the second has come up.
  await objects.put(INPUT, createReadStream(makeClip(folder, "320x180")));
  const first = start();
  await first.said(/ begins$/, 1);
  const second = start();
  expect((await second.ended()).status).toBe(1);
  expect(second.lines().at(-1)).toMatchObject({
    job_id: JOB_ID,
    error: { code: "JOB_STATE", message: expect.stringContaining(`Another worker has the job ${JOB_ID}.`) },
  });
  expect((await first.ended()).status).toBe(0);
  expect(first.lines().map(({ message }) => message)).not.toContainEqual(expect.stringContaining("begins again"));
  expect(await records.get(JOB_ID)).toMatchObject({ status: "COMPLETED" });
  expect(await countPicturesIn(`outputs/${JOB_ID}/output.webm`)).toBe(CLIP_PICTURES);
});

it("ends without harm where it was frozen, and another worker beside it has its job meanwhile", async () => {
  const shared = { REELMILL_DATA: join(folder, "shared") };
  const first = start(shared);
  await first.said(/ begins$/, 3);
  first.process.kill("SIGSTOP");
  const second = start(shared);
  await second.said(/ goes on with what an earlier worker left/, 1);
  first.process.kill("SIGCONT");
  expect((await first.ended()).status).toBe(1);
  expect(first.lines().at(-1)).toMatchObject({ error: { code: "JOB_STATE" } });
  expect((await second.ended()).status).toBe(0);
  expect(await records.get(JOB_ID)).toMatchObject({ status: "COMPLETED" });
  expect(await readdir(join(folder, "shared", "work"))).toEqual([]);
});

it("ends, and holds no job, where it cannot begin", async () => {
  const telemetry = start({ OTEL_EXPORTER_OTLP_ENDPOINT: "nonsense" });
  expect((await telemetry.ended()).status).toBe(2);
  expect(await getItem(table, { pk: `batch#${JOB_ID}`, sk: "worker" })).toBeUndefined();
});

it("says what is missing: the recording, the bucket, the table", async () => {
  await objects.delete(INPUT);
  const without = start();
  expect((await without.ended()).status).toBe(1);
  expect(await records.get(JOB_ID)).toMatchObject({ status: "FAILED", errorMessage: expect.stringContaining(INPUT) });
  const nowhere = start({ DYNAMODB_TABLE: "no-such-table" });
  expect((await nowhere.ended()).status).toBe(1);
  expect(nowhere.lines().at(-1)).toMatchObject({ job_id: JOB_ID, error: { code: "STORE_REFUSED" } });
});
