import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeRecordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-worker-"));
const SECRETS = {
  REELMILL_WEBHOOK_SECRETS: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  REELMILL_WEBHOOK_URLS: "http://127.0.0.1:1/secret",
  REELMILL_API_KEY: "secret",
};
let server: RunningServer;

beforeAll(async () => {
  const { damaged, reference } = makeRecordings(join(folder, "made"));
  server = await startServer(folder, await findFreePort(), {
    ...SECRETS,
    LOG_LEVEL: "debug",
    REELMILL_WEBHOOK_PRIVATE_NETWORKS: "true",
  });
  for (const [name, path] of Object.entries({ damaged, reference })) {
    const body = readFileSync(path);
    expect((await fetch(`${server.url}/v1/objects/uploads/k/${name}.mp4`, { method: "PUT", body })).status).toBe(201);
  }
}, 60_000);
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  rmSync(folder, { recursive: true, force: true });
});

/** Has a recording repaired; gives the job's end and how often each of its tasks was begun. */
async function repair(): Promise<{ readonly status: string; readonly attempts: readonly number[] }> {
  const params = { inputs: ["uploads/k/damaged.mp4"], references: ["uploads/k/reference.mp4"], verify: "none" };
  const made = await fetch(`${server.url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ pipeline: "repair", params }),
  });
  let job = (await made.json()) as { readonly id: string; readonly status: string };
  while (job.status === "queued" || job.status === "running") {
    await delay(50);
    job = (await (await fetch(`${server.url}/v1/jobs/${job.id}`)).json()) as typeof job;
  }
  const { tasks } = (await (await fetch(`${server.url}/v1/jobs/${job.id}/tasks`)).json()) as {
    readonly tasks: readonly { readonly attempt: number }[];
  };
  return { status: job.status, attempts: tasks.map(({ attempt }) => attempt) };
}

it("goes on when nobody reads what server and workers say", async () => {
  server.process.stderr?.destroy();
  server.process.stdout?.destroy();
  // No worker was lost over it.
  expect(await repair()).toEqual({ status: "succeeded", attempts: [1, 1, 1] });
}, 60_000);

it("knows none of the server's secrets", async () => {
  expect(await repair()).toMatchObject({ status: "succeeded" });
  const environments = server.workers().map((pid) => readFileSync(`/proc/${pid}/environ`, "latin1"));
  expect(environments.length).toBeGreaterThan(0);
  for (const environment of environments) {
    expect(environment).toContain("LOG_LEVEL=debug");
    for (const name of Object.keys(SECRETS)) expect(environment).not.toContain(name);
  }
}, 60_000);
