import { afterEach, beforeEach, expect, it } from "vitest";
import { ReelmillError } from "../../src/base/errors.ts";
import type { JobStore } from "../../src/jobs/ports.ts";
import { runTask } from "../../src/jobs/run-task.ts";
import { runWorkerLoop } from "../../src/jobs/worker-loop.ts";
import { defineParts, openEngine, type TestEngine } from "./engine.fixture.ts";

let engine: TestEngine;
beforeEach(async () => {
  engine = await openEngine();
});
afterEach(() => engine.close());

/** The store, whose writes of outcomes fail the first times. */
function failing(times: number, code: "NO_SPACE" | "INTERNAL"): JobStore {
  let left = times;
  return {
    ...engine.store,
    completeTask: async (completion, decide) => {
      if (left-- > 0) throw new ReelmillError(code, "not now");
      return await engine.store.completeTask(completion, decide);
    },
  };
}

it("keeps an outcome until a full disk takes it, so that no work is done twice", async () => {
  const { id } = (await engine.service.submit({ pipeline: "parts", params: { parts: [] } })).job;
  const taken = await engine.take();
  if (taken === undefined) throw new Error("no task");
  const signal = new AbortController().signal;
  await runTask({ ...engine.engine, store: failing(1, "NO_SPACE") }, taken, { from: engine.from(), signal });
  expect(await engine.store.get(id)).toMatchObject({ stage: "finish" });
  expect(await engine.store.getTask({ jobId: id, stage: "plan", index: 0 })).toMatchObject({ attempt: 1 });
});

it("keeps a checkpoint until a full disk takes it", async () => {
  await engine.close();
  const runs: unknown[] = [];
  const pipeline = defineParts({
    work: async (_params, part, { checkpoint, saveCheckpoint }) => {
      runs.push(checkpoint);
      await saveCheckpoint("half");
      return part;
    },
  });
  engine = await openEngine(pipeline);
  const { id } = (await engine.service.submit({ pipeline: "parts", params: { parts: ["a"] } })).job;
  let left = 1;
  const store: JobStore = {
    ...engine.store,
    beat: async (beat) => {
      if (beat.checkpoint !== undefined && left-- > 0) throw new ReelmillError("NO_SPACE", "not now");
      return await engine.store.beat(beat);
    },
  };
  const signal = new AbortController().signal;
  const options = { from: engine.from(), signal };
  for (let taken = await engine.take(); taken !== undefined; )
    taken = await runTask({ ...engine.engine, store }, taken, options);
  expect(runs).toEqual([null]);
  const task = await engine.store.getTask({ jobId: id, stage: "work", index: 0 });
  expect(task).toMatchObject({ status: "succeeded", attempt: 1, checkpoint: "half" });
});

it("gives up at once on a store that is broken for good, and the lease brings the task back", async () => {
  await engine.service.submit({ pipeline: "parts", params: { parts: [] } });
  const taken = await engine.take();
  if (taken === undefined) throw new Error("no task");
  const store = failing(1, "INTERNAL");
  const signal = new AbortController().signal;
  const run = runTask({ ...engine.engine, store }, taken, { from: engine.from(), signal });
  await expect(run).rejects.toMatchObject({ code: "INTERNAL" });
  expect(await engine.take()).toBeUndefined();
  engine.clock.advance(15_000);
  expect((await engine.take())?.task.attempt).toBe(2);
});

it("goes on working after its store failed, ends when idle, and says when it is busy", async () => {
  const { id } = (await engine.service.submit({ pipeline: "parts", params: { parts: ["a"] } })).job;
  let left = 1;
  const store: JobStore = {
    ...engine.store,
    takeTask: async (options, decide) => {
      if (left-- > 0) throw new ReelmillError("STORE_UNAVAILABLE", "not now");
      return await engine.store.takeTask(options, decide);
    },
  };
  const told: boolean[] = [];
  await runWorkerLoop(
    { ...engine.engine, store },
    {
      owner: "w1",
      leaseMs: 15_000,
      queues: [{ name: "parts", maxInFlight: 1 }],
      signal: new AbortController().signal,
      idleEndMs: 1000,
      onBusy: (isBusy) => told.push(isBusy),
      waitForWork: async () => engine.clock.advance(600),
    },
  );
  expect(await engine.store.get(id)).toMatchObject({ status: "succeeded" });
  expect(told).toEqual([true, false]);
});
