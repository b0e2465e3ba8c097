import { execFileSync } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StateMachine, type StateMachineDefinition } from "aws-local-stepfunctions";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { defineStateMachine } from "../../src/adapters/aws/state-machine.ts";
import { createTaskQueue } from "../../src/adapters/aws/task-queue.ts";
import { runState } from "../../src/apps/lambda/run-state.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import type { Json } from "../../src/base/json.ts";
import type { Logger } from "../../src/base/log.ts";
import type { Job } from "../../src/jobs/job.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { createPipelineRegistry, type Pipeline } from "../../src/jobs/pipeline.ts";
import type { Engine } from "../../src/jobs/run-task.ts";
import { createJobService, type JobService } from "../../src/jobs/service.ts";
import { convertPipeline } from "../../src/pipelines/convert/pipeline.ts";
import { hlsPipeline } from "../../src/pipelines/hls/pipeline.ts";
import { repairPipeline } from "../../src/pipelines/repair/pipeline.ts";
import { makeRecordings } from "../e2e/recordings.fixture.ts";
import { defineParts } from "../engine/engine.fixture.ts";
import {
  type AwsUnderTest,
  makeBucket,
  makeTable,
  startStorage,
  startTables,
  temporaryFolder,
} from "../support/aws.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";

let tables: AwsUnderTest;
let table: Awaited<ReturnType<typeof makeTable>>;
let clock: FakeClock;
/** The states that were entered, over all executions. */
let entered: string[];

beforeAll(async () => {
  tables = await startTables();
});

afterAll(() => tables.stop());

beforeEach(async () => {
  table = await makeTable(tables.place);
  clock = createFakeClock();
  entered = [];
});

afterEach(() => table.remove());

const none = (): void => undefined;
const log: Logger = { debug: none, info: none, warn: none, error: none, child: () => log };
const FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:reelmill-state";
const STATES = ["Plan", "WorkAtTask", "Finish", "RecordFailure"] as const;

/** A pipeline whose jobs are led by its state machine. */
interface Led {
  readonly service: JobService;
  readonly store: Engine["store"];
  /** Asks what a state asks. */
  readonly run: (input: Json) => Promise<Json>;
  /** Leads a job from its first state to its last; rejects where the execution fails. */
  readonly execute: (jobId: string) => Promise<unknown>;
}

/** `crashes` are invocations, counted over all, that end as where a function is killed: nobody hears of what was done. */
function lead(
  pipeline: Pipeline,
  objects = {} as ObjectStore,
  crashes: readonly number[] = [],
  create = async () => "/none",
): Led {
  const store = createJobStore(table, clock);
  const pipelines = createPipelineRegistry([pipeline]);
  const workFolders = { create, remove: async () => undefined };
  const environment = { PATH: process.env["PATH"] };
  const engine = { store, objects, pipelines, workFolders, log, clock, environment, random: () => 0 };
  const definition = defineStateMachine(pipeline, { functionArn: FUNCTION });
  const machine = new StateMachine(definition as unknown as StateMachineDefinition);
  const invoke = async (state: string, input: Json): Promise<Json> => {
    entered.push(state);
    if (crashes.includes(entered.length)) throw Object.assign(new Error("killed"), { name: "Lambda.Unknown" });
    // As long as the longest interval between two tries of a task.
    clock.advance(4000);
    const options = { engine, leaseMs: 15 * 60_000, signal: new AbortController().signal };
    return (await runState(input, options)) as unknown as Json;
  };
  const handlers = STATES.map((state) => [state, (input: Json) => invoke(state, input)] as const);
  return {
    store,
    run: (input) => invoke("direct", input),
    service: createJobService({ store, queue: createTaskQueue(table, clock), pipelines, clock, onWork: none }),
    execute: async (jobId) => {
      const overrides = {
        taskResourceLocalHandlers: Object.fromEntries(handlers) as never,
        retryIntervalOverrides: Object.fromEntries(STATES.map((state) => [state, 5])),
      };
      return await machine.run({ jobId }, { overrides }).result;
    },
  };
}

async function submit({ service }: Led, parts: readonly string[]): Promise<string> {
  return (await service.submit({ pipeline: "parts", params: { parts } })).job.id;
}

function count(state: string): number {
  return entered.filter((name) => name === state).length;
}

async function eventsOf({ store }: Led, jobId: string): Promise<readonly string[]> {
  return (await store.listEvents({ jobId, afterSeq: 0, limit: 500 })).map(({ type }) => type);
}

/** A part that fails so many times, and then works. */
function failing(times: number, code: "STORE_UNAVAILABLE" | "INPUT_EMPTY"): Pipeline {
  let failures = 0;
  return defineParts({
    work: async (_params, part) => {
      if (part === "bad" && failures++ < times) throw new ReelmillError(code, `${part} ${failures}`);
      return part.toUpperCase();
    },
  });
}

it("tells a task that is not there yet from one that never will be", async () => {
  const { store, service, run } = lead(defineParts());
  const { job } = await service.submit({ pipeline: "parts", params: { parts: ["a"] } });
  const work = (index: number) => run({ jobId: job.id, stage: "work", index });
  await expect(work(0)).rejects.toMatchObject({ name: "TASK_BUSY" });
  await run({ jobId: job.id, stage: "plan", index: 0 });
  await expect(run({ jobId: job.id, stage: "finish", index: 0 })).rejects.toMatchObject({ name: "TASK_BUSY" });
  await expect(work(1)).rejects.toMatchObject({ name: "REQUEST_INVALID" });
  expect((await store.get(job.id))?.stage).toBe("work");
});

describe("an execution", () => {
  it("leads a job through its stages", async () => {
    const led = lead(defineParts());
    const jobId = await submit(led, ["a", "b", "c"]);
    expect(await led.execute(jobId)).toEqual({ jobId, status: "succeeded" });
    expect(await led.store.get(jobId)).toMatchObject({ status: "succeeded", result: ["A", "B", "C"] });
    expect(entered.sort()).toEqual(["Finish", "Plan", ...Array(3).fill("WorkAtTask")]);
  });

  it("ends a job that is planned to need no work", async () => {
    const led = lead(defineParts());
    const jobId = await submit(led, []);
    expect(await led.execute(jobId)).toEqual({ jobId, status: "succeeded" });
    expect(entered).toEqual(["Plan", "Finish"]);
  });

  it("comes back for a task that fails twice for a while", async () => {
    const led = lead(failing(2, "STORE_UNAVAILABLE"));
    const jobId = await submit(led, ["a", "bad"]);
    expect(await led.execute(jobId)).toEqual({ jobId, status: "succeeded" });
    expect(await led.store.get(jobId)).toMatchObject({ status: "succeeded", result: ["A", "BAD"] });
    expect(count("WorkAtTask")).toBe(4);
  });

  it("gives a task up after three transient failures, and one that fails for good at once; the others go on", async () => {
    const transient = lead(failing(9, "STORE_UNAVAILABLE"));
    const first = await submit(transient, ["a", "bad"]);
    expect(await transient.execute(first)).toEqual({ jobId: first, status: "partial" });
    expect(count("WorkAtTask")).toBe(4);
    entered = [];
    const permanent = lead(failing(9, "INPUT_EMPTY"));
    const second = await submit(permanent, ["a", "bad"]);
    expect(await permanent.execute(second)).toEqual({ jobId: second, status: "partial" });
    expect(count("WorkAtTask")).toBe(2);
    expect(await permanent.store.get(second)).toMatchObject({ result: ["A", null], error: { code: "INPUT_EMPTY" } });
  });

  it("fails with a job whose one failure fails it, and tries nothing of that again", async () => {
    const led = lead({ ...failing(9, "INPUT_EMPTY"), onTaskFailure: "fail-job" });
    const jobId = await submit(led, ["bad"]);
    await expect(led.execute(jobId)).rejects.toMatchObject({ cause: { name: "JobFailed" } });
    expect(await led.store.get(jobId)).toMatchObject({ status: "failed", error: { code: "INPUT_EMPTY" } });
    expect(entered).toEqual(["Plan", "WorkAtTask", "RecordFailure"]);
  });

  it("records as failed what it gives up itself", async () => {
    const led = lead(defineParts(), undefined, [2, 3, 4, 5]);
    const jobId = await submit(led, ["a"]);
    await expect(led.execute(jobId)).rejects.toMatchObject({ cause: { name: "Lambda.Unknown" } });
    expect(entered).toEqual(["Plan", ...Array(4).fill("WorkAtTask"), "RecordFailure"]);
    const error = { code: "INTERNAL", message: "The state machine gave the job up (Lambda.Unknown): killed" };
    expect(await led.store.get(jobId)).toMatchObject({ status: "failed", error });
    expect(await eventsOf(led, jobId)).toContain("job.failed");
  });

  it("joins once, however often it is started for one job", async () => {
    const ran: string[] = [];
    const led = lead(
      defineParts({
        work: async (_params, part) => {
          ran.push(part);
          return part.toUpperCase();
        },
        finish: async (_params, results) => {
          ran.push("finish");
          return results.length;
        },
      }),
    );
    const jobId = await submit(led, ["a", "b", "c"]);
    const ends = await Promise.all([led.execute(jobId), led.execute(jobId)]);
    expect(ends).toEqual(Array(2).fill({ jobId, status: "succeeded" }));
    expect(await led.execute(jobId)).toEqual({ jobId, status: "succeeded" });
    expect(ran.sort()).toEqual(["a", "b", "c", "finish"]);
    expect((await eventsOf(led, jobId)).filter((type) => type === "job.succeeded")).toHaveLength(1);
  });

  it("goes to its end where a user has cancelled the job", async () => {
    const led = lead(defineParts());
    const jobId = await submit(led, ["a"]);
    await led.service.cancel(jobId);
    expect(await led.execute(jobId)).toEqual({ jobId, status: "cancelled" });
  });

  it("refuses what is no job's", async () => {
    const led = lead(defineParts());
    await expect(led.execute("../x")).rejects.toMatchObject({ cause: { name: "REQUEST_INVALID" } });
    const unknown = "01990000-0000-7000-8000-000000000000";
    await expect(led.execute(unknown)).rejects.toMatchObject({ cause: { name: "JOB_NOT_FOUND" } });
  });
});

it("repairs recordings in a bucket", async () => {
  const [storage, folder] = [await startStorage(), await temporaryFolder()];
  const bucket = await makeBucket(storage.place);
  try {
    const objects = createS3ObjectStore({ bucket, workFolder: join(folder.path, "lent") });
    const made = makeRecordings(join(folder.path, "made"));
    for (const name of ["damaged", "indexCut", "reference"] as const) {
      await objects.putFile(`uploads/${name}.mp4`, made[name]);
    }
    const led = lead(repairPipeline, objects);
    const inputs = ["uploads/damaged.mp4", "uploads/indexCut.mp4"];
    const params = { inputs, references: ["uploads/reference.mp4"], verify: "quick" };
    const { job } = await led.service.submit({ pipeline: "repair", params });
    expect(await led.execute(job.id)).toEqual({ jobId: job.id, status: "succeeded" });
    const ended: Job | undefined = await led.store.get(job.id);
    expect(ended?.result).toMatchObject({ summary: { repaired: 2, healthy: 0, failed: 0 } });
    const output = await objects.withLocalFile(`outputs/${job.id}/damaged.mp4`, (path) => readFile(path));
    expect(output.includes("moov")).toBe(true);
    expect(entered.sort()).toEqual(["Finish", "Plan", "WorkAtTask", "WorkAtTask"]);
  } finally {
    await bucket.remove();
    await storage.stop();
    await folder.remove();
  }
});

it.each([
  ["convert", convertPipeline, { to: "h264", reencode: true, preset: "ultrafast" }],
  ["hls", hlsPipeline, { preset: "ultrafast" }],
] as const)("works through a recording in a bucket: %s", async (_name, pipeline, params) => {
  const [storage, folder] = [await startStorage(), await temporaryFolder()];
  const bucket = await makeBucket(storage.place);
  try {
    const objects = createS3ObjectStore({ bucket, workFolder: join(folder.path, "lent") });
    const clip = join(folder.path, "clip.mp4");
    const sources = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2"];
    const codecs = ["-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...sources, ...codecs, clip]);
    await objects.putFile("uploads/clip.mp4", clip);
    const led = lead(pipeline, objects, [], () => mkdtemp(join(folder.path, "work-")));
    const { job } = await led.service.submit({
      pipeline: pipeline.name,
      params: { input: "uploads/clip.mp4", ...params },
    });
    expect(await led.execute(job.id)).toEqual({ jobId: job.id, status: "succeeded" });
    expect(count("WorkAtTask")).toBeGreaterThan(0);
    expect((await objects.list(`outputs/${job.id}/`, { limit: 10 })).length).toBeGreaterThan(0);
  } finally {
    await bucket.remove();
    await storage.stop();
    await folder.remove();
  }
});

it("retries thrice from two seconds on, and names every transient error and no other", () => {
  const definition = defineStateMachine(repairPipeline, { functionArn: FUNCTION });
  expect(definition).toMatchObject({
    States: {
      Plan: {
        Resource: FUNCTION,
        Retry: [{ IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2 }, { ErrorEquals: ["TASK_BUSY"] }],
      },
      Work: { Type: "Map", MaxConcurrency: repairPipeline.maxConcurrentTasks },
    },
  });
  const text = JSON.stringify(definition);
  for (const code of ["STORE_UNAVAILABLE", "TASK_TIMEOUT", "NO_SPACE"]) expect(text).toContain(code);
  for (const code of ["INPUT_EMPTY", "INTERNAL", "PARAMS_INVALID"]) expect(text).not.toContain(code);
});
