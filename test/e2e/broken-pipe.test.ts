import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { makeRecordings } from "./recordings.fixture.ts";
import { findFreePort, startServer } from "./server.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-pipe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("goes on working when nobody reads what server and workers say", async () => {
  const { damaged, reference } = makeRecordings(join(folder, "made"), join(folder, "cache"));
  const server = await startServer(folder, await findFreePort());
  try {
    server.process.stderr?.destroy();
    server.process.stdout?.destroy();
    for (const [name, path] of Object.entries({ damaged, reference })) {
      const body = readFileSync(path);
      expect((await fetch(`${server.url}/v1/objects/uploads/k/${name}.mp4`, { method: "PUT", body })).status).toBe(201);
    }
    const params = { inputs: ["uploads/k/damaged.mp4"], references: ["uploads/k/reference.mp4"], verify: "none" };
    const made = await fetch(`${server.url}/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pipeline: "repair", params }),
    });
    let job = (await made.json()) as { readonly id: string; readonly status: string; readonly attempt: number };
    while (job.status === "queued" || job.status === "running") {
      await delay(50);
      job = (await (await fetch(`${server.url}/v1/jobs/${job.id}`)).json()) as typeof job;
    }
    expect(job.status).toBe("succeeded");
    const { tasks } = (await (await fetch(`${server.url}/v1/jobs/${job.id}/tasks`)).json()) as {
      readonly tasks: readonly { readonly attempt: number }[];
    };
    // No worker was lost over it.
    expect(tasks.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  } finally {
    expect(await server.stop()).toBe(0);
  }
}, 60_000);
