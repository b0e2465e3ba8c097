import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createUuid } from "../../src/base/ids.ts";
import { MAX_MESSAGE_WAIT_MS, type ReceiveOptions, type TaskMessage, type TaskQueue } from "../../src/jobs/ports.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import type { StoreUnderTest } from "./job-store-contract.ts";

const FROM: ReceiveOptions = { owner: "w1", leaseMs: 15_000, queues: [{ name: "p", maxInFlight: 100 }] };
const REASON = { code: "WORKER_LOST", message: "gone" } as const;

/** What every `TaskQueue` must do, run against a new empty one each time; jobs of its store bring the messages. */
export function describeTaskQueue(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`TaskQueue: ${name}`, () => {
    let under: StoreUnderTest;
    let queue: TaskQueue;
    let clock: FakeClock;
    beforeEach(async () => {
      under = await open();
      ({ queue, clock } = under);
    });
    afterEach(() => under.close());

    const send = async (pipeline = "p", priority = 0): Promise<string> => {
      const id = createUuid(clock.nowMs());
      const rest = { params: null, parentJobId: null, webhook: null, idempotency: null };
      await under.store.create({ id, pipeline, priority, ...rest });
      return id;
    };
    const receive = async (from: ReceiveOptions = FROM): Promise<TaskMessage> => {
      const message = await queue.receive(from);
      if (message === undefined) throw new Error("no message was due");
      return message;
    };

    it("gives messages by priority, then in the order sent, each to one receiver", async () => {
      const ids = [await send("p", 0), await send("p", 5), await send("p", -1), await send("p", 5)];
      const got: string[] = [];
      for (let message = await queue.receive(FROM); message !== undefined; message = await queue.receive(FROM)) {
        got.push(message.ref.jobId);
        expect(message).toMatchObject({ queue: "p", receiveCount: 1, ref: { stage: "plan", index: 0 } });
      }
      expect(got).toEqual([ids[1], ids[3], ids[0], ids[2]]);
    });

    it("receives from the queues named alone, the most urgent over all of them", async () => {
      const [, second] = [await send("p", 0), await send("q", 3)];
      await send("other", 100);
      const queues = [
        { name: "p", maxInFlight: 9 },
        { name: "q", maxInFlight: 9 },
      ];
      expect((await receive({ ...FROM, queues })).ref.jobId).toBe(second);
      await receive({ ...FROM, queues });
      expect(await queue.receive({ ...FROM, queues })).toBeUndefined();
      expect(await queue.receive({ ...FROM, queues: [] })).toBeUndefined();
    });

    it("receives the messages of one job alone where that is asked for", async () => {
      const [first, second] = [await send("p", 9), await send("p", 0)];
      const from = (jobId: string) => ({ ...FROM, queues: [{ name: "p", maxInFlight: 100, jobId }] });
      expect((await receive(from(second))).ref.jobId).toBe(second);
      expect(await queue.receive(from(second))).toBeUndefined();
      expect(await queue.receive(from("none"))).toBeUndefined();
      expect((await receive()).ref.jobId).toBe(first);
    });

    it("holds no more of a queue out than allowed, over all receivers", async () => {
      for (let index = 0; index < 4; index++) await send();
      const from = { ...FROM, queues: [{ name: "p", maxInFlight: 2 }] };
      const first = await receive(from);
      await receive({ ...from, owner: "w2" });
      expect(await queue.receive({ ...from, owner: "w3" })).toBeUndefined();
      await queue.ack(first);
      await receive(from);
      expect(await queue.receive(from)).toBeUndefined();
      clock.advance(15_000);
      await receive(from);
      expect(await queue.receive({ ...from, queues: [{ name: "p", maxInFlight: 0 }] })).toBeUndefined();
    });

    it("gives a message again when its lease is out; the first receipt is worth nothing then", async () => {
      await send();
      const first = await receive();
      clock.advance(14_999);
      expect(await queue.receive(FROM)).toBeUndefined();
      clock.advance(1);
      const second = await receive();
      expect(second).toMatchObject({ id: first.id, receiveCount: 2 });
      expect(await queue.ack(first)).toBe(false);
      expect(await queue.extend(first, 1000)).toBe(false);
      expect(await queue.release(first, 0)).toBe(false);
      expect(await queue.bury(first, REASON)).toBe(false);
      expect(await queue.ack(second)).toBe(true);
      expect(await queue.ack(second)).toBe(false);
      clock.advance(60_000);
      expect(await queue.receive(FROM)).toBeUndefined();
    });

    it("knows no receipt that it did not give", async () => {
      await send();
      const message = await receive();
      for (const receipt of ["", "x", "0/0/0", "1/2/3/4", "' OR 1"]) {
        expect(await queue.ack({ ...message, receipt })).toBe(false);
      }
      expect(await queue.ack(message)).toBe(true);
    });

    it("prolongs a lease from the instant it is asked", async () => {
      await send();
      const message = await receive();
      clock.advance(10_000);
      expect(await queue.extend(message, 20_000)).toBe(true);
      clock.advance(19_999);
      expect(await queue.receive(FROM)).toBeUndefined();
      clock.advance(1);
      await receive();
    });

    it("prolongs all that one owner holds", async () => {
      const [first, second] = [await send(), await send()];
      await receive();
      await receive({ ...FROM, owner: "other" });
      clock.advance(14_000);
      await queue.extendOwner("w1", 15_000);
      await queue.extendOwner("nobody", 15_000);
      clock.advance(14_999);
      expect((await receive({ ...FROM, owner: "w2" })).ref.jobId).toBe(second);
      expect(await queue.receive(FROM)).toBeUndefined();
      clock.advance(1);
      expect((await receive()).ref.jobId).toBe(first);
    });

    it("puts a message back for a while, and all of an owner that is gone at once", async () => {
      const [first, second, third] = [await send(), await send(), await send()];
      expect(await queue.release(await receive(), 5000)).toBe(true);
      await receive({ ...FROM, owner: "gone" });
      await receive();
      expect(await queue.releaseOwner("nobody")).toEqual([]);
      expect((await queue.releaseOwner("gone")).map(({ jobId }) => jobId)).toEqual([second]);
      expect((await receive()).ref.jobId).toBe(second);
      expect(await queue.receive(FROM)).toBeUndefined();
      clock.advance(5000);
      expect((await receive()).ref.jobId).toBe(first);
      clock.advance(15_000);
      expect([(await receive()).ref.jobId, (await receive()).ref.jobId, (await receive()).ref.jobId]).toEqual([
        first,
        second,
        third,
      ]);
    });

    it("shows dead letters without taking them, forgets them when told", async () => {
      const jobId = await send();
      const message = await receive();
      clock.advance(7);
      expect(await queue.bury(message, REASON)).toBe(true);
      expect(await queue.receive(FROM)).toBeUndefined();
      const [letter] = await queue.listDead({ limit: 9 });
      const dead = { queue: "p", ref: { jobId, stage: "plan", index: 0 }, receiveCount: 1, deadAtMs: clock.nowMs() };
      expect(letter).toMatchObject({ ...dead, sentAtMs: clock.nowMs() - 7, reason: REASON });
      if (letter === undefined) throw new Error("no dead letter");
      expect(await queue.getDead(letter.id)).toEqual(letter);
      expect(await queue.listDead({ queue: "q", limit: 9 })).toEqual([]);
      expect(await queue.listDead({ queue: "p", limit: 9 })).toEqual([letter]);
      expect(await queue.discard(letter.id + 1000)).toBe(false);
      expect(await queue.discard(letter.id)).toBe(true);
      expect(await queue.discard(letter.id)).toBe(false);
      expect(await queue.getDead(letter.id)).toBeUndefined();
    });

    it("tells how full each queue is", async () => {
      const sentAtMs = clock.nowMs();
      for (let index = 0; index < 4; index++) await send();
      await queue.bury(await receive(), REASON);
      await receive();
      await queue.release(await receive(), 9000);
      clock.advance(5);
      await send("q");
      const both = ["p", "q"];
      expect([await queue.countWaiting(both, 1), await queue.countWaiting(both, 9)]).toEqual([2, 3]);
      expect([await queue.countWaiting(["p"], 9), await queue.countWaiting([], 9)]).toEqual([2, 0]);
      await queue.setPaused("q", true);
      expect(await queue.countWaiting(both, 9)).toBe(2);
      const oldestOfQ = { oldestSentAtMs: sentAtMs + 5, oldestDueAtMs: sentAtMs + 5 };
      const depthOfQ = { queue: "q", waiting: 1, inFlight: 0, dead: 0, isPaused: true, ...oldestOfQ };
      const depthOfP = { queue: "p", waiting: 2, inFlight: 1, dead: 1, isPaused: false, oldestSentAtMs: sentAtMs };
      expect(await queue.depths()).toEqual([{ ...depthOfP, oldestDueAtMs: sentAtMs }, depthOfQ]);
      // One is put off still, the other's lease has run out.
      await queue.release(await receive(), 9000);
      expect(await queue.depths()).toEqual([{ ...depthOfP, oldestDueAtMs: sentAtMs + 9000 }, depthOfQ]);
    });

    it("counts what waits where nothing does, and where a lease ran out", async () => {
      expect([await queue.countWaiting(["p"], 9), await queue.depths()]).toEqual([0, []]);
      await send();
      await receive();
      expect(await queue.countWaiting(["p"], 9)).toBe(0);
      clock.advance(15_000);
      expect(await queue.countWaiting(["p"], 9)).toBe(1);
    });

    it("tells where a job's messages stand without receiving them", async () => {
      const id = await send("p", 1);
      const sentAtMs = clock.nowMs();
      await send("p", 2);
      const look = async () => (await queue.listOfJob("p", id))[0];
      expect(await look()).toMatchObject({ sentAtMs, owner: null, receiveCount: 0, ref: { jobId: id, stage: "plan" } });
      expect((await look())?.heldUntilMs).toBeLessThanOrEqual(clock.nowMs());
      const message = await receive({ ...FROM, queues: [{ name: "p", maxInFlight: 9, jobId: id }] });
      expect(await look()).toMatchObject({ owner: "w1", receiveCount: 1, heldUntilMs: clock.nowMs() + FROM.leaseMs });
      clock.advance(FROM.leaseMs + 1000);
      // It ran out, and nobody has taken it.
      expect(await look()).toMatchObject({ owner: "w1", heldUntilMs: clock.nowMs() - 1000 });
      await queue.release(message, 3000);
      expect(await look()).toMatchObject({ owner: null, heldUntilMs: clock.nowMs() + 3000 });
      expect([await queue.listOfJob("p", "none"), await queue.listOfJob("none", id)]).toEqual([[], []]);
    });

    it("gives nothing out of a paused queue, and lets what is out be ended", async () => {
      await send();
      await send();
      const message = await receive();
      await queue.setPaused("p", true);
      expect(await queue.receive(FROM)).toBeUndefined();
      expect(await queue.ack(message)).toBe(true);
      await queue.setPaused("p", false);
      await receive();
    });

    it("does not wait for ever for a clock that was set back", async () => {
      await send();
      await receive();
      clock.jump(-10 * MAX_MESSAGE_WAIT_MS);
      expect((await receive()).receiveCount).toBe(2);
      clock.jump(20 * MAX_MESSAGE_WAIT_MS);
      expect((await receive()).receiveCount).toBe(3);
    });
  });
}
