import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readAwsHome } from "../src/apps/aws-settings.ts";
import { type AwsParts, openAws } from "../src/apps/aws-wiring.ts";
import { runOneJob } from "../src/apps/worker/run-one-job.ts";
import { systemClock } from "../src/base/clock.ts";
import { loadConfig } from "../src/base/config.ts";
import { createLogger } from "../src/base/log.ts";
import type { JobError } from "../src/jobs/job.ts";
import { onFailed, onStarted } from "../src/jobs/transitions.ts";
import { makeRecordings } from "./e2e/recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./e2e/server.fixture.ts";
import { reelmill } from "./e2e/workplace.fixture.ts";
import { type AwsUnderTest, environmentOf, makeBucket, makeTable, startStorage, startTables } from "./support/aws.ts";
import { listCommands, listPages, ROOT } from "./support/documentation.ts";

/*
 * Every command of the runbook, in the order of its pages, on one place: a server without workers on a bucket and a table, with jobs that wait, that
 * failed, and whose tasks were given up. What is of one machine alone runs on a data folder.
 */

const PAGES = listPages().filter((path) => path.startsWith(join("docs", "guide", "runbook")));
const COMMANDS = PAGES.flatMap((path) => listCommands(path).map((command) => [path.slice(19), command] as const));
const KEY = "a-key-of-the-place";
/** What the pages call the dead letters that there are. */
const LETTERS = ["4", "5"];
const SLOW_MS = 60_000;

let folder: string;
let storage: AwsUnderTest;
let tables: AwsUnderTest;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let server: RunningServer;
let environment: Readonly<Record<string, string>>;
let letters: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-runbook-"));
  [storage, tables] = await Promise.all([startStorage(), startTables()]);
  [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  const place = {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    ...environmentOf({ storage, tables, bucket, table }),
  };
  letters = await prepare(place);
  server = await startServer(folder, await findFreePort(), { ...place, REELMILL_MAX_WORKERS: "0" }, null);
  environment = { ...place, REELMILL_SERVER: server.url, REELMILL_DATA: join(folder, "machine") };
}, SLOW_MS);

afterAll(async () => {
  expect(await server?.stop()).toBe(0);
  await Promise.all([bucket.remove(), table.remove()]);
  await Promise.all([storage.stop(), tables.stop()]);
  rmSync(folder, { recursive: true });
}, SLOW_MS);

/** Files, folders and jobs as the pages have them before them. Gives the ids of the dead letters. */
async function prepare(place: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const made = makeRecordings(join(folder, "made"));
  for (const [from, to] of [
    [made.damaged, "broken.mp4"],
    [made.reference, "healthy.mp4"],
    [made.reference, "holiday.mp4"],
  ] as const) {
    copyFileSync(from, join(folder, to));
  }
  writeFileSync(join(folder, "new.key"), KEY);
  for (const name of ["reelmill-data", "stopped-data"]) mkdirSync(join(folder, name, "objects"), { recursive: true });
  const home = readAwsHome(place, loadConfig(place).server, join(folder, "seed"));
  const log = createLogger({ format: "json", level: "error", write: () => undefined });
  const parts = openAws(home, { owner: "seed", durability: "normal", clock: systemClock, log });
  try {
    for (const [name, path] of [
      ["broken.mp4", made.damaged],
      ["healthy.mp4", made.reference],
    ] as const) {
      await parts.objects.put(`uploads/1/${name}`, contentOf(path));
    }
    for (let number = 1; number <= 9; number++) await submit(parts, number);
    await fail(parts, 3, { code: "INPUT_EMPTY", message: "It is empty." }, false);
    for (const number of [4, 5]) await fail(parts, number, { code: "WORKER_LOST", message: "Gone." }, true);
    await runOneJob(idOf(2), {
      environment: { ...place, PATH: process.env["PATH"], REELMILL_DATA: join(folder, "machine") },
      clock: systemClock,
      signal: new AbortController().signal,
      writeError: () => undefined,
      writeOutput: () => undefined,
    });
    await parts.queue.setPaused("repair", true);
    return (await parts.queue.listDead({ limit: 9 })).map(({ id }) => String(id));
  } finally {
    parts.close();
  }
}

async function* contentOf(path: string): AsyncGenerator<Uint8Array> {
  yield readFileSync(path);
}

function idOf(number: number): string {
  return `01920000-0000-7000-8000-00000000000${number}`;
}

async function submit({ store }: AwsParts, number: number): Promise<void> {
  const params = { inputs: ["uploads/1/broken.mp4"], references: ["uploads/1/healthy.mp4"], engine: "auto" };
  const rest = { faststart: false, verify: "quick" };
  const job = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  await store.create({ id: idOf(number), pipeline: "repair", params: { ...params, ...rest }, ...job });
}

/** Lets the job's first task fail as a worker would. */
async function fail({ store }: AwsParts, number: number, error: JobError, isBuried: boolean): Promise<void> {
  const queues = [{ name: "repair", maxInFlight: 9, jobId: idOf(number) }];
  const taken = await store.takeTask({ owner: "seed", leaseMs: 60_000, queues }, onStarted);
  if (taken === undefined) throw new Error("Its task was not due.");
  const { message, task } = taken;
  const outcome = { status: "failed", error, isBuried } as const;
  const completion = { ref: message.ref, attempt: task.attempt, outcome, message, takeNext: undefined };
  await store.completeTask(completion, onFailed(message.ref, task.attempt, error, "continue"));
}

/** Runs a command to its end, in a process of its own where it takes files or is another program's. */
async function run(
  command: string,
): Promise<{ readonly status: number; readonly output: string; readonly error: string }> {
  const [program, ...words] = command.split(" ");
  const isOwn =
    program === "./reelmill" && !/\.(mp4|key)\b/.test(command) && !["up", "worker"].includes(words[0] ?? "");
  if (isOwn) return await reelmill(words, { environment: { PATH: process.env["PATH"] ?? "", ...environment } });
  const line = command.replace("./reelmill", `${process.execPath} ${join(ROOT, "src/apps/cli/main.ts")}`);
  const env = { ...process.env, ...environment };
  const { stdout, stderr } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", line], { cwd: folder, env });
  return { status: 0, output: stdout, error: stderr };
}

/** Starts what stays until it is told to end, waits until it is ready, and ends it. Gives its exit status. */
async function runUntilReady(command: string): Promise<number | null> {
  const isServer = command.startsWith("./reelmill up");
  // A server of one machine, beside those of the place.
  const own = isServer ? { REELMILL_BACKEND: "local", REELMILL_PORT: "0" } : environment;
  const child = spawn(process.execPath, [join(ROOT, "src/apps/cli/main.ts"), ...command.split(" ").slice(1)], {
    cwd: folder,
    env: { ...process.env, ...own },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece: Buffer) => {
      said += String(piece);
      // A second signal would end it in the middle of its work.
      if (!child.killed && /Reelmill is up|Waiting for work/.test(said)) child.kill("SIGTERM");
    });
  }
  return await ended;
}

it("has commands on each page", () => {
  expect(PAGES.length).toBeGreaterThan(12);
  expect(new Set(COMMANDS.map(([page]) => page)).size).toBe(PAGES.length);
});

it.each(COMMANDS)(
  "%s: %s",
  async (_page, command) => {
    const meant = command.replace(/(?<=dead-letters \w+ )\d\b/, (id) => letters[LETTERS.indexOf(id)] ?? id);
    if (/^\.\/reelmill (up|worker(?! --job))/.test(command)) {
      expect(await runUntilReady(meant)).toBe(0);
      return;
    }
    const { status, output, error } = await run(meant);
    expect(error).not.toMatch(/^reelmill: /m);
    // What is found wrong is no failure of a diagnosis.
    expect([0, command.includes(" diagnose") ? 1 : 0]).toContain(status);
    if (command.startsWith("./reelmill")) expect(output + error).not.toBe("");
  },
  SLOW_MS,
);
