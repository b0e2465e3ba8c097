/**
 * A repair through the server next to the same one on the command line, on a recording of 1 GB: `node bench/overhead/main.ts [rounds]`.
 * In turns; the file lies on one file system with the data folder, and is linked into the object store, as an upload is moved there.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { makeLongRecording } from "../repair/long-recording.ts";

const LAUNCHER = fileURLToPath(new URL("../../reelmill", import.meta.url));
const BYTES = 1e9;
const POLL_MS = 10;
const TARGET = 1.05;

const folder = mkdtempSync(join(process.env["REELMILL_BENCH_FOLDER"] ?? tmpdir(), "reelmill-overhead-"));
const at = (name: string): string => join(folder, name);

/** Dirty pages of the step before would otherwise be written back at this one's expense. */
function settle(): void {
  spawnSync("sync");
}

function onCommandLine(): number {
  settle();
  const startMs = performance.now();
  execFileSync(LAUNCHER, ["repair", at("damaged.mp4"), "-r", at("reference.mp4"), "-o", at("out.mp4")], {
    stdio: "pipe",
  });
  const elapsedMs = performance.now() - startMs;
  rmSync(at("out.mp4"));
  return elapsedMs;
}

interface Job {
  readonly id: string;
  readonly status: string;
  readonly result: { readonly files: readonly { readonly output: string }[] };
}

async function submit(url: string): Promise<Job> {
  const params = { inputs: ["uploads/b/damaged.mp4"], references: ["uploads/b/reference.mp4"] };
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ pipeline: "repair", params });
  return (await (await fetch(`${url}/v1/jobs`, { method: "POST", headers, body })).json()) as Job;
}

/** Waits for the job's end; gives what it brought. */
async function finished(url: string, submitted: Job): Promise<string> {
  let job = submitted;
  while (job.status === "queued" || job.status === "running") {
    await delay(POLL_MS);
    job = (await (await fetch(`${url}/v1/jobs/${job.id}`)).json()) as Job;
  }
  if (job.status !== "succeeded") throw new Error(`The job ended as ${job.status}.`);
  return at(join("data", "objects", job.result.files[0]?.output ?? ""));
}

async function byServer(url: string): Promise<number> {
  settle();
  const startMs = performance.now();
  const output = await finished(url, await submit(url));
  const elapsedMs = performance.now() - startMs;
  rmSync(output);
  return elapsedMs;
}

interface Event {
  readonly type: string;
  readonly data: { readonly attempt?: number };
}

/** Seconds from the SIGKILL of the worker in the middle of the repair until another one has begun with it anew. */
async function recover({ url, pid }: Server): Promise<number> {
  const job = await submit(url);
  const hasBegun = async (attempt: number): Promise<boolean> => {
    const { events } = (await (await fetch(`${url}/v1/jobs/${job.id}/events`)).json()) as { events: readonly Event[] };
    return events.some(({ type, data }) => type === "task.started" && data.attempt === attempt);
  };
  const begun = async (attempt: number): Promise<void> => {
    while (!(await hasBegun(attempt))) await delay(POLL_MS);
  };
  await begun(1);
  const workers = execFileSync("pgrep", ["-P", String(pid), "-f", "worker/main"], { encoding: "utf8" });
  for (const worker of workers.trim().split("\n")) process.kill(Number(worker), "SIGKILL");
  const startMs = performance.now();
  await begun(2);
  const elapsedMs = performance.now() - startMs;
  rmSync(await finished(url, job));
  return elapsedMs / 1000;
}

interface Server {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

async function startServer(): Promise<Server> {
  mkdirSync(at("data/objects/uploads/b"), { recursive: true });
  for (const name of ["damaged.mp4", "reference.mp4"]) linkSync(at(name), at(`data/objects/uploads/b/${name}`));
  const child = spawn(LAUNCHER, ["up", "--data", at("data"), "--no-watch", "--port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url === undefined) continue;
    const stop = async (): Promise<void> => {
      child.kill("SIGTERM");
      await ended;
    };
    return { url, pid: child.pid ?? 0, stop };
  }
  throw new Error("The server did not start.");
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 7);
  try {
    makeLongRecording(folder, BYTES);
    const server = await startServer();
    const commandMs: number[] = [];
    const serverMs: number[] = [];
    const recoveryS: number[] = [];
    try {
      onCommandLine();
      await byServer(server.url);
      for (let round = 0; round < rounds; round++) {
        commandMs.push(onCommandLine());
        serverMs.push(await byServer(server.url));
      }
      for (let round = 0; round < rounds; round++) recoveryS.push(await recover(server));
    } finally {
      await server.stop();
    }
    const ratio = median(serverMs) / median(commandMs);
    const show = (values: readonly number[]): string => values.map((ms) => (ms / 1000).toFixed(2)).join(" ");
    console.log(`command line  median ${(median(commandMs) / 1000).toFixed(2)} s  (${show(commandMs)})`);
    console.log(`server        median ${(median(serverMs) / 1000).toFixed(2)} s  (${show(serverMs)})`);
    const shown = recoveryS.map((seconds) => seconds.toFixed(2)).join(" ");
    console.log(
      `after SIGKILL of the worker the repair begins anew within ${median(recoveryS).toFixed(2)} s  (${shown})`,
    );
    console.log(`ratio         ${ratio.toFixed(3)}, wanted: at most ${TARGET}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
