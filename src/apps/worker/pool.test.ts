import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createFakeClock, type FakeClock } from "../../../test/support/fake-clock.ts";
import type { Logger } from "../../base/log.ts";
import type { TaskQueue } from "../../jobs/ports.ts";
import { startWorkerPool, type WorkerPool } from "./pool.ts";

const LEASE_MS = 15_000;

let folder: string;
let clock: FakeClock;
let pool: WorkerPool | undefined;
let waiting: number;
let looks = 0;
const extended: (readonly [owner: string, leaseMs: number])[] = [];
const released: string[] = [];
const errors: string[] = [];
const infos: string[] = [];
let isAway = false;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-pool-"));
  clock = createFakeClock();
  for (const list of [extended, released, errors, infos]) list.length = 0;
  isAway = false;
  waiting = 1;
});

afterEach(async () => {
  waiting = 0;
  await pool?.stop();
  rmSync(folder, { recursive: true });
});

/** A pool of one worker that behaves as `kind` says. */
async function startPool(kind: "blocked" | "deaf" | "idle", lookMs?: number): Promise<WorkerPool> {
  const log: Logger = {
    debug: () => undefined,
    info: (message) => infos.push(message),
    warn: () => undefined,
    error: (message) => errors.push(message),
    child: () => log,
  };
  const queue: Pick<TaskQueue, "countWaiting" | "extendOwner" | "releaseOwner"> = {
    countWaiting: async () => {
      looks += 1;
      if (isAway) throw new Error("away");
      return waiting;
    },
    extendOwner: async (owner, leaseMs) => void extended.push([owner, leaseMs]),
    releaseOwner: async (owner) => {
      released.push(owner);
      return [];
    },
  };
  return await startWorkerPool({
    queue: queue as TaskQueue,
    workRoot: join(folder, "work"),
    maxWorkers: 1,
    worker: {
      home: { backend: "local", data: folder, mounts: {} },
      leaseMs: LEASE_MS,
      idleEndMs: 1000,
      queues: [],
      lookMs,
      metrics: "none",
      logFormat: "json",
      logLevel: "error",
    },
    environment: { ...process.env, WORKER_KIND: kind },
    log,
    clock,
    onGone: async () => undefined,
    workerModule: fileURLToPath(new URL("worker.fixture.ts", import.meta.url)),
  });
}

it("keeps the leases of a worker that cannot speak, and ends it when that goes on for too long", async () => {
  const started = await startPool("blocked");
  pool = started;
  await vi.waitFor(() => expect(started.stats().busy).toBe(1), 10_000);
  expect(extended).toEqual([]);
  clock.advance(LEASE_MS / 3);
  await vi.waitFor(() => expect(extended).toHaveLength(1), 5000);
  clock.advance(LEASE_MS / 3);
  await vi.waitFor(() => expect(extended).toHaveLength(2), 5000);
  const [owner] = extended[0] ?? [""];
  expect(extended[1]).toEqual([owner, LEASE_MS]);
  waiting = 0;
  clock.advance(10 * 60_000);
  await vi.waitFor(() => expect(released).toEqual([owner]), 5000);
  expect(errors).toEqual(["A worker has said nothing for too long and is ended.", "A worker was lost."]);
}, 30_000);

it("looks at the queue once for many new jobs", async () => {
  waiting = 0;
  pool = await startPool("idle");
  looks = 0;
  for (let job = 0; job < 1000; job++) pool.notify();
  await setImmediate();
  expect(looks).toBeGreaterThan(0);
  expect(looks).toBeLessThan(5);
});

it("says that the queue can be read again when it was, not after a look that did not ask it", async () => {
  waiting = 0;
  isAway = true;
  looks = 0;
  pool = await startPool("idle", 2000);
  await vi.waitFor(() => expect(looks).toBe(1), 5000);
  // Looks after workers, for which the queue is not asked.
  await setTimeout(1200);
  expect(looks).toBe(1);
  clock.advance(2000);
  await vi.waitFor(() => expect(looks).toBe(2), 5000);
  expect([errors, infos]).toEqual([["The queue could not be read."], []]);
  isAway = false;
  clock.advance(2000);
  await vi.waitFor(() => expect(infos).toEqual(["The queue can be read again."]), 5000);
  expect([errors.length, looks]).toEqual([1, 3]);
}, 30_000);

it("does not take a worker for gone that does not listen any more", async () => {
  const started = await startPool("deaf");
  pool = started;
  await vi.waitFor(() => expect(started.stats().running).toBe(1), 10_000);
  // It closes its end of the channel, and before the pool can see that, the pool tells it of work.
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let nudges = 0; nudges < 300 && released.length === 0; nudges++) {
    Atomics.wait(pause, 0, 0, 50);
    started.notify();
    await setImmediate();
  }
  waiting = 0;
  await vi.waitFor(() => expect(released.length).toBeGreaterThan(0), 10_000);
  expect(errors).toEqual([]);
}, 30_000);
