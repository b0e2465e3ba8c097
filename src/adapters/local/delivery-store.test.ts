import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Clock } from "../../base/clock.ts";
import { claimOne, createDeliveryMaker, FAILED, TAKEN } from "../../jobs/deliveries.fixture.ts";
import type { DeliveryStore } from "../../jobs/deliveries.ts";
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

const newDelivery = createDeliveryMaker(() => nowMs);

it("waits for the disk only where something would be lost", async () => {
  database.close();
  database = openDatabase(join(folder, "reelmill.sqlite"), "full");
  store = createDeliveryStore(database, clock);
  const flush = vi.spyOn(database, "flush");
  await store.enqueue([], 7);
  expect(flush).not.toHaveBeenCalled();
  await store.enqueue([newDelivery()], 8);
  await store.record(await claimOne(store), TAKEN, { state: "delivered" });
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
  await store.record(await claimOne(store), FAILED, { state: "pending", nextAttemptAtMs: nowMs + 5000 });
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
  await store.record(await claimOne(store), TAKEN, { state: "delivered" });
  nowMs += 1000;
  await store.record(await claimOne(store), FAILED, { state: "failed" });
  expect(await store.sweep(nowMs)).toBe(1);
  const { left } = database.prepare("SELECT count(*) AS left FROM delivery_attempts").get() as { left: number };
  expect(left).toBe(1);
});
