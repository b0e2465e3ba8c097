import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openBatchRecords } from "../../src/adapters/local/batch-records.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { BatchRecord } from "../../src/jobs/batch-records.ts";
import { CLIP_PICTURES, countPictures, makeClip } from "./batch-clip.fixture.ts";
import { startBatchWorker, type WorkerCommand } from "./worker-command.fixture.ts";

const TABLE = "codec-converter-jobs-dev";

const root = mkdtempSync(join(tmpdir(), "reelmill-batch-"));
const clip = join(root, "192x108.mp4");
let count = 0;
let data: string;
let bucket: string;
let jobId: string;

beforeAll(() => void makeClip(root, "192x108"), 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeEach(() => {
  count += 1;
  jobId = `550e8400-e29b-41d4-a716-${String(count).padStart(12, "0")}`;
  data = join(root, String(count));
  bucket = join(data, "buckets", "codec-converter-dev");
  mkdirSync(join(bucket, "uploads", jobId), { recursive: true });
  copyFileSync(clip, join(bucket, "uploads", jobId, "input.mp4"));
});

function start(environment: Readonly<Record<string, string>> = {}): WorkerCommand {
  return startBatchWorker({
    ...{ REELMILL_DATA: data, S3_BUCKET: "codec-converter-dev", DYNAMODB_TABLE: TABLE, AWS_REGION: "ap-northeast-1" },
    ...{ JOB_ID: jobId, OUTPUT_CODEC: "vp9", ...environment },
  });
}

async function readRecord(): Promise<BatchRecord | undefined> {
  const records = openBatchRecords(join(data, "tables", `${TABLE}.db`), "normal", systemClock);
  const record = await records.get(jobId);
  records.close();
  return record;
}

/** Whatever lies below the bucket besides what was put there, and what is kept to go on with. */
function leftovers(): readonly string[] {
  const files = readdirSync(bucket, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const kept = join(data, "batch", TABLE, "codec-converter-dev");
  return [...files.map(({ name }) => name), ...(existsSync(kept) ? readdirSync(kept) : [])]
    .filter((name) => name !== "input.mp4")
    .toSorted();
}

/** Tasks that a worker finished, by what they are called. */
function doneTasks(worker: WorkerCommand): readonly string[] {
  return worker
    .lines()
    .map(({ message }) => String(message))
    .filter((message) => message.endsWith(" is done"));
}

describe("reelmill worker --once", () => {
  it("converts the recording, keeps the record, says so, and does nothing a second time", async () => {
    const beforeMs = Date.now();
    const worker = start({ OUTPUT_CODEC: "h264" });
    const { status, output } = await worker.ended();
    expect([status, worker.lines().filter(({ level }) => level === "error")]).toEqual([0, []]);
    for (const line of worker.lines()) expect(line["job_id"]).toBe(jobId);
    const record = await readRecord();
    const keys = { inputKey: `uploads/${jobId}/input.mp4`, outputKey: `outputs/${jobId}/output.mp4` };
    expect(record).toMatchObject({ status: "COMPLETED", outputCodec: "h264", ...keys, errorMessage: null });
    expect(record?.startedAtMs).toBeGreaterThanOrEqual(beforeMs);
    expect(record?.finishedAtMs).toBeGreaterThan(record?.startedAtMs ?? 0);
    expect(JSON.parse(output)).toEqual(record);
    expect(countPictures(join(bucket, keys.outputKey))).toBe(CLIP_PICTURES);
    expect(leftovers()).toEqual(["output.mp4"]);

    rmSync(join(bucket, "uploads"), { recursive: true });
    const again = start({ OUTPUT_CODEC: "h264" });
    expect((await again.ended()).status).toBe(0);
    expect(doneTasks(again)).toEqual([]);
    expect(await readRecord()).toEqual(record);
    const other = start({ OUTPUT_CODEC: "vp9" });
    expect((await other.ended()).status).toBe(1);
    expect(other.lines().at(-1)).toMatchObject({ error: { code: "JOB_STATE" } });
    expect(await readRecord()).toEqual(record);
  }, 120_000);

  it("goes on where it was killed", async () => {
    const killed = start();
    // Two at a time: where a third begins, one is recorded.
    await killed.said(/^pictures .* begins$/, 3);
    killed.process.kill("SIGKILL");
    await killed.ended();
    expect(await readRecord()).toMatchObject({ status: "PROCESSING", finishedAtMs: null });
    const before = doneTasks(killed);
    const next = start();
    expect((await next.ended()).status).toBe(0);
    const after = doneTasks(next);
    expect(after).toContain("finish is done");
    expect(before.length).toBeGreaterThan(1);
    expect(after).not.toContain("plan is done");
    // The other one may have been cut off between its end and the record of that.
    expect(after.filter((task) => before.includes(task)).length).toBeLessThan(before.length - 1);
    expect(await readRecord()).toMatchObject({ status: "COMPLETED", outputKey: `outputs/${jobId}/output.webm` });
    expect(countPictures(join(bucket, "outputs", jobId, "output.webm"))).toBe(CLIP_PICTURES);
    expect(leftovers()).toEqual(["output.webm"]);
  }, 180_000);

  it("ends cleanly when it is told to, is FAILED then, and goes on when it is run again", async () => {
    const stopped = start();
    await stopped.said(/^pictures .* is done$/);
    stopped.process.kill("SIGTERM");
    expect((await stopped.ended()).status).toBe(143);
    expect(await readRecord()).toMatchObject({ status: "FAILED", errorMessage: expect.stringContaining("SIGTERM") });
    expect(leftovers()).not.toContain("output.webm");
    const next = start();
    expect((await next.ended()).status).toBe(0);
    expect(doneTasks(next).filter((task) => doneTasks(stopped).includes(task))).toEqual([]);
    expect(await readRecord()).toMatchObject({ status: "COMPLETED", errorMessage: null });
  }, 180_000);

  it("records why a job failed, and converts another recording that takes its place", async () => {
    const input = join(bucket, "uploads", jobId, "input.mp4");
    writeFileSync(input, "no recording");
    const worker = start();
    expect((await worker.ended()).status).toBe(1);
    const record = await readRecord();
    expect(record).toMatchObject({ status: "FAILED", errorMessage: expect.stringContaining("(INPUT_NOT_VIDEO)") });
    expect(record?.errorMessage).toContain(`uploads/${jobId}/input.mp4`);
    expect(record?.errorMessage).not.toContain(root);
    expect(worker.lines().at(-1)).toMatchObject({ job_id: jobId, level: "error", error: { code: "INPUT_NOT_VIDEO" } });
    expect(leftovers()).toEqual([]);
    copyFileSync(clip, input);
    expect((await start({ OUTPUT_CODEC: "h264" }).ended()).status).toBe(0);
    expect(await readRecord()).toMatchObject({ status: "COMPLETED", outputCodec: "h264" });
  }, 120_000);

  it("is FAILED where there is no recording", async () => {
    rmSync(join(bucket, "uploads"), { recursive: true });
    expect((await start().ended()).status).toBe(1);
    expect(await readRecord()).toMatchObject({ errorMessage: expect.stringContaining("(OBJECT_NOT_FOUND)") });
  }, 60_000);

  it("leaves a job to the worker that has it", async () => {
    // The first is to be at it until the second has come up.
    copyFileSync(makeClip(root, "320x180"), join(bucket, "uploads", jobId, "input.mp4"));
    const first = start();
    await first.said(/^plan is done$/);
    const second = start();
    expect((await second.ended()).status).toBe(1);
    expect(second.lines().at(-1)).toMatchObject({ error: { code: "JOB_STATE" } });
    expect((await first.ended()).status).toBe(0);
    expect(await readRecord()).toMatchObject({ status: "COMPLETED" });
  }, 120_000);

  it("begins nothing where it cannot record that, and ends with a failure", async () => {
    mkdirSync(join(data, "tables", `${TABLE}.db`), { recursive: true });
    const worker = start();
    expect((await worker.ended()).status).toBe(1);
    expect(worker.lines().at(-1)).toMatchObject({ job_id: jobId, error: { code: "STORE_UNAVAILABLE" } });
    expect(doneTasks(worker)).toEqual([]);
    expect(leftovers().filter((name) => name.startsWith("output"))).toEqual([]);
  }, 60_000);

  it.each([
    [{ JOB_ID: "../../outside" }, "CONFIG_INVALID", "JOB_ID", "?", 2],
    [{ OUTPUT_CODEC: "hevc" }, "CONFIG_INVALID", "h264, vp9 or av1", "?", 2],
    [{ S3_BUCKET: "" }, "CONFIG_INVALID", "S3_BUCKET is not set", "?", 2],
    [{ S3_BUCKET: "codec-converter-dew" }, "CONFIG_INVALID", "codec-converter-dew", undefined, 2],
  ])("refuses %j before anything is done", async (environment, code, told, id, wanted) => {
    const worker = start(environment as Readonly<Record<string, string>>);
    const { status, output } = await worker.ended();
    expect([status, output]).toEqual([wanted, ""]);
    const [line] = worker.lines();
    expect(line).toMatchObject({ job_id: id ?? jobId, level: "error", error: { code } });
    expect(JSON.stringify(line?.["error"])).toContain(told);
    expect(readdirSync(data)).toEqual(["buckets"]);
    expect(readdirSync(join(data, "buckets"))).toEqual(["codec-converter-dev"]);
  });
});
