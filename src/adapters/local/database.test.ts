import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createUuid } from "../../base/ids.ts";
import type { Job } from "../../jobs/job.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { onCancel } from "../../jobs/transitions.ts";
import { commit, commitDurably, type LocalDatabase, openDatabase } from "./database.ts";
import { createJobStore } from "./job-store.ts";
import { MIGRATIONS } from "./migrations.ts";

let folder: string;
let path: string;
const open: { close(): void }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-database-"));
  path = join(folder, "store.db");
});
afterEach(() => {
  for (const database of open.splice(0)) database.close();
  rmSync(folder, { recursive: true });
});

function opened(durability: "normal" | "full" = "normal", migrations?: readonly string[]): LocalDatabase {
  const database = openDatabase(path, durability, migrations);
  open.push(database);
  return database;
}

function closeAll(): void {
  for (const database of open.splice(0)) database.close();
}

const clock = { nowMs: () => 1e12, monotonicMs: () => 0 };

function create(store: JobStore, params = ""): Promise<{ readonly job: Job }> {
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  return store.create({ id: createUuid(1e12), pipeline: "p", params, ...rest });
}

describe("the schema", () => {
  const steps = [
    "CREATE TABLE a (x INTEGER) STRICT",
    "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7",
    "CREATE TABLE b (x)",
  ];

  it("goes forward from any older version, keeping what is there", () => {
    opened("normal", steps.slice(0, 1)).exec("INSERT INTO a VALUES (1)");
    closeAll();
    const database = opened("normal", steps);
    expect({ ...database.prepare("SELECT * FROM a").get() }).toEqual({ x: 1, y: 7 });
    expect({ ...database.prepare("PRAGMA user_version").get() }).toEqual({ user_version: 3 });
    closeAll();
    opened("normal", steps);
  });

  it("stays as it was where a step fails", () => {
    opened("normal", steps.slice(0, 1));
    closeAll();
    expect(() => openDatabase(path, "normal", [...steps, "CREATE TABLE broken ("])).toThrow(/syntax|incomplete/);
    const database = opened("normal", steps.slice(0, 1));
    expect({ ...database.prepare("PRAGMA user_version").get() }).toEqual({ user_version: 1 });
  });

  it("of a newer Reelmill is refused and not touched", () => {
    opened("normal", [...MIGRATIONS, "CREATE TABLE newer (x)"]);
    closeAll();
    const error = { code: "STORE_UNAVAILABLE", message: expect.stringContaining("newer Reelmill") };
    expect(() => openDatabase(path, "normal")).toThrow(expect.objectContaining(error));
    const raw = new DatabaseSync(path);
    expect({ ...raw.prepare("PRAGMA user_version").get() }).toEqual({ user_version: MIGRATIONS.length + 1 });
    raw.close();
  });
});

describe("a database that cannot be used", () => {
  const unavailable = expect.objectContaining({ code: "STORE_UNAVAILABLE" });

  it("is named where it is no database, a folder, or in no folder", () => {
    writeFileSync(path, "this is not a database, but long enough to be looked at as if it were one".repeat(20));
    expect(() => openDatabase(path, "normal")).toThrow(unavailable);
    expect(() => openDatabase(folder, "normal")).toThrow(unavailable);
    expect(() => openDatabase(join(folder, "missing", "store.db"), "full")).toThrow(unavailable);
    expect(existsSync(join(folder, "missing"))).toBe(false);
  });

  it("is unavailable where its pages are damaged", async () => {
    const store = createJobStore(opened(), clock);
    for (let index = 0; index < 50; index++) await create(store, "x".repeat(5000));
    closeAll();
    const { size } = statSync(path);
    const raw = Buffer.alloc(size, 0xa5);
    const head = new DatabaseSync(path).prepare("PRAGMA page_size").get() as { readonly page_size: number };
    readFileSync(path).copy(raw, 0, 0, head.page_size);
    writeFileSync(path, raw);
    const read = async (): Promise<unknown> => await createJobStore(opened(), clock).list({ limit: 9 });
    await expect(read()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it("loses nothing when it is full, and goes on when there is space", async () => {
    const database = opened("full");
    const store = createJobStore(database, clock);
    const { job } = await create(store);
    const { page_count } = database.prepare("PRAGMA page_count").get() as { readonly page_count: number };
    database.exec(`PRAGMA max_page_count = ${page_count + 2}`);
    await expect(create(store, "x".repeat(100_000))).rejects.toMatchObject({ code: "NO_SPACE", retryable: true });
    expect((await store.list({ limit: 9 })).jobs).toEqual([job]);
    database.exec("PRAGMA max_page_count = 1000000");
    await create(store, "x".repeat(100_000));
    expect((await store.list({ limit: 9 })).jobs).toHaveLength(2);
  });

  it("is unavailable while it may only be read", async () => {
    const database = opened();
    const store = createJobStore(database, clock);
    const { job } = await create(store);
    database.exec("PRAGMA query_only = 1");
    await expect(store.update(job.id, onCancel)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
    expect(await store.get(job.id)).toEqual(job);
    database.exec("PRAGMA query_only = 0");
    expect(await store.update(job.id, onCancel)).toMatchObject({ status: "cancelled" });
  });

  it.skipIf(process.getuid?.() === 0)("is unavailable where the file may not be written", () => {
    opened();
    closeAll();
    chmodSync(path, 0o444);
    expect(() => openDatabase(path, "normal")).toThrow(unavailable);
  });

  it("is unavailable while another one holds the lock for too long, and can be read meanwhile", async () => {
    const database = opened();
    const store = createJobStore(database, clock);
    const { job } = await create(store);
    database.exec("PRAGMA busy_timeout = 20");
    const other = opened();
    other.exec("BEGIN IMMEDIATE");
    await expect(create(store)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await store.get(job.id)).toEqual(job);
    other.exec("ROLLBACK");
    await create(store);
  });
});

describe("a transaction", () => {
  it("is rolled back whole by whatever its work throws", async () => {
    const database = opened("normal", ["CREATE TABLE a (x)"]);
    const work = (): never => {
      database.exec("INSERT INTO a VALUES (1)");
      throw new RangeError("no");
    };
    expect(() => commit(database, work)).toThrow(RangeError);
    await expect(commitDurably(database, work)).rejects.toThrow(RangeError);
    expect(database.prepare("SELECT * FROM a").all()).toEqual([]);
    expect(commit(database, () => 5)).toBe(5);
    expect(await commitDurably(database, () => 6)).toBe(6);
  });

  it("is on the disk after a flush, which many may wait for at once", async () => {
    const database = opened("full", ["CREATE TABLE a (x)"]);
    const flushed = Array.from({ length: 20 }, (_, x) => {
      commit(database, () => database.prepare("INSERT INTO a VALUES (?)").run(x));
      return database.flush();
    });
    await Promise.all(flushed);
    await database.flush();
    expect(database.prepare("SELECT COUNT(*) AS rows FROM a").get()).toMatchObject({ rows: 20 });
  });
});
