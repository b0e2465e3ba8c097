import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../src/base/errors.ts";
import { runTask } from "../../src/jobs/run-task.ts";
import { defineParts, prepareEngine, submitParts as submit, type TestEngine } from "./engine.fixture.ts";

const { start, stop } = prepareEngine();

async function eventTypes({ store }: TestEngine, jobId: string): Promise<readonly string[]> {
  return (await store.listEvents({ jobId, afterSeq: 0, limit: 100 })).map(({ type }) => type);
}

const broken = (part: string) => async (_params: unknown, input: string) => {
  if (input === part) throw new ReelmillError("INPUT_EMPTY", `${input} is empty.`, { details: { bytes: 0 } });
  return input.toUpperCase();
};

describe("a job's outcome", () => {
  it("is success where every task succeeded", async () => {
    const engine = await start();
    const { id } = await submit(engine, "a", "b", "c");
    await engine.drain();
    const job = await engine.store.get(id);
    expect(job).toMatchObject({ status: "succeeded", progress: 1, result: ["A", "B", "C"], error: null, attempt: 1 });
    expect(job?.tasks).toEqual({ total: 3, succeeded: 3, failed: 0 });
    expect(await eventTypes(engine, id)).toEqual([
      ...["job.queued", "job.started", "job.stage"],
      ...["task.started", "task.succeeded", "task.started", "task.succeeded", "task.started", "task.succeeded"],
      ...["job.stage", "job.succeeded"],
    ]);
  });

  it("is success where there was nothing to do", async () => {
    const engine = await start();
    const { id } = await submit(engine);
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", progress: 1, result: [] });
  });

  it("is partial where the others went on, with the first failure as its error", async () => {
    const engine = await start(defineParts({ work: broken("b") }));
    const { id } = await submit(engine, "a", "b", "c");
    await engine.drain();
    const error = { code: "INPUT_EMPTY", message: "b is empty.", details: { bytes: 0 } };
    expect(await engine.store.get(id)).toMatchObject({ status: "partial", result: ["A", null, "C"], error });
    expect(await engine.store.getTask({ jobId: id, stage: "work", index: 1 })).toMatchObject({
      status: "failed",
      error,
    });
    expect(await engine.queue.listDead({ limit: 9 })).toEqual([]);
  });

  it("is failure where nothing came of it", async () => {
    const engine = await start(defineParts({ work: broken("a") }));
    const { id } = await submit(engine, "a");
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "failed", error: { code: "INPUT_EMPTY" } });
  });

  it("is failure at once where one task's failure is the job's, and the other tasks are cancelled", async () => {
    const engine = await start(defineParts({ onTaskFailure: "fail-job", work: broken("a") }));
    const { id } = await submit(engine, "a", "b");
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({
      status: "failed",
      stage: "work",
      error: { code: "INPUT_EMPTY" },
    });
    expect((await engine.store.listTasks(id, "work")).map(({ status }) => status)).toEqual(["failed", "cancelled"]);
    expect((await engine.queue.depths())[0]).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it("is failure where the pipeline is not there any more", async () => {
    const engine = await start();
    const { id } = await submit(engine, "a");
    const pipelines = {
      all: [],
      get: () => {
        throw new ReelmillError("PIPELINE_UNKNOWN", "gone");
      },
    };
    const taken = await engine.take();
    if (taken === undefined) throw new Error("no task");
    const signal = new AbortController().signal;
    await runTask({ ...engine.engine, pipelines }, taken, { from: engine.from(), signal });
    expect(await engine.store.get(id)).toMatchObject({ status: "failed", error: { code: "PIPELINE_UNKNOWN" } });
  });
});

describe("what a stage brings", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  it.each([
    ["nothing", undefined],
    ["a big integer", 1n],
    ["a function", () => 1],
    ["a circle", circular],
    ["more than can be kept", "x".repeat(17 * 1024 * 1024)],
  ])("fails the task for good where it is %s", async (_name, output) => {
    for (const stage of ["work", "finish"] as const) {
      const engine = await start(defineParts({ [stage]: async () => output }));
      const { id } = await submit(engine, "a");
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "failed", error: { code: "INTERNAL" } });
      await stop();
    }
  });

  it.each([
    ["no list", {}],
    ["no label", [{ input: "a" }]],
    ["an input that is not JSON", [{ label: "a", input: () => 1 }]],
    ["a weight of nothing", [{ label: "a", input: "a", weight: 0 }]],
    ["a weight that is no number", [{ label: "a", input: "a", weight: Number.NaN }]],
  ])("fails the job where the plan has %s", async (_name, tasks) => {
    const engine = await start(defineParts({ plan: async () => tasks as never }));
    const { id } = await submit(engine, "a");
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "failed", stage: "plan", error: { code: "INTERNAL" } });
  });

  it.each([
    ["text", "just text", "just text"],
    ["nothing", undefined, "undefined"],
    ["something without text", Object.create(null), "Something was thrown that has no text."],
    ["a long message", new ReelmillError("INPUT_EMPTY", "m".repeat(1e6)), "m".repeat(10_000)],
    ["details that are not JSON", new ReelmillError("INPUT_EMPTY", "m", { details: 1n as never }), "m"],
  ])("is its error where it throws %s", async (_name, thrown, message) => {
    const work = async () => {
      throw thrown;
    };
    const engine = await start(defineParts({ work }));
    const { id } = await submit(engine, "a");
    await engine.drain();
    const job = await engine.store.get(id);
    expect(job).toMatchObject({ status: "failed", error: { message } });
    expect(job?.error).not.toHaveProperty("details");
  });

  it("may be a plan of 100,000 tasks, each run once", async () => {
    const count = 100_000;
    const plan = async () => Array.from({ length: count }, (_, index) => ({ label: `${index}`, input: `${index}` }));
    const seen = new Set<string>();
    const work = async (_params: unknown, input: string) => seen.add(input).size;
    const engine = await start(defineParts({ plan, work, finish: async (_params, results) => results.length }));
    const { id } = await submit(engine, "a");
    const controller = new AbortController();
    let left = 2000;
    const first = await engine.take();
    if (first === undefined) throw new Error("no task");
    let taken = await runTask(engine.engine, first, { from: engine.from(), signal: controller.signal });
    while (taken !== undefined && left > 0) {
      left -= 1;
      taken = await runTask(engine.engine, taken, { from: engine.from(), signal: controller.signal });
    }
    expect(seen.size).toBe(2000);
    expect((await engine.store.get(id))?.tasks).toEqual({ total: count, succeeded: 2000, failed: 0 });
    await engine.service.cancel(id);
    const retried = await engine.service.retry(id);
    expect(retried.tasks).toEqual({ total: count, succeeded: 2000, failed: 0 });
    expect((await engine.queue.depths())[0]).toMatchObject({ waiting: count - 2000, inFlight: 0 });
  });
});

describe("an attempt's work folder", () => {
  it("is made once where it is asked for, and gone when the attempt ends, however it ends", async () => {
    const asked: string[] = [];
    const engine = await start(
      defineParts({
        work: async (_params, part, context) => {
          asked.push(await context.workFolder(), await context.workFolder());
          expect(engine.folders.size).toBe(1);
          if (part === "b") throw new Error("broken");
          return part;
        },
      }),
    );
    const { id } = await submit(engine, "a", "b");
    await engine.drain();
    expect(new Set(asked)).toEqual(new Set([`/${id}/work/0/1`, `/${id}/work/1/1`]));
    expect(engine.folders.size).toBe(0);
  });
});
