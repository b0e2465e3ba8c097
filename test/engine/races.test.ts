import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../src/base/errors.ts";
import { createUuid } from "../../src/base/ids.ts";
import { isEnded, type Job } from "../../src/jobs/job.ts";
import type { TakenTask } from "../../src/jobs/ports.ts";
import { runTask } from "../../src/jobs/run-task.ts";
import { defineParts, openEngine, type TestEngine } from "./engine.fixture.ts";

async function using(engine: TestEngine, use: (engine: TestEngine) => Promise<void>): Promise<void> {
  try {
    await use(engine);
  } finally {
    await engine.close();
  }
}

async function submit({ service }: TestEngine, parts: readonly string[], priority = 0): Promise<Job> {
  return (await service.submit({ pipeline: "parts", params: { parts }, priority })).job;
}

const LIVE = new AbortController().signal;

describe("a user and the engine at once", () => {
  it("cancels a queued job, which then never runs", async () => {
    await using(await openEngine(), async (engine) => {
      const { id } = await submit(engine, ["a"]);
      await engine.service.cancel(id);
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "cancelled", startedAtMs: null, stage: "plan" });
      await expect(engine.service.cancel(id)).rejects.toMatchObject({ code: "JOB_STATE" });
    });
  });

  it("cancels a running job: its work is aborted, its outcome dropped, its retry keeps what succeeded", async () => {
    let isFirst = true;
    const ran: string[] = [];
    const pipeline = defineParts({
      work: async (_params, part, { signal, jobId }) => {
        ran.push(part);
        if (part === "b" && isFirst) {
          isFirst = false;
          await opened.service.cancel(jobId);
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          throw new Error("aborted");
        }
        return part.toUpperCase();
      },
    });
    const opened = await openEngine(pipeline);
    await using(opened, async (engine) => {
      const { id } = await submit(engine, ["a", "b", "c"]);
      await engine.drain();
      const tasks = { total: 3, succeeded: 1, failed: 0 };
      expect(await engine.store.get(id)).toMatchObject({ status: "cancelled", tasks, result: null });
      await engine.service.retry(id);
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", attempt: 2, result: ["A", "B", "C"] });
      expect(ran).toEqual(["a", "b", "b", "c"]);
    });
  });

  it("lets the first of cancel and completion win", async () => {
    const pipeline = defineParts({
      finish: async (_params, _results, { jobId }) => {
        await opened.service.cancel(jobId);
        return "finished";
      },
    });
    const opened = await openEngine(pipeline);
    await using(opened, async (engine) => {
      const { id } = await submit(engine, ["a"]);
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "cancelled", result: null });
      const types = (await engine.store.listEvents({ jobId: id, afterSeq: 0, limit: 99 })).map(({ type }) => type);
      expect(types).not.toContain("job.succeeded");
    });
  });

  it("retries a failed end alone, and a failed plan", async () => {
    const broken = new Set(["plan", "finish"]);
    const runs: string[] = [];
    const breakOnce = (stage: string): void => {
      runs.push(stage);
      if (broken.delete(stage)) throw new ReelmillError("INPUT_EMPTY", stage);
    };
    const pipeline = defineParts({
      plan: async () => {
        breakOnce("plan");
        return [{ label: "a", input: "a" }];
      },
      work: async (_params, part) => {
        breakOnce("work");
        return part;
      },
      finish: async () => {
        breakOnce("finish");
        return "end";
      },
    });
    await using(await openEngine(pipeline), async (engine) => {
      const { id } = await submit(engine, []);
      for (const stage of ["plan", "finish"]) {
        await engine.drain();
        expect(await engine.store.get(id)).toMatchObject({ status: "failed", stage, error: { message: stage } });
        await engine.service.retry(id);
      }
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", attempt: 3, result: "end" });
      expect(runs).toEqual(["plan", "plan", "work", "finish", "finish"]);
      await expect(engine.service.retry(id)).rejects.toMatchObject({ code: "JOB_STATE" });
    });
  });

  it("does not run a failed end before the work that a retry reopens", async () => {
    let isBroken = true;
    const breaking = (): void => {
      if (isBroken) throw new ReelmillError("INPUT_EMPTY", "broken");
    };
    const pipeline = defineParts({
      work: async (_params, part) => {
        if (part === "a") breaking();
        return part;
      },
      finish: async (_params, results) => {
        breaking();
        return results.map(({ status }) => status);
      },
    });
    await using(await openEngine(pipeline), async (engine) => {
      const { id } = await submit(engine, ["a", "b"]);
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "failed", stage: "finish" });
      isBroken = false;
      await engine.service.retry(id);
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "succeeded", result: ["succeeded", "succeeded"] });
    });
  });

  it("works a retried task once, though its first message outlived the job's end", async () => {
    let isBroken = true;
    const pipeline = defineParts({
      work: async (_params, part) => {
        if (isBroken) throw new ReelmillError("INPUT_EMPTY", "broken");
        return part;
      },
    });
    await using(await openEngine(pipeline), async (engine) => {
      const { id } = await submit(engine, ["a"]);
      const takeNone = { from: { ...engine.from("w1"), queues: [] }, signal: LIVE };
      const plan = await engine.take("w1");
      if (plan !== undefined) await runTask(engine.engine, plan, takeNone);
      const work = await engine.take("w1");
      if (work === undefined) throw new Error("no task");
      // Thought gone, its message goes back, not due for a while by a clock that is set back; then it tells its outcome after all.
      await engine.queue.releaseOwner("w1");
      engine.clock.jump(-60_000);
      await runTask(engine.engine, work, takeNone);
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "failed" });
      isBroken = false;
      await engine.service.retry(id);
      expect(await engine.queue.countWaiting(["parts"], 9)).toBe(1);
      await engine.drain();
      expect(await engine.store.get(id)).toMatchObject({ status: "succeeded" });
    });
  });

  it("replays a job as a new one that knows its parent", async () => {
    await using(await openEngine(), async (engine) => {
      const first = await submit(engine, ["a"], 7);
      await engine.drain();
      const second = await engine.service.replay(first.id);
      expect(second).toMatchObject({ parentJobId: first.id, params: first.params, priority: 7, status: "queued" });
      await engine.drain();
      expect(await engine.store.get(second.id)).toMatchObject({ status: "succeeded" });
      await expect(engine.service.replay(createUuid(0))).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
    });
  });

  it("runs urgent jobs first, older ones before newer, each to its end", async () => {
    const order: string[] = [];
    const pipeline = defineParts({
      work: async (_params, part) => {
        order.push(part);
        return part;
      },
    });
    await using(await openEngine(pipeline), async (engine) => {
      await submit(engine, ["a1", "a2"]);
      await submit(engine, ["b1", "b2"]);
      await submit(engine, ["c1", "c2"], 10);
      await engine.drain();
      expect(order).toEqual(["c1", "c2", "a1", "a2", "b1", "b2"]);
    });
  });

  it("takes one key for one request, over the whole service", async () => {
    await using(await openEngine(), async ({ service }) => {
      const body = { pipeline: "parts", params: { parts: ["a"] }, idempotencyKey: "k" };
      const first = await service.submit(body);
      expect(await service.submit(body)).toEqual({ job: first.job, isNew: false });
      await expect(service.submit({ ...body, params: { parts: [] } })).rejects.toMatchObject({
        code: "IDEMPOTENCY_CONFLICT",
      });
      await expect(service.submit({ ...body, params: { parts: 1 } })).rejects.toMatchObject({ code: "PARAMS_INVALID" });
      await expect(service.submit({ ...body, pipeline: "x" })).rejects.toMatchObject({ code: "PIPELINE_UNKNOWN" });
    });
  });
});

/** What may happen next. */
type Step =
  | { readonly kind: "take"; readonly worker: number }
  | { readonly kind: "run"; readonly worker: number }
  | { readonly kind: "crash"; readonly worker: number; readonly isNoticed: boolean }
  | { readonly kind: "late"; readonly worker: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "clock"; readonly ms: number }
  | { readonly kind: "cancel" | "retry" | "letter"; readonly which: number };

const worker = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("take" as const), worker }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("run" as const), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), worker, isNoticed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("late" as const), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clock" as const), ms: fc.integer({ min: -2e6, max: 2e6 }) }) },
);

const wish: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("cancel" as const, "retry" as const, "letter" as const),
  which: fc.nat(3),
});

/** What a user asks for; that it is refused is as good an answer. */
async function ask({ service, queue }: TestEngine, ids: readonly string[], kind: string, which: number): Promise<void> {
  const id = ids[which % ids.length] ?? "";
  try {
    if (kind === "cancel") await service.cancel(id);
    else if (kind === "retry") await service.retry(id);
    else {
      const letters = await queue.listDead({ limit: 9 });
      const letter = letters[which % Math.max(1, letters.length)];
      if (letter !== undefined) await service.replayDeadLetter(letter.id);
    }
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code !== "JOB_STATE") throw error;
  }
}

/** Workers that take, run, crash and come back late in any order, and users that meddle. */
async function interleave(engine: TestEngine, ids: readonly string[], steps: readonly Step[]): Promise<void> {
  const held = new Map<number, TakenTask>();
  const stale = new Map<number, TakenTask>();
  for (const next of steps) {
    if (next.kind === "wait") engine.clock.advance(next.ms);
    if (next.kind === "clock") engine.clock.jump(next.ms);
    if ("which" in next) await ask(engine, ids, next.kind, next.which);
    if (!("worker" in next)) continue;
    const owner = `w${next.worker}`;
    const options = { from: engine.from(owner), signal: LIVE };
    const mine = held.get(next.worker);
    if (next.kind === "take" && mine === undefined) {
      const taken = await engine.take(owner);
      if (taken !== undefined) held.set(next.worker, taken);
    } else if (next.kind === "run" && mine !== undefined) {
      held.delete(next.worker);
      const taken = await runTask(engine.engine, mine, options);
      if (taken !== undefined) held.set(next.worker, taken);
    } else if (next.kind === "crash" && mine !== undefined) {
      held.delete(next.worker);
      stale.set(next.worker, mine);
      if (next.isNoticed) await engine.queue.releaseOwner(owner);
    } else if (next.kind === "late") {
      // A worker thought lost that comes back and tells what it did.
      const late = stale.get(next.worker);
      stale.delete(next.worker);
      if (late !== undefined && mine === undefined) {
        const taken = await runTask(engine.engine, late, options);
        if (taken !== undefined) held.set(next.worker, taken);
      }
    }
  }
}

describe("many workers", () => {
  it("end every job once, whatever dies when", async () => {
    const jobs = fc.array(fc.array(fc.constantFrom("ok", "bad", "flaky"), { maxLength: 4 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(jobs, fc.array(step, { maxLength: 60 }), fc.boolean(), async (plans, steps, isStrict) => {
        const pipeline = defineParts({
          onTaskFailure: isStrict ? "fail-job" : "continue",
          work: async (_params, part) => {
            if (part === "bad") throw new ReelmillError("INPUT_EMPTY", part);
            if (part === "flaky") throw new ReelmillError("STORE_UNAVAILABLE", part);
            return part;
          },
        });
        await using(await openEngine(pipeline), async (engine) => {
          const ids: string[] = [];
          for (const parts of plans) ids.push((await submit(engine, parts)).id);
          await interleave(engine, ids, steps);
          for (let round = 0; round < 40; round++) {
            engine.clock.advance(16 * 60_000);
            await engine.drain("last");
          }
          for (const id of ids) await checkEnded(engine, id);
          const [depth] = await engine.queue.depths();
          expect(depth).toMatchObject({ waiting: 0, inFlight: 0 });
          expect(engine.folders.size).toBe(0);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("end every job once for each start, whatever users ask meanwhile", async () => {
    const jobs = fc.array(fc.array(fc.constantFrom("ok", "bad", "flaky"), { maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    });
    const steps = fc.array(fc.oneof({ weight: 3, arbitrary: step }, { weight: 2, arbitrary: wish }), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(jobs, steps, fc.boolean(), fc.boolean(), async (plans, chosen, isStrict, isEndFlaky) => {
        const fail = (part: string): string => {
          if (part === "bad") throw new ReelmillError("INPUT_EMPTY", part);
          if (part === "flaky") throw new ReelmillError("STORE_UNAVAILABLE", part);
          return part;
        };
        const pipeline = defineParts({
          onTaskFailure: isStrict ? "fail-job" : "continue",
          work: async (_params, part) => fail(part),
          finish: async () => fail(isEndFlaky ? "flaky" : "ok"),
        });
        await using(await openEngine(pipeline), async (engine) => {
          const ids: string[] = [];
          for (const parts of plans) ids.push((await submit(engine, parts)).id);
          await interleave(engine, ids, chosen);
          for (let round = 0; round < 40; round++) {
            engine.clock.advance(16 * 60_000);
            await engine.drain("last");
          }
          for (const id of ids) await checkStarts(engine, id);
          const [depth] = await engine.queue.depths();
          expect(depth).toMatchObject({ waiting: 0, inFlight: 0 });
          expect(engine.folders.size).toBe(0);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("run no more tasks at a time than the pipeline allows", async () => {
    await using(await openEngine(defineParts({ maxConcurrentTasks: 2 })), async (engine) => {
      await submit(engine, ["a", "b", "c", "d"]);
      await submit(engine, ["e"]);
      const plan = await engine.take("w0");
      if (plan === undefined) throw new Error("no task");
      let own = await runTask(engine.engine, plan, { from: engine.from("w0"), signal: LIVE });
      const other = await engine.take("w1");
      expect([own?.task.index, other?.task.index, await engine.take("w2")]).toEqual([0, 1, undefined]);
      if (own === undefined) throw new Error("no task");
      own = await runTask(engine.engine, own, { from: engine.from("w0"), signal: LIVE });
      expect([own?.task.index, await engine.take("w2")]).toEqual([2, undefined]);
      await engine.queue.setPaused("parts", true);
      if (own === undefined) throw new Error("no task");
      expect(await runTask(engine.engine, own, { from: engine.from("w0"), signal: LIVE })).toBeUndefined();
      expect(await engine.take("w2")).toBeUndefined();
      await engine.queue.setPaused("parts", false);
      expect((await engine.take("w2"))?.task.index).toBe(3);
    });
  });
});

/** What holds of a job that may have been cancelled and started again. */
async function checkStarts({ store }: TestEngine, id: string): Promise<void> {
  const job = await store.get(id);
  if (job === undefined) throw new Error("the job is gone");
  expect(isEnded(job.status)).toBe(true);
  const tasks = await store.listTasks(id, "work");
  const count = (status: string): number => tasks.filter((task) => task.status === status).length;
  expect(job.tasks).toEqual({ total: tasks.length, succeeded: count("succeeded"), failed: count("failed") });
  expect(tasks.some(({ status }) => status === "running" || status === "queued")).toBe(false);
  const events = await store.listEvents({ jobId: id, afterSeq: 0, limit: 10_000 });
  const ends = events.filter(({ type }) => /^job\.(succeeded|partial|failed|cancelled)$/.test(type));
  expect([ends.length, ends.at(-1)?.type]).toEqual([job.attempt, `job.${job.status}`]);
  // What succeeded stays so: a task is done once, however often its job is started.
  const done = events.flatMap(({ type, data }) => {
    const { stage, index } = data as { readonly stage?: string; readonly index?: number };
    return type === "task.succeeded" && stage === "work" ? [index] : [];
  });
  expect(new Set(done).size).toBe(done.length);
  expect(job.progress).toBeGreaterThanOrEqual(0);
  if (job.status !== "succeeded") expect(job.progress).toBeLessThan(1);
}

async function checkEnded({ store }: TestEngine, id: string): Promise<void> {
  const job = await store.get(id);
  if (job === undefined) throw new Error("the job is gone");
  const tasks = await store.listTasks(id, "work");
  const events = await store.listEvents({ jobId: id, afterSeq: 0, limit: 1000 });
  const count = (status: string): number => tasks.filter((task) => task.status === status).length;
  expect(isEnded(job.status)).toBe(true);
  expect(job.tasks).toEqual({ total: tasks.length, succeeded: count("succeeded"), failed: count("failed") });
  const ends = events.filter(({ type }) => /^job\.(succeeded|partial|failed|cancelled)$/.test(type));
  expect(ends.map(({ type }) => type)).toEqual([`job.${job.status}`]);
  // Entered at most once each: work, end.
  const stages = events.filter(({ type }) => type === "job.stage").map(({ data }) => (data as { stage: string }).stage);
  expect(new Set(stages).size).toBe(stages.length);
  if (job.status === "succeeded") expect(job.progress).toBe(1);
  else expect(job.progress).toBeLessThan(1);
  if (job.status !== "failed") expect(stages).toContain("finish");
  expect(tasks.some(({ status }) => status === "running" || status === "queued")).toBe(false);
}
