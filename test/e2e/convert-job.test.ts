import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createJobsClient } from "./jobs.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";

const SECONDS = 20;
const RATE = 10;

interface Job {
  readonly id: string;
  readonly status: string;
  readonly result: {
    readonly output: string;
    readonly report: {
      readonly spans: number;
      readonly pictures: number;
      readonly outputBytes: number;
      readonly search: { readonly predicted: { readonly bytes: number } } | null;
    };
  };
}

interface Task {
  readonly stage: string;
  readonly index: number;
  readonly status: string;
  readonly attempt: number;
}

const folder = mkdtempSync(join(tmpdir(), "reelmill-convert-job-"));
let server: RunningServer;
const { get, put, submit, ended, run, listKeys } = createJobsClient<Job>(() => server);

beforeAll(async () => {
  const clip = join(folder, "clip.mp4");
  const picture = `testsrc2=s=320x180:r=${RATE}:d=${SECONDS}`;
  const inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", `sine=d=${SECONDS}`];
  execFileSync("ffmpeg", ["-v", "error", ...inputs, ..."-c:v libx264 -preset ultrafast -c:a aac".split(" "), clip]);
  server = await startServer(folder, await findFreePort());
  await put("uploads/clip.mp4", readFileSync(clip));
  await put("uploads/notes.mp4", Buffer.from("no recording"));
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function listTasks(id: string): Promise<readonly Task[]> {
  return (await get<{ readonly tasks: readonly Task[] }>(`jobs/${id}/tasks`)).tasks;
}

it("goes on with the spans that it has when its workers are killed", async () => {
  const { id } = await submit("convert", { input: "uploads/clip.mp4", to: "vp9" });
  let before: readonly Task[] = [];
  const isHalfway = (task: Task): boolean => task.stage === "work" && task.status === "succeeded";
  while (!before.some(isHalfway)) {
    await delay(20);
    before = await listTasks(id);
  }
  for (const pid of server.workers()) process.kill(pid, "SIGKILL");
  const job = await ended(id);
  expect(job).toMatchObject({ status: "succeeded", result: { report: { pictures: SECONDS * RATE } } });
  expect(job.result.report.spans).toBeGreaterThan(2);
  const after = await listTasks(id);
  // What had succeeded was not done again.
  for (const { index } of before.filter(isHalfway)) {
    expect(after.find((task) => task.stage === "work" && task.index === index)?.attempt).toBe(1);
  }
  expect(await listKeys(`outputs/${id}/`)).toEqual([`outputs/${id}/output.webm`]);
  const output = await fetch(`${server.url}/v1/objects/${job.result.output}`);
  const path = join(folder, "output.webm");
  writeFileSync(path, Buffer.from(await output.arrayBuffer()));
  const count = "-v error -select_streams v -count_frames -show_entries stream=nb_read_frames -of csv=p=0".split(" ");
  expect(Number(execFileSync("ffprobe", [...count, path], { encoding: "utf8" }))).toBe(SECONDS * RATE);
}, 180_000);

it("searches the quality for a size in its first task, and tells what came of it", async () => {
  const params = { input: "uploads/clip.mp4", to: "h264", preset: "ultrafast", targetSize: "400kB" };
  const job = await run("convert", params);
  expect(job).toMatchObject({
    status: "succeeded",
    result: { report: { search: { aim: { kind: "size", bytes: 400_000 } } } },
  });
  const { search, outputBytes } = job.result.report;
  expect(outputBytes).toBeLessThanOrEqual(400_000);
  expect(Math.abs((search?.predicted.bytes ?? 0) / outputBytes - 1)).toBeLessThan(0.1);
  expect(await listKeys(`outputs/${job.id}/`)).toEqual([`outputs/${job.id}/output.mp4`]);
}, 120_000);

it("refuses aims that exclude each other when the job is submitted", async () => {
  const params = { input: "uploads/clip.mp4", to: "h264", quality: 20, targetSize: "1MB" };
  expect(await submit("convert", params)).toMatchObject({
    code: "PARAMS_INVALID",
    detail: expect.stringContaining("exclude"),
  });
});

it("tells in terms of keys why a file cannot be converted", async () => {
  const job = await run("convert", { input: "uploads/notes.mp4", to: "av1" });
  expect(job).toMatchObject({ status: "failed", error: { code: "INPUT_NOT_VIDEO" } });
  expect(JSON.stringify(job)).toContain("uploads/notes.mp4");
  expect(JSON.stringify(job)).not.toContain(folder);
}, 60_000);
