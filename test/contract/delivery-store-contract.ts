import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimOne, createDeliveryMaker, FAILED, LEASE_MS, TAKEN } from "../../src/jobs/deliveries.fixture.ts";
import type { ClaimedDelivery, DeliveryAttempt, DeliveryStore } from "../../src/jobs/deliveries.ts";
import { RETRY_FOR_MS } from "../../src/jobs/delivery-schedule.ts";
import type { FakeClock } from "../support/fake-clock.ts";

/** Deliveries on a clock that the suite moves. */
export interface DeliveriesUnderTest {
  readonly store: DeliveryStore;
  readonly clock: FakeClock;
  /** The same deliveries, as another process sees them. */
  reopen(): Promise<DeliveryStore>;
  close(): Promise<void>;
}

/** What every `DeliveryStore` must do, run against a new empty one each time. */
export function describeDeliveryStore(name: string, open: () => Promise<DeliveriesUnderTest>): void {
  describe(`DeliveryStore: ${name}`, () => {
    let under: DeliveriesUnderTest;
    let store: DeliveryStore;
    let clock: FakeClock;
    beforeEach(async () => {
      under = await open();
      ({ store, clock } = under);
    });
    afterEach(() => under.close());

    const newDelivery = createDeliveryMaker(() => clock.nowMs());
    const claim = (exceptUrls: readonly string[] = []): Promise<ClaimedDelivery | undefined> =>
      store.claim({ leaseMs: LEASE_MS, exceptUrls });

    it("keeps a delivery as it was given, due at once", async () => {
      const given = newDelivery({ format: "slack" });
      expect(await store.enqueue([given], 12)).toBe(1);
      const expected = {
        ...given,
        createdAtMs: clock.nowMs(),
        nextAttemptAtMs: clock.nowMs(),
        retryUntilMs: clock.nowMs() + RETRY_FOR_MS,
        failures: 0,
        attempts: [],
        state: "pending",
      };
      expect(await store.get(given.id)).toEqual(expected);
      expect((await claimOne(store)).delivery).toEqual(expected);
      expect(await store.get("another")).toBeUndefined();
    });

    it("takes the same news once, and the position only forwards", async () => {
      expect(await store.position()).toBe(0);
      expect(await store.enqueue([newDelivery()], 12)).toBe(1);
      const another = newDelivery({ url: "https://example.com/other" });
      expect(await store.enqueue([newDelivery({ payload: "changed" }), another], 9)).toBe(1);
      expect(await store.position()).toBe(12);
      expect(await store.enqueue([newDelivery({ jobAttempt: 2 })], 13)).toBe(1);
      expect(await store.enqueue([], 13)).toBe(0);
      expect(await store.position()).toBe(13);
      expect(await store.list({ limit: 10 })).toHaveLength(3);
    });

    it("gives a delivery to one sender at a time, over several processes' connections", async () => {
      await store.enqueue([newDelivery(), newDelivery({ jobId: "b" }), newDelivery({ jobId: "c" })], 1);
      const stores = [await under.reopen(), await under.reopen(), await under.reopen()];
      const claims = await Promise.all(
        [...stores, ...stores].map((each) => each.claim({ leaseMs: LEASE_MS, exceptUrls: [] })),
      );
      const ids = claims.flatMap((claimed) => (claimed === undefined ? [] : [claimed.delivery.id]));
      expect(ids).toHaveLength(3);
      expect(new Set(ids).size).toBe(3);
    });

    it("gives a delivery out again when the lease has run out, and takes no word of the first sender then", async () => {
      await store.enqueue([newDelivery()], 1);
      const first = await claimOne(store);
      clock.advance(LEASE_MS - 1);
      expect(await claim()).toBeUndefined();
      clock.advance(1);
      const second = await claimOne(store);
      expect(second.delivery.id).toBe(first.delivery.id);
      expect(await store.record(first, TAKEN, { state: "delivered" })).toBe(false);
      expect(await store.release(first)).toBe(false);
      expect(await store.get(first.delivery.id)).toMatchObject({ state: "pending", attempts: [] });
      expect(await store.record(second, TAKEN, { state: "delivered" })).toBe(true);
      expect(await store.record(second, TAKEN, { state: "delivered" })).toBe(false);
      expect(await store.get(first.delivery.id)).toMatchObject({ state: "delivered", attempts: [TAKEN] });
    });

    it("survives a clock that is put back while something is claimed, or waits", async () => {
      await store.enqueue([newDelivery()], 1);
      await claimOne(store);
      clock.jump(-(365 * 24 * 3_600_000));
      const again = await claimOne(store);
      await store.record(again, FAILED, { state: "pending", nextAttemptAtMs: clock.nowMs() + 5000 });
      expect(await claim()).toBeUndefined();
      clock.jump(-(24 * 3_600_000));
      expect(await claim()).toBeDefined();
    });

    it("keeps every attempt, and gives out what is due, longest first", async () => {
      await store.enqueue([newDelivery(), newDelivery({ jobId: "b" })], 1);
      const [first, second] = [await claimOne(store), await claimOne(store)];
      await store.record(first, FAILED, { state: "pending", nextAttemptAtMs: clock.nowMs() + 9000 });
      await store.record(second, FAILED, { state: "pending", nextAttemptAtMs: clock.nowMs() + 5000 });
      clock.advance(4999);
      expect(await claim()).toBeUndefined();
      clock.advance(10_000);
      expect((await claimOne(store)).delivery.jobId).toBe(second.delivery.jobId);
      const claimed = await claimOne(store);
      expect(claimed.delivery).toMatchObject({ failures: 1, attempts: [FAILED] });
      const refused: DeliveryAttempt = { ...FAILED, status: null, error: { code: "WEBHOOK_REFUSED", message: "No." } };
      await store.record(claimed, refused, { state: "failed" });
      expect(await store.get(claimed.delivery.id)).toMatchObject({
        state: "failed",
        nextAttemptAtMs: null,
        failures: 2,
        attempts: [FAILED, refused],
      });
    });

    it("passes over URLs that are busy, and gives back what was not sent", async () => {
      await store.enqueue([newDelivery(), newDelivery({ url: "https://example.com/2" })], 1);
      const second = await claim(["https://example.com/hook", "https://example.com/x'); DROP TABLE deliveries"]);
      expect(second?.delivery.url).toBe("https://example.com/2");
      const first = await claimOne(store);
      expect(await store.release(first)).toBe(true);
      expect((await claimOne(store)).delivery).toEqual(first.delivery);
    });

    it("lists by job and state, newest first, page by page", async () => {
      const given = Array.from({ length: 5 }, (_, index) =>
        newDelivery({ jobId: index % 2 === 0 ? "even" : "odd", url: `https://example.com/${index}` }),
      );
      await store.enqueue(given, 1);
      await store.record(await claimOne(store), TAKEN, { state: "delivered" });
      const urls = async (options: Partial<Parameters<DeliveryStore["list"]>[0]>): Promise<readonly string[]> =>
        (await store.list({ limit: 10, ...options })).map(({ url }) => url.slice(-1));
      expect(await urls({})).toEqual(["4", "3", "2", "1", "0"]);
      expect(await urls({ jobId: "even" })).toEqual(["4", "2", "0"]);
      expect(await urls({ state: "delivered" })).toEqual(["0"]);
      expect(await urls({ jobId: "odd", state: "delivered" })).toEqual([]);
      expect(await urls({ limit: 2, beforeId: given[3]?.id })).toEqual(["2", "1"]);
    });

    it("redelivers what was delivered, given up, or waits, with another day before it", async () => {
      const given = newDelivery();
      await store.enqueue([given], 1);
      await store.record(await claimOne(store), FAILED, { state: "failed" });
      clock.advance(50 * RETRY_FOR_MS);
      const expected = {
        state: "pending",
        failures: 0,
        nextAttemptAtMs: clock.nowMs(),
        retryUntilMs: clock.nowMs() + RETRY_FOR_MS,
        attempts: [FAILED],
      };
      expect(await store.redeliver(given.id)).toMatchObject(expected);
      await store.record(await claimOne(store), TAKEN, { state: "delivered" });
      expect(await store.redeliver(given.id)).toMatchObject({ state: "pending", attempts: [FAILED, TAKEN] });
      await store.record(await claimOne(store), FAILED, { state: "pending", nextAttemptAtMs: clock.nowMs() + 5000 });
      await store.redeliver(given.id);
      expect((await claimOne(store)).delivery.id).toBe(given.id);
      expect(await store.redeliver("another")).toBeUndefined();
    });

    it("forgets what was settled before, with its attempts, and nothing that waits", async () => {
      await store.enqueue([newDelivery(), newDelivery({ jobId: "b" }), newDelivery({ jobId: "c" })], 1);
      const [old, young] = [await claimOne(store), await claimOne(store)];
      await store.record(old, TAKEN, { state: "delivered" });
      clock.advance(1000);
      await store.record(young, FAILED, { state: "failed" });
      expect(await store.sweep(clock.nowMs())).toBe(1);
      expect(await store.get(old.delivery.id)).toBeUndefined();
      expect(await store.list({ limit: 10 })).toHaveLength(2);
      // What was forgotten is news again.
      expect(await store.enqueue([{ ...newDelivery(), jobId: old.delivery.jobId }], 2)).toBe(1);
    });

    it("tells other processes all there is", async () => {
      const given = newDelivery({ payload: { text: "long".repeat(50_000) } });
      await store.enqueue([given], 33);
      await store.record(await claimOne(store), FAILED, { state: "pending", nextAttemptAtMs: clock.nowMs() + 5000 });
      const other = await under.reopen();
      expect(await other.position()).toBe(33);
      expect(await other.get(given.id)).toEqual(await store.get(given.id));
      expect((await other.list({ limit: 9 }))[0]?.payload).toEqual(given.payload);
    });
  });
}
