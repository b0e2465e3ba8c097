import { expect, it } from "vitest";
import { ReelmillError } from "../../src/base/errors.ts";
import type { ClosedSpan, Tracer } from "../../src/base/tracer.ts";
import type { Metrics } from "../../src/jobs/metrics.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { runTask } from "../../src/jobs/run-task.ts";
import { defineParts, prepareEngine, submitParts as submit, type TestEngine } from "./engine.fixture.ts";

const { start } = prepareEngine();

/** An engine that tells; what it told. */
async function listen(engine: TestEngine) {
  const values: Record<string, number>[] = [];
  const ends: ClosedSpan[] = [];
  const metrics: Metrics = {
    measure: (pipeline, measured) => values.push({ ...measured, [pipeline]: 1 }),
    observe: () => undefined,
  };
  const tracer: Tracer = {
    run: (_name, _options, work) => work({ set: () => undefined, fail: () => undefined }),
    context: () => undefined,
    tell: (span) => ends.push(span),
    flush: async () => undefined,
  };
  const objects = {
    lendsInPlace: true,
    put: async (key: string, content: AsyncIterable<Uint8Array>) => {
      let bytes = 0;
      for await (const piece of content) bytes += piece.byteLength;
      return { key, bytes, modifiedAtMs: 0, tag: "" };
    },
    copy: async (_from: string, key: string) => ({ key, bytes: 1000, modifiedAtMs: 0, tag: "" }),
  } as Partial<ObjectStore> as ObjectStore;
  const told = { ...engine.engine, objects, metrics, tracer };
  const drain = async (): Promise<void> => {
    for (let taken = await engine.take(); taken !== undefined; taken ??= await engine.take()) {
      taken = await runTask(told, taken, { from: engine.from(), signal: new AbortController().signal });
    }
  };
  return { values, ends, drain };
}

it("counts a job's end once, with what its attempts took and moved", async () => {
  const engine = await start(
    defineParts({
      work: async (_params, part, { objects }) => {
        engine.clock.advance(30);
        await objects.put(
          part,
          (async function* () {
            yield new Uint8Array(7);
            yield new Uint8Array(5);
          })(),
        );
        await objects.copy(part, "there");
        return part;
      },
    }),
  );
  const { id } = await submit(engine, "a");
  engine.clock.advance(1500);
  const { values, ends, drain } = await listen(engine);
  await drain();
  expect(values).toEqual([
    { parts: 1, QueueWait: 1500, TaskDuration: 0 },
    { parts: 1, TaskDuration: 30, BytesWritten: 12, BytesCopied: 1000 },
    { parts: 1, TaskDuration: 0 },
    { parts: 1, JobsSucceeded: 1 },
  ]);
  expect(ends).toMatchObject([{ name: "parts job", parent: undefined, failure: undefined }]);
  expect(ends[0]?.fields["reelmill.job.id"]).toBe(id);
  // A trace of the job's own begins in the job's second.
  const seconds = Math.floor(((await engine.store.get(id))?.createdAtMs ?? 0) / 1000);
  expect(ends[0]?.context).toMatch(new RegExp(`^00-${seconds.toString(16)}[0-9a-f]{24}-[0-9a-f]{16}-01$`));
  expect((ends[0]?.endMs ?? 0) - (ends[0]?.startMs ?? 0)).toBe(1530);
});

it("counts failures, what is given up, and how the job ended for it; once more after a retry", async () => {
  let isBroken = true;
  const engine = await start(
    defineParts({
      onTaskFailure: "fail-job",
      work: async () => {
        if (isBroken) throw new ReelmillError("STORE_UNAVAILABLE", "not now");
        return null;
      },
    }),
  );
  const { id } = await submit(engine, "a");
  const { values, ends, drain } = await listen(engine);
  for (let attempt = 0; attempt < 3; attempt++) {
    await drain();
    engine.clock.advance(4000);
  }
  expect(values.slice(1)).toEqual([
    { parts: 1, TaskDuration: 0, TasksFailed: 1 },
    { parts: 1, TaskDuration: 0, TasksFailed: 1 },
    { parts: 1, TaskDuration: 0, TasksFailed: 1, TasksGivenUp: 1 },
    { parts: 1, JobsFailed: 1 },
  ]);
  isBroken = false;
  await engine.service.retry(id);
  await drain();
  expect(values.at(-1)).toEqual({ parts: 1, JobsSucceeded: 1 });
  expect(ends.map(({ failure }) => failure)).toEqual(["STORE_UNAVAILABLE: not now", undefined]);
  const [first, second] = ends.map(({ context }) => context.split("-"));
  expect(second?.[1]).toBe(first?.[1]);
  expect(second?.[2]).not.toBe(first?.[2]);
});
