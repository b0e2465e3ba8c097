import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type LocalDatabase, openDatabase } from "../adapters/local/database.ts";
import { createDeliveryStore } from "../adapters/local/delivery-store.ts";
import { createJobStore } from "../adapters/local/job-store.ts";
import { createTaskQueue } from "../adapters/local/task-queue.ts";
import type { Clock } from "../base/clock.ts";
import { ReelmillError } from "../base/errors.ts";
import { createLogger } from "../base/log.ts";
import type { DeliveryStore, SendResult, SendWebhook, WebhookMessage } from "./deliveries.ts";
import { createDeliveryLoop, type DeliveryLoop, type DeliveryLoopOptions } from "./delivery-loop.ts";
import { MAX_RETRY_DELAY_MS, RETRY_FOR_MS } from "./delivery-schedule.ts";
import { EndedJobs, makeJob } from "./ended-jobs.fixture.ts";
import { createPipelineRegistry, definePipeline } from "./pipeline.ts";
import { createJobService } from "./service.ts";

const TAKEN: SendResult = { status: 200, error: null, retryAfterMs: null };
const FAILED: SendResult = {
  status: 500,
  error: { code: "WEBHOOK_FAILED", message: "It failed." },
  retryAfterMs: null,
};
const OWN = "https://own.example/hook?token=s3cret";
const GLOBAL = "https://all.example/hook";

const pipelineNamed = (name: string, describeCompletion?: Parameters<typeof definePipeline>[0]["describeCompletion"]) =>
  definePipeline({
    name,
    description: "For tests.",
    params: z.unknown(),
    result: z.unknown(),
    onTaskFailure: "continue",
    maxConcurrentTasks: 1,
    taskTimeoutMs: 1000,
    plan: () => Promise.resolve([]),
    work: () => Promise.resolve(null),
    finish: () => Promise.resolve(null),
    ...(describeCompletion && { describeCompletion }),
  });

const PIPELINES = createPipelineRegistry([
  pipelineNamed("echo"),
  pipelineNamed("talkative", (job) => ({ payload: { told: job.id }, headline: "Told", facts: [] })),
  pipelineNamed("broken", () => {
    throw new Error("no words");
  }),
]);

let database: LocalDatabase;
let nowMs: number;
let store: DeliveryStore;
let jobs: EndedJobs;
let sent: WebhookMessage[];
let lines: Record<string, unknown>[];
let ending: AbortController;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };

beforeEach(() => {
  database = openDatabase(":memory:", "normal");
  nowMs = 1_700_000_000_000;
  store = createDeliveryStore(database, clock);
  jobs = new EndedJobs();
  sent = [];
  lines = [];
  ending = new AbortController();
});

afterEach(() => {
  ending.abort();
  database.close();
});

function createLoop(answer: SendWebhook | SendResult = TAKEN, given: Partial<DeliveryLoopOptions> = {}): DeliveryLoop {
  const send: SendWebhook = async (message, options) => {
    sent.push(message);
    return typeof answer === "function" ? await answer(message, options) : answer;
  };
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const log = createLogger({ format: "json", level: "debug", write });
  const { signal } = ending;
  return createDeliveryLoop({
    store,
    jobs,
    send,
    pipelines: PIPELINES,
    globalTargets: [],
    clock,
    log,
    signal,
    pollMs: 5,
    random: () => 0.5,
    ...given,
  });
}

async function noticeAll(loop: DeliveryLoop): Promise<void> {
  while (await loop.notice());
}

async function goRound(loop: DeliveryLoop): Promise<void> {
  await noticeAll(loop);
  await loop.sendDue();
}

const own = { url: OWN, format: "standard" } as const;

describe("what is told to whom", () => {
  it("tells the job's own webhook and the global ones of every end, once", async () => {
    const loop = createLoop(TAKEN, { globalTargets: [{ url: GLOBAL, format: "slack" }] });
    const ended = (["succeeded", "partial", "failed", "cancelled"] as const).map((status) =>
      jobs.put(makeJob({ status, webhook: own })),
    );
    jobs.put(makeJob({ status: "running", webhook: own }));
    await goRound(loop);
    await goRound(loop);
    const told = sent.filter(({ url }) => url === OWN).map(({ body }) => JSON.parse(body));
    expect(told.map(({ data }) => data.job.id).sort()).toEqual(ended.map(({ id }) => id).sort());
    expect(told.map(({ type }) => type).sort()).toEqual([
      "job.cancelled",
      "job.failed",
      "job.partial",
      "job.succeeded",
    ]);
    const slack = sent.filter(({ url }) => url === GLOBAL).map(({ body }) => JSON.parse(body));
    expect(slack).toHaveLength(4);
    expect(slack[0]).toMatchObject({ blocks: [{ type: "header" }, { type: "section" }] });
    expect(new Set(sent.map(({ id }) => id)).size).toBe(8);
  });

  it("tells what the pipeline says, and the general news where it says nothing, fails or is gone", async () => {
    const put = (pipeline: string) => jobs.put(makeJob({ pipeline, webhook: own })).id;
    const [talkative, broken, gone] = [put("talkative"), put("broken"), put("gone")];
    await goRound(createLoop());
    const bodies = sent.map(({ body }) => JSON.parse(body));
    expect(bodies).toContainEqual({ told: talkative });
    for (const id of [broken, gone]) {
      expect(bodies).toContainEqual(
        expect.objectContaining({ data: expect.objectContaining({ job: expect.objectContaining({ id }) }) }),
      );
      expect(lines).toContainEqual(expect.objectContaining({ level: "error", job_id: id }));
    }
  });

  it("tells a receiver that hears of all jobs and of this one but once", async () => {
    jobs.put(makeJob({ webhook: own }));
    await goRound(createLoop(TAKEN, { globalTargets: [own] }));
    expect(sent).toHaveLength(1);
  });

  it("tells the end of each attempt, and not that of one that was overtaken before it was noticed", async () => {
    const loop = createLoop();
    const failed = jobs.put(makeJob({ status: "failed", webhook: own }));
    jobs.put({ ...failed, status: "running", attempt: 2 });
    await goRound(loop);
    expect(sent).toEqual([]);
    jobs.put({ ...failed, status: "failed", attempt: 2 });
    await goRound(loop);
    jobs.put({ ...failed, status: "running", attempt: 3 });
    jobs.put({ ...failed, status: "succeeded", attempt: 3 });
    await goRound(loop);
    const told = sent.map(({ body }) => JSON.parse(body));
    expect(told.map(({ type, data }) => [type, data.job.attempt])).toEqual([
      ["job.failed", 2],
      ["job.succeeded", 3],
    ]);
  });

  it("passes over a job that was forgotten, and over more events than fit at a time", async () => {
    jobs.forget(jobs.put(makeJob({ webhook: own })).id);
    for (let count = 0; count < 1200; count++) jobs.put(makeJob({ status: "running" }));
    jobs.put(makeJob({ webhook: own }));
    await goRound(createLoop());
    expect(sent).toHaveLength(1);
    expect(await store.position()).toBe(1202);
  });
});

describe("with the store that jobs really lie in", () => {
  it("tells each end of a job, to where the job was told to", async () => {
    const real = createJobStore(database, clock);
    const queue = createTaskQueue(database, clock);
    const service = createJobService({ store: real, queue, pipelines: PIPELINES, clock, onWork: () => undefined });
    const loop = createLoop(TAKEN, { jobs: real });
    const { job } = await service.submit({ pipeline: "echo", params: {}, webhook: own });
    await service.submit({ pipeline: "echo", params: {}, webhook: own });
    await goRound(loop);
    expect(sent).toEqual([]);
    await service.cancel(job.id);
    await goRound(loop);
    await service.retry(job.id);
    await goRound(loop);
    await service.cancel(job.id);
    await goRound(loop);
    await goRound(loop);
    const told = sent.map(({ body }) => JSON.parse(body));
    expect(told.map(({ type, data }) => [type, data.job.id, data.job.attempt])).toEqual([
      ["job.cancelled", job.id, 1],
      ["job.cancelled", job.id, 2],
    ]);
  });
});

describe("crashes", () => {
  /** A store whose process dies at a call, before or after it has done its work. */
  const dyingAt = (method: "enqueue" | "record", moment: "before" | "after"): DeliveryStore => {
    const crash = new Error("The process died.");
    const wrap =
      <Args extends readonly unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
      async (...args: Args): Promise<Result> => {
        if (moment === "after") await work(...args);
        throw crash;
      };
    return { ...store, [method]: method === "enqueue" ? wrap(store.enqueue) : wrap(store.record) };
  };

  it.each(["before", "after"] as const)("loses and doubles nothing %s deliveries are stored", async (moment) => {
    for (let count = 0; count < 5; count++) jobs.put(makeJob({ webhook: own }));
    const dying = createLoop(TAKEN, { store: dyingAt("enqueue", moment) });
    await expect(dying.notice()).rejects.toThrow("died");
    expect(await store.list({ limit: 10 })).toHaveLength(moment === "before" ? 0 : 5);
    await goRound(createLoop());
    expect(await store.list({ limit: 10, state: "delivered" })).toHaveLength(5);
    expect(sent).toHaveLength(5);
  });

  it("stores nothing twice when the position was lost", async () => {
    jobs.put(makeJob({ webhook: own }));
    await goRound(createLoop());
    database.exec("DELETE FROM delivery_position");
    await goRound(createLoop());
    expect(await store.list({ limit: 10 })).toHaveLength(1);
    expect(sent).toHaveLength(1);
  });

  it("sends again, under the same id, what was sent but not written down", async () => {
    jobs.put(makeJob({ webhook: own }));
    await goRound(createLoop(TAKEN, { store: dyingAt("record", "before"), attemptTimeoutMs: 1000 }));
    await goRound(createLoop());
    expect(sent).toHaveLength(1);
    nowMs += 60_000;
    await goRound(createLoop());
    expect(sent).toHaveLength(2);
    expect(sent[0]).toEqual(sent[1]);
    expect(await store.list({ limit: 10, state: "delivered" })).toHaveLength(1);
  });
});

describe("retries", () => {
  it("tries for a day with ever longer waits, then gives up, and logs each attempt without secrets", async () => {
    const { id } = jobs.put(makeJob({ webhook: own }));
    const loop = createLoop(FAILED);
    await loop.notice();
    const startMs = nowMs;
    const waits: number[] = [];
    for (;;) {
      await loop.sendDue();
      const [delivery] = await store.list({ limit: 1 });
      if (delivery?.state !== "pending" || delivery.nextAttemptAtMs === null) break;
      waits.push(delivery.nextAttemptAtMs - nowMs);
      nowMs = delivery.nextAttemptAtMs - 1;
      await loop.sendDue();
      nowMs += 1;
    }
    expect(waits.slice(0, 4)).toEqual([2500, 7500, 22_500, 67_500]);
    expect(waits.at(-1)).toBe(MAX_RETRY_DELAY_MS / 2);
    expect(nowMs - startMs).toBeGreaterThanOrEqual(RETRY_FOR_MS);
    const [delivery] = await store.list({ limit: 1 });
    expect(delivery).toMatchObject({ state: "failed", nextAttemptAtMs: null });
    expect(delivery?.attempts).toHaveLength(waits.length + 1);
    expect(delivery?.attempts[0]).toEqual({ atMs: startMs, durationMs: 0, status: 500, error: FAILED.error });
    const logged = lines.filter((line) => line["delivery_id"] === delivery?.id);
    expect(logged.map((line) => line["attempt"])).toEqual(delivery?.attempts.map((_attempt, index) => index + 1));
    expect(logged.every((line) => line["job_id"] === id)).toBe(true);
    expect(logged.at(-1)).toMatchObject({ level: "error", message: "Webhook given up", status: 500 });
    expect(logged[0]).toMatchObject({ level: "warn", target: "https://own.example/…", duration_ms: 0 });
    expect(JSON.stringify(lines)).not.toContain("s3cret");
  });

  it("ends at once where the receiver is gone for good, and sends again when asked to", async () => {
    jobs.put(makeJob({ webhook: own }));
    await goRound(createLoop({ ...FAILED, status: 410 }));
    const [delivery] = await store.list({ limit: 1 });
    expect(delivery).toMatchObject({ state: "failed" });
    await store.redeliver(delivery?.id ?? "");
    await goRound(createLoop());
    expect(await store.get(delivery?.id ?? "")).toMatchObject({ state: "delivered" });
    expect(sent.map(({ id }) => id)).toEqual([delivery?.id, delivery?.id]);
  });

  it("counts a fault of the sender as an attempt", async () => {
    jobs.put(makeJob({ webhook: own }));
    await goRound(createLoop(() => Promise.reject(new Error("a fault"))));
    const [delivery] = await store.list({ limit: 1 });
    expect(delivery).toMatchObject({ state: "pending", failures: 1, nextAttemptAtMs: nowMs + 2500 });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "error", error: expect.objectContaining({ message: "a fault" }) }),
    );
  });
});

describe("many at a time", () => {
  it("keeps to the bound, and gives one URL half of it, so that another comes through", async () => {
    const open = Promise.withResolvers<void>();
    let most = 0;
    const underWay: string[] = [];
    const answer: SendWebhook = async ({ url }) => {
      underWay.push(url);
      most = Math.max(most, underWay.length);
      if (url === OWN) await open.promise;
      else if (sent.filter((message) => message.url === GLOBAL).length === 10) open.resolve();
      underWay.splice(underWay.indexOf(url), 1);
      return TAKEN;
    };
    for (let count = 0; count < 10; count++) jobs.put(makeJob({ webhook: own }));
    for (let count = 0; count < 10; count++) jobs.put(makeJob({ webhook: { url: GLOBAL, format: "standard" } }));
    await goRound(createLoop(answer, { maxConcurrent: 4 }));
    expect(await store.list({ limit: 50, state: "delivered" })).toHaveLength(20);
    expect(most).toBeLessThanOrEqual(4);
    // The others all went out while two of the slow ones held their places.
    expect(sent.slice(0, 12).filter(({ url }) => url === GLOBAL)).toHaveLength(10);
  }, 20_000);

  it("does not wait for the next round where a URL came free while it looked", async () => {
    for (let count = 0; count < 2; count++) jobs.put(makeJob({ webhook: own }));
    const first = Promise.withResolvers<SendResult>();
    const recorded = Promise.withResolvers<void>();
    const both = Promise.withResolvers<void>();
    const slow: DeliveryStore = {
      ...store,
      claim: async (options) => {
        const claimed = await store.claim(options);
        if (options.exceptUrls.length === 0) return claimed;
        first.resolve(TAKEN);
        await recorded.promise;
        return claimed;
      },
      record: async (...given) => {
        // Resolved once the loop, too, has seen the end of the attempt.
        setImmediate(recorded.resolve);
        return await store.record(...given);
      },
    };
    const answer: SendWebhook = async () => {
      if (sent.length === 1) return await first.promise;
      both.resolve();
      return TAKEN;
    };
    const running = createLoop(answer, { store: slow, maxConcurrent: 2, pollMs: 3_600_000 }).run();
    await both.promise;
    ending.abort();
    await running;
    expect(sent).toHaveLength(2);
  }, 20_000);

  it("shares the work between two loops", async () => {
    for (let count = 0; count < 30; count++) jobs.put(makeJob({ webhook: own }));
    await Promise.all([goRound(createLoop()), goRound(createLoop())]);
    expect(sent).toHaveLength(30);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(30);
  });
});

describe("run", () => {
  it("goes on after failures of the store, and sends what comes", async () => {
    let failures = 3;
    const unavailable = (): void => {
      if (failures-- > 0) throw new ReelmillError("STORE_UNAVAILABLE", "The disk is away.");
    };
    const shaky: DeliveryStore = {
      ...store,
      position: async () => {
        unavailable();
        return await store.position();
      },
    };
    const delivered = Promise.withResolvers<void>();
    const loop = createLoop(
      () => {
        delivered.resolve();
        return Promise.resolve(TAKEN);
      },
      { store: shaky },
    );
    const running = loop.run();
    jobs.put(makeJob({ webhook: own }));
    await delivered.promise;
    ending.abort();
    await running;
    expect(await store.list({ limit: 10, state: "delivered" })).toHaveLength(1);
    expect(lines.filter((line) => line["level"] === "error")).toHaveLength(1);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "info", message: "Looking for jobs that ended works again", failures: 3 }),
    );
  });

  it.each([
    ["throws", () => Promise.reject(new ReelmillError("ABORTED", "The webhook was not sent."))],
    ["calls it a failure", () => Promise.resolve(FAILED)],
  ])("gives back what it was sending when it is told to end, where the sender %s", async (_what, outcome) => {
    jobs.put(makeJob({ webhook: own }));
    const begun = Promise.withResolvers<void>();
    const loop = createLoop(async (_message, { signal }) => {
      begun.resolve();
      await once(signal, "abort");
      // The sender takes its time; the loop must not end before it.
      await nextTurn();
      return await outcome();
    });
    const running = loop.run();
    await begun.promise;
    ending.abort();
    await running;
    expect(await store.list({ limit: 10 })).toMatchObject([{ state: "pending", attempts: [], failures: 0 }]);
    ending = new AbortController();
    await goRound(createLoop());
    expect(await store.list({ limit: 10 })).toMatchObject([{ state: "delivered" }]);
  });
});
