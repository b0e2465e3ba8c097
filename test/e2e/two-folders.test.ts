import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { makeRecordings, type Recordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";

const WAIT = { timeout: 60_000, interval: 50 };
const QUICK = { MIN_FILE_AGE_SECONDS: "0", SCAN_INTERVAL_SECONDS: "1" };
/** As cameras name files, on every card anew. */
const NAME = "GX010001.MP4";

let folder: string;
let files: Recordings;
let server: RunningServer | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-two-folders-"));
  files = makeRecordings(join(folder, "made"));
});

afterAll(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** A watch folder with a recording cut at the share given, and a reference. */
function fill(watch: string, share: number): void {
  const ready = join(folder, watch, "ready");
  mkdirSync(ready, { recursive: true });
  copyFileSync(files.reference, join(ready, "reference.mp4"));
  const bytes = readFileSync(files.damaged);
  writeFileSync(join(ready, NAME), bytes.subarray(0, Math.floor(bytes.length * share)));
}

const exported = (watch: string): string => join(folder, watch, "export", NAME);

async function exportOf(watch: string): Promise<number> {
  await vi.waitFor(() => expect(existsSync(exported(watch))).toBe(true), WAIT);
  return statSync(exported(watch)).size;
}

it("a job of one watch folder never takes a file of the same name in another one", async () => {
  fill("first", 1);
  fill("second", 0.7);
  const port = await findFreePort();
  server = await startServer(folder, port, QUICK, "first");
  const { url } = server;
  await fetch(`${url}/v1/queues/repair/pause`, { method: "POST" });
  const listed = async (): Promise<readonly unknown[]> =>
    ((await (await fetch(`${url}/v1/jobs`)).json()) as { readonly jobs: readonly unknown[] }).jobs;
  await vi.waitFor(async () => expect(await listed()).toHaveLength(1), WAIT);
  await server.kill();

  // The job of the first folder is still in its queue.
  server = await startServer(folder, port, QUICK, "second");
  await fetch(`${url}/v1/queues/repair/resume`, { method: "POST" });
  const ofSecond = await exportOf("second");
  expect(await server.stop()).toBe(0);
  expect(existsSync(exported("first"))).toBe(false);

  server = await startServer(folder, port, QUICK, "first");
  const ofFirst = await exportOf("first");
  expect(existsSync(join(folder, "first", "quarantine", NAME))).toBe(false);
  // What was cut off later holds more.
  expect(ofFirst).toBeGreaterThan(ofSecond * 1.2);
}, 120_000);

it("a data folder has one server at a time", async () => {
  const port = await findFreePort();
  await expect(startServer(folder, port, QUICK, "second")).rejects.toThrow("DATA_FOLDER_IN_USE");
});
