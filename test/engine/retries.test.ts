import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../src/base/errors.ts";
import { retryDelayMs } from "../../src/jobs/retry-policy.ts";
import { runTask } from "../../src/jobs/run-task.ts";
import { defineParts, prepareEngine, submitParts as submit } from "./engine.fixture.ts";

const { start } = prepareEngine();

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const end = (): void => reject(new Error("aborted"));
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
  });

/** Fails so often, then goes on. */
function failing(times: number): (params: unknown, part: string) => Promise<string> {
  let left = times;
  return async (_params, part) => {
    if (left-- > 0) throw new ReelmillError("STORE_UNAVAILABLE", "not now");
    return part.toUpperCase();
  };
}

describe("a transient error", () => {
  it("is tried again after 2 s, then after 4 s", async () => {
    const engine = await start(defineParts({ work: failing(2) }));
    const { id } = await submit(engine, "a");
    for (const waitMs of [2000, 4000]) {
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "running", tasks: { succeeded: 0, failed: 0 } });
      engine.clock.advance(waitMs - 1);
      expect(await engine.take()).toBeUndefined();
      engine.clock.advance(1);
    }
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", result: ["A"] });
    expect(await engine.store.getTask({ jobId: id, stage: "work", index: 0 })).toMatchObject({
      attempt: 3,
      failures: 2,
    });
  });

  it("is final after three attempts, and leaves a dead letter", async () => {
    const engine = await start(defineParts({ work: failing(3) }));
    const { id } = await submit(engine, "a");
    for (let attempt = 0; attempt < 3; attempt++) {
      await engine.drain();
      engine.clock.advance(4000);
    }
    expect(await engine.store.get(id)).toMatchObject({ status: "failed", error: { code: "STORE_UNAVAILABLE" } });
    const [letter] = await engine.queue.listDead({ limit: 9 });
    expect(letter).toMatchObject({
      ref: { jobId: id, stage: "work", index: 0 },
      reason: { code: "STORE_UNAVAILABLE" },
    });
    await engine.service.replayDeadLetter(letter?.id ?? 0);
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", attempt: 2 });
    expect(await engine.queue.listDead({ limit: 9 })).toEqual([]);
  });

  it("waits up to half as long by chance", () => {
    expect([1, 2, 3].map((failures) => retryDelayMs(failures, () => 0))).toEqual([2000, 4000, 8000]);
    expect(retryDelayMs(1, () => 1)).toBe(1000);
  });
});

describe("a task that takes too long", () => {
  it("is ended and tried again", async () => {
    let isSlow = true;
    const work = async (_params: unknown, part: string, { signal }: { readonly signal: AbortSignal }) =>
      isSlow ? await aborted(signal) : part;
    const engine = await start(defineParts({ work, taskTimeoutMs: 20 }));
    const { id } = await submit(engine, "a");
    await engine.drain();
    const task = await engine.store.getTask({ jobId: id, stage: "work", index: 0 });
    expect(task).toMatchObject({ status: "queued", failures: 1, error: { code: "TASK_TIMEOUT" } });
    isSlow = false;
    engine.clock.advance(2000);
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded" });
  });
});

describe("a worker that is to stop", () => {
  it("puts its task back, which counts neither as a failure nor as a loss, and keeps its checkpoint", async () => {
    const controllers: AbortController[] = [];
    const seen: unknown[] = [];
    const engine = await start(
      defineParts({
        work: async (_params, part, { signal, checkpoint, saveCheckpoint }) => {
          seen.push(checkpoint);
          if (seen.length > 4) return part;
          await saveCheckpoint(seen.length);
          controllers.at(-1)?.abort();
          return await aborted(signal);
        },
      }),
    );
    const { id } = await submit(engine, "a");
    for (let round = 0; round < 5; round++) {
      const controller = new AbortController();
      controllers.push(controller);
      await engine.drain("w1", controller.signal);
    }
    expect(seen).toEqual([null, 1, 2, 3, 4]);
    const task = await engine.store.getTask({ jobId: id, stage: "work", index: 0 });
    expect(task).toMatchObject({ status: "succeeded", failures: 0, attempt: 5 });
  });

  it("does not begin what it has taken", async () => {
    let runs = 0;
    const engine = await start(defineParts({ plan: async () => Array(runs++).fill({ label: "", input: "" }) }));
    const { id } = await submit(engine, "a");
    const taken = await engine.take();
    if (taken === undefined) throw new Error("no task");
    expect(await runTask(engine.engine, taken, { from: engine.from(), signal: AbortSignal.abort() })).toBeUndefined();
    expect(runs).toBe(0);
    expect(await engine.store.get(id)).toMatchObject({ status: "running" });
    expect((await engine.take())?.lostWorkers).toBe(0);
  });
});

describe("a worker that is lost", () => {
  it("leaves its task to another one once the lease is out; its late outcome is refused", async () => {
    let resume: (part: string) => void = () => undefined;
    let runs = 0;
    const work = (_params: unknown, part: string): Promise<string> =>
      runs++ > 0 ? Promise.resolve("second") : new Promise((resolve) => (resume = () => resolve(part)));
    const engine = await start(defineParts({ work }));
    const { id } = await submit(engine, "a");
    const late = engine.drain("w1");
    while (runs === 0) await delay(1);
    // The first worker's heart beats by real time and finds out by itself; here it is too late even so.
    engine.clock.advance(15_000);
    await engine.drain("w2");
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", result: ["second"] });
    expect(engine.lines.filter((line) => line.includes("begins again: its worker ended"))).toHaveLength(1);
    resume("first");
    await late;
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", result: ["second"] });
    expect(engine.lines.some((line) => line.includes("too late") || line.includes("given up"))).toBe(true);
    expect((await engine.store.listEvents({ jobId: id, afterSeq: 0, limit: 99 })).map(({ type }) => type)).toContain(
      "task.lost",
    );
  });

  it("does not go on by a checkpoint that comes too late", async () => {
    let resume: () => void = () => undefined;
    const runs: string[] = [];
    const engine = await start(
      defineParts({
        work: async (_params, part, { saveCheckpoint }) => {
          runs.push("begun");
          if (runs.length > 1) return part;
          await new Promise<void>((resolve) => (resume = resolve));
          await saveCheckpoint(1);
          runs.push("published");
          return part;
        },
      }),
    );
    const { id } = await submit(engine, "a");
    const late = engine.drain("w1");
    while (runs.length === 0) await delay(1);
    engine.clock.advance(15_000);
    await engine.drain("w2");
    resume();
    await late;
    expect(runs).toEqual(["begun", "begun"]);
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", result: ["a"] });
  });

  it("is the task's fault after three in a row: dead letter, replay, success", async () => {
    const engine = await start();
    const { id } = await submit(engine, "a", "b");
    const plan = await engine.take();
    if (plan === undefined) throw new Error("no task");
    let taken = await runTask(engine.engine, plan, { from: engine.from(), signal: new AbortController().signal });
    for (let lost = 0; lost < 3; lost++) {
      expect(taken).toMatchObject({ lostWorkers: lost, task: { stage: "work", index: 0 } });
      await engine.queue.releaseOwner("w1");
      taken = lost < 2 ? await engine.take() : undefined;
    }
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "partial", result: [null, "B"] });
    expect(engine.lines.filter((line) => line.includes("was given up"))).toHaveLength(1);
    const [letter, ...others] = await engine.queue.listDead({ limit: 9 });
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ ref: { jobId: id, index: 0 }, reason: { code: "WORKER_LOST" } });
    await engine.service.replayDeadLetter(letter?.id ?? 0);
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", result: ["A", "B"] });
    await expect(engine.service.replayDeadLetter(letter?.id ?? 0)).rejects.toMatchObject({
      code: "DEAD_LETTER_NOT_FOUND",
    });
  });

  it("fails a job that cannot go on without its task; its replay brings back what was cancelled with it", async () => {
    const engine = await start(defineParts({ onTaskFailure: "fail-job" }));
    const { id } = await submit(engine, "a", "b", "c");
    const plan = await engine.take();
    if (plan === undefined) throw new Error("no task");
    await runTask(engine.engine, plan, { from: engine.from(), signal: new AbortController().signal });
    for (let lost = 0; lost < 3; lost++) {
      await engine.queue.releaseOwner("w1");
      if (lost < 2) await engine.take();
    }
    await engine.drain();
    expect(await engine.store.get(id)).toMatchObject({ status: "failed", error: { code: "WORKER_LOST" } });
    const [letter] = await engine.queue.listDead({ limit: 9 });
    await engine.service.replayDeadLetter(letter?.id ?? 0);
    await engine.drain();
    const tasks = { total: 3, succeeded: 3, failed: 0 };
    expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", tasks, attempt: 2 });
  });
});
