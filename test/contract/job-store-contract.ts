import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createUuid } from "../../src/base/ids.ts";
import type { Job, Stage, TaskRef } from "../../src/jobs/job.ts";
import type { AttemptOutcome, JobStore, NewJob, ReceiveOptions, TakenTask, TaskQueue } from "../../src/jobs/ports.ts";
import { onCancel, onFailed, onRetry, onStarted, onSucceeded, type StageYield } from "../../src/jobs/transitions.ts";
import type { FakeClock } from "../support/fake-clock.ts";

/** A store and the queue that its messages go to, on a clock that the suite moves. */
export interface StoreUnderTest {
  readonly store: JobStore;
  readonly queue: TaskQueue;
  readonly clock: FakeClock;
  close(): Promise<void>;
}

const FROM: ReceiveOptions = { owner: "w1", leaseMs: 15_000, queues: [{ name: "p", maxInFlight: 100 }] };
const HOUR_MS = 3600_000;

function newJob(clock: FakeClock, more: Partial<NewJob> = {}): NewJob {
  const id = createUuid(clock.nowMs());
  const defaults = { params: { a: 1 }, priority: 0, parentJobId: null, webhook: null, idempotency: null };
  return { id, pipeline: "p", ...defaults, ...more };
}

/** What every `JobStore` must do, run against a new empty one each time. */
export function describeJobStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`JobStore: ${name}`, () => {
    let under: StoreUnderTest;
    let store: JobStore;
    let clock: FakeClock;
    beforeEach(async () => {
      under = await open();
      ({ store, clock } = under);
    });
    afterEach(() => under.close());

    const create = async (more: Partial<NewJob> = {}): Promise<Job> => (await store.create(newJob(clock, more))).job;
    const take = (from: ReceiveOptions = FROM): Promise<TakenTask | undefined> => store.takeTask(from, onStarted);
    const mustTake = async (from: ReceiveOptions = FROM): Promise<TakenTask> => {
      const taken = await take(from);
      if (taken === undefined) throw new Error("no task was due");
      return taken;
    };
    const complete = (taken: TakenTask, brought: StageYield, from?: ReceiveOptions) => {
      const { task, message } = taken;
      const output = brought.stage === "work" ? brought.output : null;
      const takeNext = from && { from, onStart: onStarted };
      const outcome: AttemptOutcome = { status: "succeeded", output };
      return store.completeTask(
        { ref: message.ref, attempt: task.attempt, outcome, message, takeNext },
        onSucceeded(message.ref, task.attempt, brought),
      );
    };
    const plan = (count: number): StageYield => ({
      stage: "plan",
      tasks: Array.from({ length: count }, (_, index) => ({ label: `t${index}`, input: { index }, weight: index + 1 })),
    });
    const fail = (taken: TakenTask, isBuried: boolean, policy: "fail-job" | "continue" = "continue") => {
      const { task, message } = taken;
      const error = { code: "INTERNAL", message: "broken" } as const;
      const outcome: AttemptOutcome = { status: "failed", error, isBuried };
      const completion = { ref: message.ref, attempt: task.attempt, outcome, message, takeNext: undefined };
      return store.completeTask(completion, onFailed(message.ref, task.attempt, error, policy));
    };

    it("keeps a job as it was created, with its plan task and its first event", async () => {
      const job = await create({ params: { text: "ü\u0000\u{1f39e}", list: [1, null, true] }, priority: -5 });
      expect(await store.get(job.id)).toEqual(job);
      expect(job).toMatchObject({ status: "queued", stage: "plan", progress: 0, attempt: 1, priority: -5 });
      expect(job.params).toEqual({ text: "ü\u0000\u{1f39e}", list: [1, null, true] });
      expect(await store.listTasks(job.id)).toMatchObject([{ stage: "plan", index: 0, status: "queued", attempt: 0 }]);
      expect(await store.listEvents({ jobId: job.id, afterSeq: 0, limit: 9 })).toMatchObject([{ type: "job.queued" }]);
    });

    it("keeps the context of the request that made a job, through all that becomes of it", async () => {
      const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
      const job = await create({ traceparent });
      expect([job.traceparent, (await create()).traceparent]).toEqual([traceparent, null]);
      await store.update(job.id, () => ({ status: "failed" }));
      expect(await store.get(job.id)).toMatchObject({ status: "failed", traceparent });
    });

    it("knows no job, task or event of an id that was never given", async () => {
      const jobId = createUuid(clock.nowMs());
      expect(await store.get(jobId)).toBeUndefined();
      expect(await store.get("'; DROP TABLE jobs; --")).toBeUndefined();
      expect(await store.getTask({ jobId, stage: "work", index: 0 })).toBeUndefined();
      expect(await store.listTasks(jobId)).toEqual([]);
      expect(await store.update(jobId, onCancel)).toBeUndefined();
      expect(await store.listEvents({ jobId, afterSeq: 0, limit: 9 })).toEqual([]);
    });

    it("gives the first job for a known key, refuses another body, forgets the key in time", async () => {
      const idempotency = { key: "k", bodyHash: "1", keepMs: 24 * HOUR_MS };
      const first = await store.create(newJob(clock, { idempotency }));
      expect(first.isNew).toBe(true);
      clock.advance(24 * HOUR_MS - 1);
      expect(await store.create(newJob(clock, { idempotency }))).toEqual({ job: first.job, isNew: false });
      await create();
      const found = async (idempotencyKey: string): Promise<readonly string[]> =>
        (await store.list({ limit: 9, idempotencyKey })).jobs.map(({ id }) => id);
      expect([await found("k"), await found("other")]).toEqual([[first.job.id], []]);
      const other = newJob(clock, { idempotency: { ...idempotency, bodyHash: "2" } });
      await expect(store.create(other)).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
      expect(await store.get(other.id)).toBeUndefined();
      clock.advance(1);
      expect(await found("k")).toEqual([]);
      const later = await store.create(other);
      expect(await found("k")).toEqual([other.id]);
      expect(later).toMatchObject({ isNew: true, job: { id: other.id } });
    });

    it("makes one job of many requests with one key at the same instant, and none fails for another's conflict", async () => {
      const idempotency = { key: "k", bodyHash: "1", keepMs: 24 * HOUR_MS };
      const asked = Array.from({ length: 20 }, () => store.create(newJob(clock, { idempotency })));
      const conflict = store.create(newJob(clock, { idempotency: { ...idempotency, bodyHash: "2" } }));
      const free = store.create(newJob(clock));
      await expect(conflict).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
      const created = await Promise.all(asked);
      expect(new Set(created.map(({ job }) => job.id)).size).toBe(1);
      expect(created.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect((await free).isNew).toBe(true);
      expect((await store.list({ limit: 10 })).jobs).toHaveLength(2);
    });

    it("lists the newest first, page by page, each job once, by every filter", async () => {
      const ids: string[] = [];
      for (let index = 0; index < 7; index++) {
        clock.advance(1);
        ids.unshift((await create({ pipeline: index % 2 === 0 ? "p" : "q", parentJobId: ids.at(-1) ?? null })).id);
      }
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list({ limit: 3, cursor });
        seen.push(...page.jobs.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(ids);
      const count = async (filter: object): Promise<number> => (await store.list({ limit: 9, ...filter })).jobs.length;
      expect(await count({ pipeline: "q" })).toBe(3);
      expect(await count({ parentJobId: ids.at(-1) })).toBe(6);
      expect(await count({ statuses: ["queued"] })).toBe(7);
      expect(await count({ statuses: ["failed", "running"] })).toBe(0);
      expect(await count({ statuses: [] })).toBe(0);
      await expect(store.list({ limit: 9, cursor: "x' OR 1" })).rejects.toMatchObject({ code: "CURSOR_INVALID" });
    });

    it("begins an attempt: job running, task running, message leased", async () => {
      const { id } = await create();
      clock.advance(5);
      const { job, task, lostWorkers, message } = await mustTake();
      expect(job).toMatchObject({ id, status: "running", startedAtMs: clock.nowMs() });
      expect(task).toMatchObject({ stage: "plan", status: "running", attempt: 1, startedAtMs: clock.nowMs() });
      expect(await store.get(id)).toEqual(job);
      expect(await store.getTask(message.ref)).toEqual(task);
      expect(lostWorkers).toBe(0);
      expect(await take()).toBeUndefined();
    });

    it("ends an attempt and begins the next with it, up to the end, once", async () => {
      const { id } = await create();
      const planned = await complete(await mustTake(), plan(2), FROM);
      expect(planned?.job).toMatchObject({ stage: "work", tasks: { total: 2, succeeded: 0, failed: 0 } });
      expect(planned?.next).toMatchObject({ task: { stage: "work", index: 0, input: { index: 0 }, attempt: 1 } });
      if (planned?.next === undefined) throw new Error("nothing was taken along");
      const first = await complete(planned.next, { stage: "work", output: "one" }, FROM);
      expect(first?.job).toMatchObject({ stage: "work", tasks: { succeeded: 1 } });
      expect(first?.job.progress).toBeCloseTo(1 / 3);
      if (first?.next === undefined) throw new Error("nothing was taken along");
      const second = await complete(first.next, { stage: "work", output: "two" }, FROM);
      expect(second?.job).toMatchObject({ stage: "finish", status: "running" });
      expect(second?.job.progress).toBeLessThan(1);
      if (second?.next === undefined) throw new Error("nothing was taken along");
      const ended = await complete(second.next, { stage: "finish", result: { ok: true }, firstError: undefined });
      const end = { status: "succeeded", progress: 1, result: { ok: true }, finishedAtMs: clock.nowMs() };
      expect(ended?.job).toMatchObject(end);
      expect(await store.get(id)).toEqual(ended?.job);
      expect((await store.listTasks(id, "work")).map(({ output }) => output)).toEqual(["one", "two"]);
      expect(await take()).toBeUndefined();
      const again = await complete(second.next, { stage: "finish", result: "again", firstError: undefined });
      expect(again).toBeUndefined();
      expect(await store.get(id)).toEqual(ended?.job);
      expect((await under.queue.depths())[0]).toMatchObject({ queue: "p", waiting: 0, inFlight: 0, dead: 0 });
    });

    it("hands a lost task on when its lease is out, and refuses the first one's outcome", async () => {
      await create();
      const lost = await mustTake();
      clock.advance(14_999);
      expect(await take({ ...FROM, owner: "w2" })).toBeUndefined();
      clock.advance(1);
      const second = await mustTake({ ...FROM, owner: "w2" });
      expect(second).toMatchObject({ lostWorkers: 1, task: { attempt: 2 } });
      const beat = { ref: lost.message.ref, attempt: 1, progress: 0.5, phase: "", message: lost.message };
      expect(await store.beat({ ...beat, leaseMs: 15_000 })).toBe(false);
      expect(await complete(lost, plan(3))).toBeUndefined();
      expect((await complete(second, plan(1)))?.job.tasks.total).toBe(1);
    });

    it("begins the task that is named, whatever else waits or is out, and none that is not due", async () => {
      const { id } = await create();
      await create({ priority: 50 });
      const lease = { owner: "n", leaseMs: 15_000 };
      const named = (stage: Stage, index: number, jobId = id) =>
        store.takeNamed({ jobId, stage, index }, lease, onStarted);
      expect(await named("work", 0)).toBeUndefined();
      expect(await named("plan", 0, createUuid(clock.nowMs()))).toBeUndefined();
      const planning = await named("plan", 0);
      expect(planning).toMatchObject({ task: { stage: "plan", attempt: 1 }, lostWorkers: 0, message: { queue: "p" } });
      if (planning === undefined) throw new Error("not begun");
      expect(await named("plan", 0)).toBeUndefined();
      await complete(planning, plan(2));
      await under.queue.setPaused("p", true);
      expect(await named("work", 1)).toBeUndefined();
      await under.queue.setPaused("p", false);
      const second = await named("work", 1);
      expect(second).toMatchObject({ task: { index: 1 }, job: { id, status: "running" } });
      if (second === undefined) throw new Error("not begun");
      clock.advance(15_001);
      const again = await named("work", 1);
      expect(again).toMatchObject({ task: { attempt: 2 }, lostWorkers: 1 });
      if (again === undefined) throw new Error("not begun");
      expect(await complete(second, { stage: "work", output: 1 })).toBeUndefined();
      await complete(again, { stage: "work", output: 2 });
      expect(await named("work", 1)).toBeUndefined();
      await store.update(id, onCancel);
      expect(await named("work", 0)).toBeUndefined();
    });

    it("counts workers lost in a row, and forgets them once one ends in order", async () => {
      await create();
      for (let lost = 0; lost < 3; lost++) {
        expect((await mustTake()).lostWorkers).toBe(lost);
        clock.advance(15_000);
      }
      const taken = await mustTake();
      expect(taken.lostWorkers).toBe(3);
      const error = { code: "ABORTED", message: "stopped" } as const;
      const outcome: AttemptOutcome = { status: "retrying", error, delayMs: 0, isFailure: false };
      const { message, task } = taken;
      await store.completeTask(
        { ref: message.ref, attempt: task.attempt, outcome, message, takeNext: undefined },
        () => undefined,
      );
      expect(await mustTake()).toMatchObject({ lostWorkers: 0, task: { failures: 0 } });
    });

    it("takes the lease's prolongation, progress and checkpoint with a beat", async () => {
      const { id } = await create();
      const planned = await complete(await mustTake(), plan(2), FROM);
      if (planned?.next === undefined) throw new Error("nothing was taken along");
      const { message, task } = planned.next;
      const beat = { ref: message.ref, attempt: task.attempt, message, phase: "half" };
      clock.advance(14_000);
      expect(await store.beat({ ...beat, progress: 0.5, checkpoint: { at: 7 }, leaseMs: 15_000 })).toBe(true);
      expect((await store.get(id))?.progress).toBeCloseTo(0.5 / 3);
      const kept = { progress: 0.5, phase: "half", checkpoint: { at: 7 } };
      expect(await store.getTask(message.ref)).toMatchObject(kept);
      clock.advance(14_000);
      const fromOther = { ...FROM, owner: "w2" };
      expect((await take(fromOther))?.task.index).toBe(1);
      for (const progress of [Number.NaN, -3, 99]) expect(await store.beat({ ...beat, progress })).toBe(true);
      expect((await store.get(id))?.progress).toBeCloseTo(1 / 3);
      expect((await store.getTask(message.ref))?.progress).toBeLessThan(1);
      clock.advance(1000);
      expect(await take({ ...FROM, owner: "w3" })).toMatchObject({
        task: { index: 0, checkpoint: { at: 7 }, progress: 0 },
        lostWorkers: 1,
      });
      expect((await store.get(id))?.progress).toBe(0);
    });

    it("refuses beats and outcomes of a job that was cancelled, and drops its messages", async () => {
      const { id } = await create();
      const taken = await mustTake();
      const cancelled = await store.update(id, onCancel);
      expect(cancelled).toMatchObject({ status: "cancelled", finishedAtMs: clock.nowMs() });
      const beat = { ref: taken.message.ref, attempt: 1, progress: 0, phase: "", message: taken.message };
      expect(await store.beat(beat)).toBe(false);
      expect(await complete(taken, plan(1))).toBeUndefined();
      expect(await store.update(id, onCancel)).toBeUndefined();
      clock.advance(60_000);
      expect(await take()).toBeUndefined();
      expect(await store.listTasks(id)).toMatchObject([{ status: "cancelled" }]);
    });

    it("reopens only what failed, and only at the stage that the job goes back to", async () => {
      const { id } = await create();
      await complete(await mustTake(), plan(3));
      await complete(await mustTake(), { stage: "work", output: "kept" });
      await fail(await mustTake(), false);
      await fail(await mustTake(), true);
      const end = await mustTake();
      expect(end.task.stage).toBe("finish");
      await fail(end, false);
      expect(await store.get(id)).toMatchObject({ status: "failed", stage: "finish" });
      const retried = await store.update(id, onRetry);
      expect(retried).toMatchObject({ status: "queued", stage: "work", attempt: 2, error: null, finishedAtMs: null });
      expect(retried?.tasks).toEqual({ total: 3, succeeded: 1, failed: 0 });
      expect(retried?.progress).toBeCloseTo(1 / 6);
      const refs = [await mustTake(), await mustTake()].map(({ task }) => [task.stage, task.index, task.attempt]);
      expect(refs).toEqual([
        ["work", 1, 2],
        ["work", 2, 2],
      ]);
      expect(await take()).toBeUndefined();
      expect(await under.queue.listDead({ limit: 9 })).toEqual([]);
    });

    it("does not show a task as done that failed at its very end", async () => {
      const { id } = await create();
      await complete(await mustTake(), plan(1));
      const taken = await mustTake();
      const { message, task } = taken;
      await store.beat({ ref: message.ref, attempt: task.attempt, progress: 1, phase: "checking", message });
      await fail(taken, false);
      const failed = await store.getTask(message.ref);
      expect(failed).toMatchObject({ status: "failed", phase: "checking" });
      expect(failed?.progress).toBeGreaterThan(0.99);
      expect(failed?.progress).toBeLessThan(1);
      expect((await store.get(id))?.progress).toBeLessThan(1);
    });

    it.each(["fail-job", "continue"] as const)("keeps the progress that a failed job had (%s)", async (policy) => {
      const { id } = await create();
      await complete(await mustTake(), plan(2));
      const beat = async ({ message, task }: TakenTask, progress: number) =>
        await store.beat({ ref: message.ref, attempt: task.attempt, progress, phase: "", message });
      const [first, second] = [await mustTake(), await mustTake()];
      await beat(first, 0.25);
      await beat(second, 0.5);
      await fail(first, false, policy);
      if (policy === "continue") {
        // What is left of the work is that of the other task alone.
        expect((await store.get(id))?.progress).toBeCloseTo((1 + 2 * 0.5) / 3);
        await fail(second, false, policy);
        const end = await mustTake();
        await complete(end, { stage: "finish", result: null, firstError: undefined });
      }
      const failed = await store.get(id);
      expect(failed?.status).toBe("failed");
      expect(failed?.progress).toBeCloseTo((0.25 + 2 * 0.5) / 3);
      expect(await store.listTasks(id, "work")).toMatchObject([{ progress: 0.25 }, { progress: 0.5 }]);
      expect((await store.update(id, onRetry))?.progress).toBe(0);
      await beat(await mustTake(), 0.5);
      expect((await store.get(id))?.progress).toBeCloseTo(0.5 / 3);
    });

    it("tells changes in their order, and events without gaps for those who read on", async () => {
      const first = await create();
      const second = await create();
      const seen = await store.listChanged(0, 10);
      expect(seen.map(({ id }) => id)).toEqual([first.id, second.id]);
      const cursor = seen.at(-1)?.changeSeq ?? 0;
      await mustTake();
      expect((await store.listChanged(cursor, 10)).map(({ id }) => id)).toEqual([first.id]);
      expect(await store.listChanged(cursor, 0)).toEqual([]);
      const events = await store.listEvents({ afterSeq: 0, limit: 10 });
      expect(events.map(({ type, jobId }) => [type, jobId])).toEqual([
        ["job.queued", first.id],
        ["job.queued", second.id],
        ["job.started", first.id],
      ]);
      const rest = await store.listEvents({ afterSeq: events[0]?.seq ?? 0, limit: 1 });
      expect(rest).toEqual([events[1]]);
    });

    it("counts jobs by status, and those that ended within a day", async () => {
      const { id } = await create();
      await create();
      await store.update(id, onCancel);
      expect(await store.count()).toMatchObject({ byStatus: { queued: 1, cancelled: 1, failed: 0 }, endedLastDay: 1 });
      clock.advance(25 * HOUR_MS);
      expect((await store.count()).endedLastDay).toBe(0);
    });

    it("forgets old ended jobs with all that is theirs, and nothing else", async () => {
      const old = await create({ idempotency: { key: "k", bodyHash: "1", keepMs: 24 * HOUR_MS } });
      const waiting = await create();
      await store.update(old.id, onCancel);
      clock.advance(48 * HOUR_MS);
      const recent = await create();
      await store.update(recent.id, onCancel);
      expect(await store.sweep(clock.nowMs() - HOUR_MS)).toEqual([old.id]);
      const ref: TaskRef = { jobId: old.id, stage: "plan", index: 0 };
      expect([await store.get(old.id), await store.getTask(ref)]).toEqual([undefined, undefined]);
      expect(await store.listEvents({ jobId: old.id, afterSeq: 0, limit: 9 })).toEqual([]);
      expect((await store.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([recent.id, waiting.id]);
      expect(await store.sweep(clock.nowMs() - HOUR_MS)).toEqual([]);
    });
  });
}
