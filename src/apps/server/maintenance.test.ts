import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type LocalStore, openLocalStore } from "../../../test/support/local-store.ts";
import { createDeliveryStore } from "../../adapters/local/delivery-store.ts";
import { createJobLogs, type JobLogs } from "../../adapters/local/job-logs.ts";
import { createLocalObjectStore, type LocalObjectStore } from "../../adapters/local/object-store.ts";
import { createUuid } from "../../base/ids.ts";
import type { Json } from "../../base/json.ts";
import type { Logger } from "../../base/log.ts";
import { onCancel } from "../../jobs/transitions.ts";
import { putJson } from "../../pipelines/object-json.ts";
import { type MaintenancePorts, startMaintenance, sweepOld } from "./maintenance.ts";

const DAY_MS = 24 * 3600_000;
const ACTIVE = new AbortController().signal;

let local: LocalStore;
let folder: string;
let objects: LocalObjectStore;
let logs: JobLogs;
let ports: MaintenancePorts;
let lines: string[];

beforeEach(async () => {
  local = await openLocalStore();
  folder = mkdtempSync(join(tmpdir(), "reelmill-maintenance-"));
  objects = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });
  logs = createJobLogs(join(folder, "logs"));
  lines = [];
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message) => lines.push(message),
    child: () => log,
  };
  const { store, clock, database } = local;
  ports = { store, objects, logs, deliveries: createDeliveryStore(database, clock), clock, log };
});

afterEach(async () => {
  await local.close();
  rmSync(folder, { recursive: true });
});

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("x");
}

/** Writes an object as it would have been by the store's clock, `ageDays` ago. */
async function putAged(key: string, ageDays: number): Promise<void> {
  await objects.put(key, bytes());
  age(join(folder, "objects", key), ageDays);
}

function age(path: string, ageDays: number): void {
  const seconds = (local.clock.nowMs() - ageDays * DAY_MS) / 1000;
  utimesSync(path, seconds, seconds);
}

/** What a job leaves behind. */
async function leave(jobId: string, ageDays: number): Promise<void> {
  await putAged(`outputs/${jobId}/clip.mp4`, ageDays);
  logs.write(`${JSON.stringify({ message: "hello", job_id: jobId })}\n`);
  age(join(folder, "logs", `${jobId}.jsonl`), ageDays);
}

async function createJob(params: Json = null): Promise<string> {
  const id = createUuid(local.clock.nowMs());
  const rest = { params, priority: 0, parentJobId: null, webhook: null, idempotency: null };
  await local.store.create({ id, pipeline: "p", ...rest });
  return id;
}

async function whatIsLeft(): Promise<{ readonly keys: readonly string[]; readonly logs: readonly string[] }> {
  const keys = (await objects.list("", { limit: 100 })).map(({ key }) => key);
  return { keys, logs: await logs.listOlder(Number.POSITIVE_INFINITY) };
}

it("forgets what ended long ago with all it left, and keeps what is young or has not ended", async () => {
  const [old, running] = [await createJob(), await createJob()];
  await local.store.update(old, onCancel);
  local.clock.advance(31 * DAY_MS);
  const young = await createJob();
  await local.store.update(young, onCancel);
  for (const id of [old, running]) await leave(id, 31);
  await leave(young, 0);
  await putAged("uploads/1/old.mp4", 31);
  await putAged("uploads/2/young.mp4", 29);
  await putAged("outputs/mine/old.mp4", 31);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  const kept = await whatIsLeft();
  expect(await local.store.get(old)).toBeUndefined();
  expect([...kept.keys].sort()).toEqual(
    [`outputs/${running}/clip.mp4`, `outputs/${young}/clip.mp4`, "outputs/mine/old.mp4", "uploads/2/young.mp4"].sort(),
  );
  expect([...kept.logs].sort()).toEqual([running, young].sort());
});

it("forgets what the batch API answered with its job, and what edges have fetched", async () => {
  const [known, forgotten] = [await createJob(), createUuid(local.clock.nowMs())];
  const edge = `outputs/edge/${createUuid(0)}`;
  const keys = [...["a", "b"].map((id) => `batches/${id}.json`), "outputs/edge/mine/a.mp4", `${edge}/damaged.mp4`];
  await putJson(objects, "batches/a.json", { jobId: known });
  await putJson(objects, "batches/b.json", { jobId: forgotten });
  await objects.put("outputs/edge/mine/a.mp4", bytes());
  await objects.put(`${edge}/damaged.mp4`, bytes());
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect((await whatIsLeft()).keys).toEqual([...keys].sort());
  for (const key of keys) age(join(folder, "objects", key), 31);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect((await whatIsLeft()).keys).toEqual(["batches/a.json", "outputs/edge/mine/a.mp4"]);
});

it("forgets the shared lines of forgotten jobs, and nothing else below logs/", async () => {
  const [known, swept] = [await createJob(), await createJob()];
  await local.store.update(swept, onCancel);
  local.clock.advance(31 * DAY_MS);
  const orphan = createUuid(local.clock.nowMs());
  const kept = [`logs/${known}/a.jsonl`, `logs/${orphan}/mine.mp4`, `logs/${swept}/mine/a.jsonl`, "logs/cam/a.mp4"];
  const gone = [`logs/${orphan}/a.jsonl`, `logs/${swept}/a.jsonl`];
  for (const key of [...kept, ...gone]) await putAged(key, 31);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect([...(await whatIsLeft()).keys].sort()).toEqual([...kept].sort());
});

it("keeps an old upload for as long as a job may need it", async () => {
  const paused = await createJob({ inputs: ["uploads/1/a.mp4"], references: ["uploads/2/b.mp4"] });
  const failed = await createJob({ inputs: ["uploads/3/c.mp4"] });
  local.clock.advance(31 * DAY_MS);
  await local.store.update(failed, onCancel);
  const keys = ["uploads/1/a.mp4", "uploads/2/b.mp4", "uploads/3/c.mp4", "uploads/4/d.mp4"];
  for (const key of keys) await putAged(key, 31);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect((await whatIsLeft()).keys).toEqual(keys.slice(0, 3));
  await local.store.update(paused, onCancel);
  local.clock.advance(31 * DAY_MS);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect((await whatIsLeft()).keys).toEqual([]);
});

it("keeps what a forgotten job has made for as long as another job needs it", async () => {
  const maker = await createJob();
  await local.store.update(maker, onCancel);
  await leave(maker, 31);
  local.clock.advance(31 * DAY_MS);
  const output = `outputs/${maker}/clip.mp4`;
  const user = await createJob({ inputs: [output] });
  age(join(folder, "objects", output), 31);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect(await local.store.get(maker)).toBeUndefined();
  expect((await whatIsLeft()).keys).toEqual([output]);
  await local.store.update(user, onCancel);
  local.clock.advance(31 * DAY_MS);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect((await whatIsLeft()).keys).toEqual([]);
});

it("forgets many jobs in steps, between which others have their turn", async () => {
  for (let count = 0; count < 50; count++) await local.store.update(await createJob(), onCancel);
  local.clock.advance(31 * DAY_MS);
  const steps: number[] = [];
  const store = {
    ...local.store,
    sweep: async (beforeMs: number) => {
      const ids = await local.store.sweep(beforeMs);
      steps.push(ids.length);
      return ids;
    },
  };
  await sweepOld({ ...ports, store }, 30 * DAY_MS, ACTIVE);
  expect(steps.reduce((sum, ids) => sum + ids, 0)).toBe(50);
  expect(Math.max(...steps)).toBeLessThan(50);
  expect((await local.store.list({ limit: 1 })).jobs).toEqual([]);
});

it("comes back to what a server that was ended in between had not removed", async () => {
  const [old, recent] = [createUuid(local.clock.nowMs()), createUuid(local.clock.nowMs())];
  await leave(old, 31);
  await leave(recent, 1);
  await sweepOld(ports, 30 * DAY_MS, ACTIVE);
  expect(await whatIsLeft()).toEqual({ keys: [`outputs/${recent}/clip.mp4`], logs: [recent] });
});

it.each([
  ["a job that is forgotten", true],
  ["a job that a server ended in between had forgotten", false],
])("removes the playlist that players begin with before all else of a package: %s", async (_, isKnown) => {
  const id = isKnown ? await createJob() : createUuid(local.clock.nowMs());
  if (isKnown) await local.store.update(id, onCancel);
  local.clock.advance(31 * DAY_MS);
  const names = ["144p/index.m3u8", "144p/media.mp4", "main.m3u8", "poster.jpg"];
  for (const name of names) await putAged(`outputs/${id}/${name}`, 31);
  const deleted: string[] = [];
  const watched = {
    ...objects,
    delete: async (key: string) => {
      if ((await objects.head(key)) !== undefined) deleted.push(key.slice(`outputs/${id}/`.length));
      await objects.delete(key);
    },
  };
  await sweepOld({ ...ports, objects: watched }, 30 * DAY_MS, ACTIVE);
  expect(deleted).toEqual(["main.m3u8", ...names.filter((name) => name !== "main.m3u8")]);
});

it("has ended when stop resolves, so that the database can be closed, and says nothing of it", async () => {
  for (let count = 0; count < 20; count++) await leave(createUuid(local.clock.nowMs() + count), 31);
  let isStopped = false;
  const asked: boolean[] = [];
  const store = {
    ...local.store,
    get: async (id: string) => {
      asked.push(isStopped);
      return await local.store.get(id);
    },
  };
  const { stop } = startMaintenance({ ...ports, store }, 30 * DAY_MS);
  while (asked.length < 3) await new Promise((resolve) => setImmediate(resolve));
  await stop();
  isStopped = true;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked).not.toContain(true);
  expect(asked.length).toBeLessThan(20);
  expect(lines).toEqual([]);
});
