import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createMemorySource } from "../../src/media/bytes/byte-source.ts";
import { checkPresentation } from "../../src/media/hls/check/check-presentation.ts";
import type { OpenSource } from "../../src/media/hls/check/presentation.ts";
import { createDecrypter } from "../../src/pipelines/hls/encrypt.ts";
import { createJobsClient } from "./jobs.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";

interface Job {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly result: { readonly playlist: string; readonly report: { readonly pictures: number } } | null;
}

const folder = mkdtempSync(join(tmpdir(), "reelmill-hls-job-"));
const KEY = Buffer.from("only the server.");
let server: RunningServer;
const { post, put, run } = createJobsClient<Job>(() => server);

beforeAll(async () => {
  const clip = join(folder, "clip.mp4");
  const inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=7", "-f", "lavfi", "-i", "sine=d=7"];
  execFileSync("ffmpeg", ["-v", "error", ...inputs, ..."-c:v libx264 -preset ultrafast -c:a aac".split(" "), clip]);
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "keys", "match.key"), KEY);
  server = await startServer(folder, await findFreePort(), { REELMILL_HLS_KEY_FOLDER: join(folder, "keys") });
  await put("uploads/clip.mp4", readFileSync(clip));
  await put("uploads/notes.mp4", Buffer.from("no recording"));
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Reads a package as players do, over HTTP. */
function remoteOpener(prefix: string): OpenSource {
  return async (path) => {
    const answer = await fetch(`${server.url}/v1/objects/${prefix}${path}`);
    expect(answer.status).toBe(200);
    return { ...createMemorySource(new Uint8Array(await answer.arrayBuffer())), close: () => undefined };
  };
}

it("puts a package below the job's outputs that players can read over HTTP", async () => {
  const job = await run("hls", { input: "uploads/clip.mp4", preset: "ultrafast", segments: "separate" });
  expect({ status: job.status, error: job.error }).toEqual({ status: "succeeded", error: null });
  const prefix = `outputs/${job.id}/`;
  expect(job.result?.playlist).toBe(`${prefix}main.m3u8`);
  expect(job.result?.report.pictures).toBe(175);
  const { isConforming, rules } = await checkPresentation(
    remoteOpener(prefix),
    "main.m3u8",
    new AbortController().signal,
  );
  expect(rules.filter(({ level, outcome }) => level === "must" && outcome === "failed")).toEqual([]);
  expect(isConforming).toBe(true);
  expect((await fetch(`${server.url}/v1/objects/${prefix}poster.jpg`)).status).toBe(200);
  // What the stages handed each other is gone.
  expect((await fetch(`${server.url}/v1/objects/${prefix}parts/plan.json`)).status).toBe(404);
}, 60_000);

it("encrypts with a key that the job names, and that no answer of the server holds", async () => {
  const settings = { preset: "ultrafast", segments: "ts", encryptKeyUri: "https://keys.example/match" };
  const job = await run("hls", { input: "uploads/clip.mp4", ...settings, encryptKey: "match" });
  expect({ status: job.status, error: job.error }).toEqual({ status: "succeeded", error: null });
  const open = remoteOpener(`outputs/${job.id}/`);
  const { signal } = new AbortController();
  const { rules } = await checkPresentation(open, "main.m3u8", signal, createDecrypter(KEY));
  const unmet = rules.filter(({ level, outcome }) => level === "must" && /failed|checked/.test(outcome));
  expect(unmet).toEqual([]);
  const told = await fetch(`${server.url}/v1/jobs/${job.id}`).then((answer) => answer.text());
  expect(told).not.toContain(KEY.toString());
  const missing = await run("hls", { input: "uploads/clip.mp4", ...settings, encryptKey: "other" });
  expect(missing.error?.code).toBe("PARAMS_INVALID");
  expect(missing.error?.message).not.toContain(folder);
}, 60_000);

it("encrypts samples where the job says so", async () => {
  const settings = { preset: "ultrafast", encryptKeyUri: "https://keys.example/match", encryptMethod: "sample-aes" };
  const job = await run("hls", { input: "uploads/clip.mp4", ...settings, encryptKey: "match" });
  expect({ status: job.status, error: job.error }).toEqual({ status: "succeeded", error: null });
  const { signal } = new AbortController();
  const { rules, isConforming } = await checkPresentation(remoteOpener(`outputs/${job.id}/`), "main.m3u8", signal);
  expect(isConforming).toBe(true);
  expect(rules.find(({ id }) => id === "sample-encryption")?.outcome).toBe("passed");
  const params = { input: "uploads/clip.mp4", encryptMethod: "sample-aes" };
  const { status, body } = await post<{ readonly code: string; readonly detail: string }>("jobs", {
    pipeline: "hls",
    params,
  });
  expect([status, body.code, body.detail]).toEqual([400, "PARAMS_INVALID", expect.stringContaining("encryptMethod")]);
}, 60_000);

it("tells in terms of keys why there is no package", async () => {
  const job = await run("hls", { input: "uploads/notes.mp4" });
  expect(job.status).toBe("failed");
  expect(job.error?.code).toBe("INPUT_NOT_VIDEO");
  expect(job.error?.message).toContain("uploads/notes.mp4");
  expect(job.error?.message).not.toContain(folder);
}, 60_000);
