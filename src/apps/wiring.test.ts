import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../base/clock.ts";
import { openLocal } from "./wiring.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-wiring-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("keeps the database, unfinished uploads, logs and work folders from other users", () => {
  const data = join(folder, "a", "data");
  const parts = openLocal({ data, mounts: {} }, "normal", systemClock);
  const others = (name: string): number => statSync(join(data, name)).mode & 0o077;
  const names = ["reelmill.db", "reelmill.db-wal", "reelmill.db-shm", "uploads", "logs", "work"];
  expect(names.map((name) => [name, others(name)])).toEqual(names.map((name) => [name, 0]));
  parts.close();
});

it("throws STORE_UNAVAILABLE where the folder cannot be made", () => {
  const data = join(folder, "data");
  openLocal({ data, mounts: {} }, "normal", systemClock).close();
  const below = join(data, "reelmill.db", "data");
  expect(() => openLocal({ data: below, mounts: {} }, "normal", systemClock)).toThrow(
    expect.objectContaining({ code: "STORE_UNAVAILABLE" }),
  );
});
