import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../base/clock.ts";
import { openLocal, openLocalBatch } from "./local-wiring.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-wiring-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("keeps the database, unfinished uploads, logs and work folders from other users", () => {
  const data = join(folder, "a", "data");
  const parts = openLocal({ data, mounts: {} }, { durability: "normal", clock: systemClock });
  const others = (name: string): number => statSync(join(data, name)).mode & 0o077;
  const names = ["reelmill.db", "reelmill.db-wal", "reelmill.db-shm", "uploads", "work"];
  expect(names.map((name) => [name, others(name)])).toEqual(names.map((name) => [name, 0]));
  parts.close();
});

it("throws STORE_UNAVAILABLE where the folder cannot be made", () => {
  const data = join(folder, "data");
  openLocal({ data, mounts: {} }, { durability: "normal", clock: systemClock }).close();
  const below = join(data, "reelmill.db", "data");
  expect(() => openLocal({ data: below, mounts: {} }, { durability: "normal", clock: systemClock })).toThrow(
    expect.objectContaining({ code: "STORE_UNAVAILABLE" }),
  );
});

it("gives a job of the batch worker to one worker alone, whatever bucket another names, and keeps what each bucket has", async () => {
  for (const bucket of ["one", "two"]) mkdirSync(join(folder, "buckets", bucket), { recursive: true });
  const place = { bucket: "one", table: "jobs", jobId: "job" };
  const first = openLocalBatch(folder, place, systemClock);
  const busy = expect.objectContaining({ code: "JOB_STATE" });
  expect(() => openLocalBatch(folder, { ...place, bucket: "two" }, systemClock)).toThrow(busy);
  for (const other of [{ table: "others" }, { jobId: "another" }]) {
    await openLocalBatch(folder, { ...place, ...other }, systemClock).close(true);
  }
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  await first.store.create({ id: "job", pipeline: "convert", params: {}, ...rest });
  await first.close(false);
  const second = openLocalBatch(folder, { ...place, bucket: "two" }, systemClock);
  expect(await second.store.get("job")).toBeUndefined();
  await second.close(false);
  const again = openLocalBatch(folder, place, systemClock);
  expect(await again.store.get("job")).toBeDefined();
  await again.close(true);
});

it("makes nothing for a bucket that is not there, or is no folder", () => {
  const place = { bucket: "one", table: "jobs", jobId: "job" };
  const refused = expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining("S3_BUCKET") });
  expect(() => openLocalBatch(join(folder, "data"), place, systemClock)).toThrow(refused);
  expect(readdirSync(folder)).toEqual([]);
  mkdirSync(join(folder, "buckets"));
  writeFileSync(join(folder, "buckets", "one"), "");
  expect(() => openLocalBatch(folder, place, systemClock)).toThrow(refused);
  expect(readdirSync(folder)).toEqual(["buckets"]);
});
