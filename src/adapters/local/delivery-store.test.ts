import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Clock } from "../../base/clock.ts";
import { createUuid } from "../../base/ids.ts";
import type { ClaimedDelivery, DeliveryAttempt, DeliveryStore, NewDelivery } from "../../jobs/deliveries.ts";
import { type LocalDatabase, openDatabase } from "./database.ts";
import { createDeliveryStore } from "./delivery-store.ts";

let folder: string;
let database: LocalDatabase;
let nowMs: number;
let store: DeliveryStore;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };

const open = (): LocalDatabase => openDatabase(join(folder, "reelmill.sqlite"), "normal");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-deliveries-"));
  nowMs = 1_700_000_000_000;
  database = open();
  store = createDeliveryStore(database, clock);
});

afterEach(() => {
  if (database.isOpen) database.close();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
const newDelivery = (given: Partial<NewDelivery> = {}): NewDelivery => ({
  id: createUuid(nowMs + count++),
  jobId: "a-job",
  jobAttempt: 1,
  url: "https://example.com/hook",
  format: "standard",
  payload: { type: "job.succeeded", names: ["grüße", "\u0000"] },
  ...given,
});

const LEASE_MS = 30_000;
const claim = (exceptUrls: readonly string[] = []): Promise<ClaimedDelivery | undefined> =>
  store.claim({ leaseMs: LEASE_MS, exceptUrls });
const claimOne = async (): Promise<ClaimedDelivery> => {
  const claimed = await claim();
  if (claimed === undefined) throw new Error("Nothing was due.");
  return claimed;
};

const FAILED: DeliveryAttempt = {
  atMs: 5,
  durationMs: 6,
  status: 500,
  error: { code: "WEBHOOK_FAILED", message: "The receiver answered with status 500." },
};
const TAKEN: DeliveryAttempt = { atMs: 7, durationMs: 8, status: 200, error: null };

it("waits for the disk only where something would be lost", async () => {
  database.close();
  database = openDatabase(join(folder, "reelmill.sqlite"), "full");
  store = createDeliveryStore(database, clock);
  const flush = vi.spyOn(database, "flush");
  await store.enqueue([], 7);
  expect(flush).not.toHaveBeenCalled();
  await store.enqueue([newDelivery()], 8);
  await store.record(await claimOne(), TAKEN, { state: "delivered" });
  expect(flush).toHaveBeenCalledTimes(2);
  expect(await store.position()).toBe(8);
});

it("stores deliveries and position together or not at all", async () => {
  const twice = newDelivery();
  await expect(store.enqueue([twice, newDelivery({ id: twice.id, jobId: "another-job" })], 20)).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  expect(await store.position()).toBe(0);
  expect(await store.list({ limit: 10 })).toEqual([]);
  expect(await store.enqueue([twice], 20)).toBe(1);
});

it("still has everything after the process ended", async () => {
  const given = newDelivery();
  await store.enqueue([given], 33);
  await store.record(await claimOne(), FAILED, { state: "pending", nextAttemptAtMs: nowMs + 5000 });
  const before = await store.get(given.id);
  database.close();
  await expect(store.position()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  database = open();
  store = createDeliveryStore(database, clock);
  expect(await store.position()).toBe(33);
  expect(await store.get(given.id)).toEqual(before);
});

it("forgets the attempts of what it forgets, and no others", async () => {
  await store.enqueue([newDelivery(), newDelivery({ jobId: "b" })], 1);
  await store.record(await claimOne(), TAKEN, { state: "delivered" });
  nowMs += 1000;
  await store.record(await claimOne(), FAILED, { state: "failed" });
  expect(await store.sweep(nowMs)).toBe(1);
  const { left } = database.prepare("SELECT count(*) AS left FROM delivery_attempts").get() as { left: number };
  expect(left).toBe(1);
});
