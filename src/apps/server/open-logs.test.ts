import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createJobLogs, type JobLogs } from "../../adapters/local/job-logs.ts";
import { createLocalObjectStore } from "../../adapters/local/object-store.ts";
import { loadConfig } from "../../base/config.ts";
import { mergeLogLines } from "../../jobs/log-lines.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { readAwsHome } from "../aws-settings.ts";
import type { Home } from "../parts.ts";
import { openLogs } from "./open-logs.ts";

const JOB = "0190a1b2-0000-7000-8000-000000000000";
const FROM_MS = Date.parse("2026-01-31T12:00:00.000Z");

let folder: string;
let own: JobLogs;
let objects: ObjectStore;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-logs-"));
  own = createJobLogs(folder);
  objects = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });
  for (const text of [line(0, "server"), line(0, "server"), line(3, "both"), line(-9, "early")]) own.write(text);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function line(second: number, message: string): string {
  const timestamp = new Date(FROM_MS + second * 1000).toISOString();
  return `${JSON.stringify({ level: "info", timestamp, job_id: JOB, message })}\n`;
}

function homeOf(groups: string, endpoint: string): Home {
  const environment = {
    S3_BUCKET: "videos",
    DYNAMODB_TABLE: "jobs",
    AWS_REGION: "eu-central-1",
    CLOUDWATCH_LOG_GROUPS: groups,
    REELMILL_LOGS_ENDPOINT: endpoint,
  };
  return readAwsHome(environment, loadConfig(environment).server, folder);
}

async function messagesOf(home: Home, kept: JobLogs | undefined): Promise<readonly unknown[]> {
  const logs = openLogs(home, { own: kept, objects });
  try {
    const lines = await logs.read({ jobId: JOB, limit: 10, fromMs: FROM_MS, untilMs: undefined });
    return lines.map((each) => (each as { readonly message: unknown }).message);
  } finally {
    await logs.close();
  }
}

it("puts the machine's own lines and those of the log groups into one order, each once", async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    asked.push(JSON.parse(text).logGroupName);
    const messages = [line(5, "worker"), line(3, "both"), line(1, "worker")].map((message) => ({ message }));
    response
      .writeHead(200, { "content-type": "application/x-amz-json-1.1" })
      .end(JSON.stringify({ events: asked.at(-1) === "/workers" ? messages : [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const home = homeOf("/workers, /api", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    expect(await messagesOf(home, own)).toEqual(["server", "server", "worker", "both", "worker"]);
    // A worker on a machine of somebody's own shares its lines.
    await objects.put(`logs/${JOB}/worker.jsonl`, Readable.from([Buffer.from(line(3, "both") + line(4, "own"))]));
    expect(await messagesOf(home, undefined)).toEqual(["worker", "both", "own", "worker"]);
    await objects.delete(`logs/${JOB}/worker.jsonl`);
    expect(asked.toSorted()).toEqual(["/api", "/api", "/workers", "/workers"]);
    expect(openLogs(home, { own, objects }).delayMs).toBe(15_000);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it("asks nobody where there are no groups, but takes what machines shared", async () => {
  const home = homeOf("", "http://127.0.0.1:9");
  expect(await messagesOf(home, own)).toEqual(["server", "server", "both"]);
  const shared = Readable.from([Buffer.from(line(1, "other") + line(3, "both") + line(-9, "early"))]);
  await objects.put(`logs/${JOB}/other.jsonl`, shared);
  expect(await messagesOf(home, own)).toEqual(["server", "server", "other", "both"]);
  expect(await messagesOf(home, undefined)).toEqual(["other", "both"]);
  expect(await messagesOf({ backend: "local", data: folder, mounts: {} }, own)).toEqual(["server", "server", "both"]);
  expect(openLogs(home, { own, objects }).delayMs).toBe(6000);
});

it("gives the last lines of all", () => {
  const [a, b, c] = [1, 2, 3].map((second) => JSON.parse(line(second, "m")));
  expect(mergeLogLines([[a, c], [b]], 2)).toEqual([b, c]);
});
