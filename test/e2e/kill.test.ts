import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { makeRecordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";

/** Half as many kills as in the long run: each costs the start of a process. */
const isThorough = process.env["REELMILL_TEST_EVERY_WRITE"] === "1";
const KILLS = isThorough ? 200 : 100;
const JOBS = isThorough ? 110 : 55;
/** How probable it is at each instant that the server is hit, and each of the workers. */
const SERVER_SHARE = 0.15;
const WORKER_SHARE = 0.75;
const ENDED = new Set(["succeeded", "partial", "failed", "cancelled"]);

interface JobView {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string } | null;
  readonly result: { readonly files: readonly { readonly output: string | null }[] } | null;
}

const folder = mkdtempSync(join(tmpdir(), "reelmill-kill-"));
let server: RunningServer;

afterAll(async () => {
  // Where the test was given up, it still runs.
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks until somebody answers: the server may just have been killed. */
async function ask(url: string, init?: RequestInit): Promise<unknown> {
  for (;;) {
    try {
      const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) });
      if (!answer.ok) throw new TypeError(`${answer.status} ${await answer.text()}`);
      return await answer.json();
    } catch (error) {
      if (error instanceof TypeError && /^\d/.test(error.message)) throw error;
      await delay(50);
    }
  }
}

async function submit(url: string, number: number): Promise<void> {
  const params = { inputs: ["uploads/k/damaged.mp4"], references: ["uploads/k/reference.mp4"], verify: "none" };
  await ask(`${url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": `job-${number}` },
    body: JSON.stringify({ pipeline: "repair", params }),
  });
}

async function listJobs(url: string): Promise<readonly JobView[]> {
  const { jobs } = (await ask(`${url}/v1/jobs?limit=500`)) as { readonly jobs: readonly JobView[] };
  return jobs;
}

/** False where it had ended already. */
function killNow(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function listFiles(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

test("whatever is killed whenever, every job ends once and nothing half-written stays", async () => {
  const random = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), KILLS * 20).values();
  const draw = (): number => random.next().value ?? 0.5;
  const files = makeRecordings(join(folder, "made"));
  const port = await findFreePort();
  server = await startServer(folder, port);
  const { url } = server;
  for (const [name, path] of Object.entries({ damaged: files.damaged, reference: files.reference })) {
    const answer = await fetch(`${url}/v1/objects/uploads/k/${name}.mp4`, { method: "PUT", body: readFileSync(path) });
    expect(answer.ok).toBe(true);
  }
  const repairOne = async (number: number): Promise<number> => {
    const startMs = performance.now();
    await submit(url, number);
    while (!(await listJobs(url)).every(({ status }) => status === "succeeded")) await delay(10);
    return performance.now() - startMs;
  };
  // Two jobs are left in peace. What the first one's processes compile is kept as they end, which those do not that are killed; the second
  // shows how long a worker takes here to start and to repair a file.
  await repairOne(0);
  expect(await server.stop()).toBe(0);
  server = await startServer(folder, port);
  const maxPauseMs = await repairOne(1);
  const submitting = (async () => {
    for (let number = 2; number < JOBS; number++) await submit(url, number);
  })();
  let kills = 0;
  let serverKills = 0;
  let jobCount = JOBS;
  /** Until there is a worker. None comes where all jobs have ended before enough was killed: then there is one more. */
  const findWorkers = async (): Promise<void> => {
    while (server.workers().length === 0) {
      if ((await listJobs(url)).filter(({ status }) => ENDED.has(status)).length === jobCount) {
        await submit(url, jobCount);
        jobCount += 1;
      }
      await delay(5);
    }
  };
  while (kills < KILLS) {
    await findWorkers();
    await delay(draw() * maxPauseMs);
    const isServer = draw() < SERVER_SHARE;
    // The server alone, as many of the workers as chance wills, or all at once, as when the power fails.
    const victims = server.workers().filter(() => draw() < WORKER_SHARE);
    for (const victim of victims) kills += killNow(victim) ? 1 : 0;
    if (!isServer) continue;
    await server.kill();
    server = await startServer(folder, port);
    serverKills += 1;
    kills += 1;
  }
  await submitting;
  let jobs = await listJobs(url);
  while (jobs.some(({ status }) => !ENDED.has(status))) {
    await delay(100);
    jobs = await listJobs(url);
  }
  expect(serverKills).toBeGreaterThan(KILLS / 20);
  expect(jobs).toHaveLength(jobCount);
  // A task that several workers in a row did not survive is given up: that is no accident, as far as anybody can tell.
  for (const { status, error } of jobs)
    expect([status, error?.code]).toBeOneOf([
      ["succeeded", undefined],
      ["failed", "WORKER_LOST"],
    ]);
  for (const { id } of jobs.filter(({ status }) => status === "failed"))
    await ask(`${url}/v1/jobs/${id}/retry`, { method: "POST" });
  while (jobs.some(({ status }) => status !== "succeeded")) {
    await delay(100);
    jobs = await listJobs(url);
    expect(jobs.filter(({ error }) => error !== null)).toEqual([]);
  }
  expect(await server.stop()).toBe(0);

  const data = join(folder, "data");
  const outputs = jobs.map(({ result }) => result?.files[0]?.output ?? "");
  expect(new Set(outputs).size).toBe(jobCount);
  const sizes = new Set(outputs.map((key) => statSync(join(data, "objects", key)).size));
  expect(sizes.size).toBe(1);
  const kept = [...outputs, "uploads/k/damaged.mp4", "uploads/k/reference.mp4"].map((key) =>
    join(data, "objects", key),
  );
  expect([...listFiles(join(data, "objects"))].sort()).toEqual(kept.sort());
  expect(listFiles(join(data, "work"))).toEqual([]);
  const database = new DatabaseSync(join(data, "reelmill.db"), { readOnly: true });
  const count = (sql: string): unknown => database.prepare(sql).get();
  expect(count("SELECT COUNT(*) AS n FROM messages")).toEqual({ n: 0 });
  expect(count("SELECT COUNT(*) AS n FROM tasks WHERE status <> 'succeeded'")).toEqual({ n: 0 });
  const endings = "type IN ('job.succeeded', 'job.failed')";
  const restarts = "SELECT SUM(attempt) AS n FROM jobs";
  expect(count(`SELECT COUNT(*) AS n FROM events WHERE ${endings}`)).toEqual(count(restarts));
  database.close();
}, 600_000);
