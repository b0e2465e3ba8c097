import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { DeliveryRecord } from "../../src/apps/server/dependencies.ts";
import { DEFAULT_LIMITS } from "../../src/apps/server/limits.ts";
import { ALL_ROUTES } from "../../src/apps/server/routes/all-routes.ts";
import { startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { createFakeClock } from "../support/fake-clock.ts";

let server: TestServer;
afterEach(async () => await server.stop());
const codeOf = async (response: Response): Promise<string> => VIEWS.problem.parse(await response.json()).code;

describe("state", () => {
  it("shows figures, the system and health as the interface says", async () => {
    server = await startServer();
    await server.post("/v1/jobs", { pipeline: "echo", params: { text: "a" } });
    const stats = VIEWS.stats.parse(await (await server.ask("/v1/stats")).json());
    expect(stats).toMatchObject({ jobs: { byStatus: { queued: 1 } }, queues: [{ waiting: 1 }], workers: { max: 2 } });
    expect(VIEWS.system.parse(await (await server.ask("/v1/system")).json())).toMatchObject({ version: "1.2.3" });
    const health = VIEWS.health.parse(await (await server.ask("/health")).json());
    expect(health).toMatchObject({
      status: "healthy",
      scanner_running: false,
      known_files: 0,
      current_reference: null,
    });
    expect(VIEWS.state.parse(await (await server.ask("/health/live")).json())).toEqual({ status: "ok" });
    expect((await server.ask("/health/ready")).status).toBe(200);
  });

  it("is not ready where the disk or the database is away", async () => {
    server = await startServer();
    await rm(server.uploadFolder, { recursive: true });
    await writeFile(server.uploadFolder, "in the way");
    const response = await server.ask("/health/ready");
    expect([response.status, await codeOf(response)]).toEqual([503, "STORE_UNAVAILABLE"]);
    const health = await server.ask("/health");
    expect([health.status, VIEWS.health.parse(await health.json()).status]).toEqual([200, "degraded"]);
    expect((await server.ask("/health/live")).status).toBe(200);
  });

  it("says so of a full disk without a word of uploads, and fills no log with it", async ({ skip }) => {
    const disk = await mkdtemp(join(tmpdir(), "reelmill-full-"));
    const clock = createFakeClock();
    server = await startServer({ uploadFolder: disk, clock });
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      await rm(disk, { recursive: true });
      skip("mounting is not permitted here");
    }
    try {
      await writeFile(join(disk, "fill"), Buffer.alloc(64 * 1024)).catch(() => undefined);
      for (let probes = 0; probes < 5; probes++) {
        const ready = await server.ask("/health/ready");
        expect([ready.status, await codeOf(ready)]).toEqual([507, "NO_SPACE"]);
        const { reason } = VIEWS.health.parse(await (await server.ask("/health")).json());
        expect(reason).toMatch(/^The disk of the data folder is full\. New jobs and uploads are refused/);
        clock.advance(3000);
      }
      await rm(join(disk, "fill"));
      expect((await server.ask("/health/ready")).status).toBe(200);
      const told = server.lines.map((line) => (JSON.parse(line) as { readonly message: string }).message);
      expect(told.filter((message) => message.startsWith("The server can"))).toEqual([
        "The server cannot take jobs.",
        "The server can take jobs again.",
      ]);
    } finally {
      execFileSync("umount", ["-l", disk]);
      await rm(disk, { recursive: true });
    }
  });

  it("tells what keeps jobs from being done, and the command that mends it", async () => {
    const clock = createFakeClock();
    const stats = { desired: 0, running: 0, busy: 0, max: 0 };
    server = await startServer({
      clock,
      workers: { stats: () => stats },
      checkPlace: async () => [{ check: "bucket", status: "ok", detail: "answers", command: null }],
      ffmpegFault: async () => "There is no ffmpeg.",
    });
    const look = async () => {
      const { checks } = VIEWS.checks.parse(await (await server.ask("/v1/checks")).json());
      return Object.fromEntries(checks.map(({ check, status, command }) => [check, [status, command]]));
    };
    expect(await look()).toEqual({
      bucket: ["ok", null],
      disk: ["failed", "reelmill jobs list --status succeeded"],
      ffmpeg: ["failed", "reelmill doctor"],
      queues: ["ok", null],
    });
    await server.post("/v1/jobs", { pipeline: "echo", params: { text: "a" } });
    expect(await look()).toMatchObject({ "queue echo": ["ok", null] });
    clock.advance(61_000);
    expect(await look()).toMatchObject({ "queue echo": ["failed", "reelmill worker"] });
    Object.assign(stats, { max: 1 });
    expect(await look()).toMatchObject({ "queue echo": ["failed", "reelmill doctor"] });
    await server.queue.setPaused("echo", true);
    expect(await look()).toMatchObject({ "queue echo": ["warning", "reelmill queues resume echo"] });
    await server.queue.setPaused("echo", false);
    const from = { owner: "w", leaseMs: 1000, queues: [{ name: "echo", maxInFlight: 1 }] };
    const message = await server.queue.receive(from);
    expect(await look()).toMatchObject({ "queue echo": ["ok", null] });
    // A failed try is put off, which nobody has to mend.
    if (message !== undefined) await server.queue.release(message, 8000);
    expect(await look()).toMatchObject({ "queue echo": ["ok", null] });
    clock.advance(8000);
    const again = await server.queue.receive(from);
    const [{ id = "" } = {}] = (await server.store.list({ limit: 1 })).jobs;
    const stand = async () => {
      const { messages } = VIEWS.messages.parse(await (await server.ask(`/v1/jobs/${id}/messages`)).json());
      return messages.map(({ state, holder }) => [state, holder]);
    };
    expect(await stand()).toEqual([["held", "w"]]);
    clock.advance(1001);
    expect(await stand()).toEqual([["lapsed", "w"]]);
    if (again !== undefined) await server.queue.bury(again, { code: "WORKER_LOST", message: "Gone." });
    expect(await look()).toMatchObject({ "queue echo": ["warning", "reelmill dead-letters list --queue echo"] });
    expect(await stand()).toEqual([]);
    const listDead = () => Promise.reject(new ReelmillError("STORE_UNAVAILABLE", "Away."));
    Object.assign(server.queue, { listDead });
    expect(await look()).toMatchObject({
      bucket: ["ok", null],
      "queue echo": ["failed", "reelmill dead-letters list --queue echo"],
    });
  });

  it("says nothing of the disk where the server does not live on, because nothing of jobs comes to lie there", async () => {
    // The disk of this fixture is full.
    const start = async (livesOn: boolean) => {
      server = await startServer({ limits: { ...DEFAULT_LIMITS, livesOn } });
      const { checks } = VIEWS.checks.parse(await (await server.ask("/v1/checks")).json());
      return checks.filter(({ status }) => status !== "ok").map(({ check }) => check);
    };
    expect(await start(true)).toEqual(["disk"]);
    await server.stop();
    expect(await start(false)).toEqual([]);
  });

  it("gives containers that are started for jobs the time that they take to come", async () => {
    const clock = createFakeClock();
    server = await startServer({ clock, workers: { stats: () => ({ desired: 0, running: 0, busy: 0, max: 0 }) } });
    Object.assign(server.batch, { startContainer: async () => "container" });
    await server.post("/v1/jobs", { pipeline: "echo", params: { text: "a" } });
    const look = async () => {
      const { checks } = VIEWS.checks.parse(await (await server.ask("/v1/checks")).json());
      return checks.find(({ check }) => check === "queue echo");
    };
    clock.advance(14 * 60_000);
    expect(await look()).toMatchObject({ status: "ok" });
    clock.advance(2 * 60_000);
    expect(await look()).toMatchObject({ status: "failed", detail: expect.stringContaining("AWS Batch") });
  });

  it("counts containers elsewhere, not at every request, and does without where they cannot be counted", async () => {
    const clock = createFakeClock();
    let asked = 0;
    const counts = [{ desired: 3, running: 1, pending: 2 }, undefined, { desired: 0, running: 0, pending: 0 }];
    const countContainers = async () => {
      const count = counts[asked++];
      if (count === undefined) throw new ReelmillError("STORE_REFUSED", "No right.");
      return count;
    };
    server = await startServer({ clock, countContainers });
    const look = async () => VIEWS.stats.parse(await (await server.ask("/v1/stats")).json()).containers;
    expect([await look(), await look(), asked]).toEqual([counts[0], counts[0], 1]);
    clock.advance(10_001);
    expect(await look()).toBeNull();
    clock.advance(10_001);
    expect(await look()).toEqual(counts[2]);
  });

  it("gives Prometheus jobs, queues, workers, requests by route, and the process", async () => {
    server = await startServer();
    await server.post("/v1/jobs", { pipeline: "echo", params: { text: "a" } });
    await server.ask("/v1/jobs/abc");
    const response = await server.ask("/metrics");
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    const text = await response.text();
    for (const line of [
      'reelmill_jobs{status="queued"} 1',
      'reelmill_queue_messages{queue="echo",state="waiting"} 1',
      'reelmill_queue_messages{queue="echo",state="dead"} 0',
      'reelmill_workers{state="max"} 2',
      'reelmill_http_request_duration_seconds_count{method="GET",route="/v1/jobs/:id",status="404"} 1',
      "process_resident_memory_bytes ",
    ]) {
      expect(text).toContain(line);
    }
  });
});

describe("the watch folder", () => {
  it("is told to be none where there is none", async () => {
    server = await startServer();
    expect(VIEWS.watch.parse(await (await server.ask("/v1/watch")).json())).toMatchObject({ isConfigured: false });
    for (const response of [
      await server.ask("/stats"),
      await server.post("/scan-now"),
      await server.post("/repair", { file: "a.mp4" }),
    ]) {
      expect([response.status, await codeOf(response)]).toEqual([409, "WATCH_NOT_CONFIGURED"]);
    }
  });

  it("is shown, looked at and repaired on request", async () => {
    const asked: string[] = [];
    const status = {
      isRunning: true,
      isPaused: true,
      reason: "The share is away.",
      fault: "Nothing can be exported: full.",
      readyFolder: "/r",
      exportFolder: "/e",
      quarantineFolder: "/q",
      currentReference: "good.mp4",
      knownFiles: [
        { name: "a.mp4", bytes: 5, state: "repairing", progress: 0.5, phase: "searching", error: null },
        { name: "b.mp4", bytes: 6, state: "growing", progress: 0, phase: "", error: null },
      ],
      counters: { exported: 1 },
    };
    server = await startServer({
      watch: {
        status: () => status,
        stats: () => ({ exported: 1 }),
        scanNow: async () => {
          asked.push("scan");
          throw new ReelmillError("STORE_UNAVAILABLE", "away");
        },
        repairNow: async (name) => {
          asked.push(name);
          if (name !== "a.mp4") throw new ReelmillError("INPUT_NOT_FOUND", "There is no such file.");
        },
      },
    });
    expect(VIEWS.watch.parse(await (await server.ask("/v1/watch")).json())).toMatchObject({
      isConfigured: true,
      reason: "The share is away.",
      files: [
        { name: "a.mp4", progress: 0.5, detail: "searching" },
        { name: "b.mp4", progress: null, detail: null },
      ],
    });
    expect(VIEWS.health.parse(await (await server.ask("/health")).json())).toMatchObject({
      status: "degraded",
      reason: "The share is away.",
      scanner_running: true,
      known_files: 2,
      current_reference: "good.mp4",
    });
    Object.assign(status, { isPaused: false, reason: "" });
    const still = { status: "degraded", reason: "Nothing can be exported: full." };
    expect(VIEWS.health.parse(await (await server.ask("/health")).json())).toMatchObject(still);
    expect(VIEWS.watch.parse(await (await server.ask("/v1/watch")).json())).toMatchObject({
      isPaused: false,
      reason: still.reason,
    });
    Object.assign(status, { fault: "" });
    expect(VIEWS.health.parse(await (await server.ask("/health")).json())).toMatchObject({ status: "healthy" });
    expect(await (await server.ask("/stats")).json()).toEqual({ exported: 1 });
    expect((await server.post("/scan-now")).status).toBe(202);
    expect((await server.post("/repair", { file: "a.mp4" })).status).toBe(202);
    expect((await server.post("/repair", { file: "../x" })).status).toBe(404);
    expect((await server.post("/repair", {})).status).toBe(400);
    expect(asked).toEqual(["scan", "a.mp4", "../x"]);
    expect(server.lines.join("")).toContain("could not be looked at");
  });
});

describe("webhooks", () => {
  it("lists deliveries and sends one again", async () => {
    const delivery: DeliveryRecord = {
      id: "d1",
      jobId: "j1",
      url: "https://hooks.example:444/services/secret",
      format: "standard",
      state: "failed",
      createdAtMs: 0,
      nextAttemptAtMs: null,
      attempts: [{ atMs: 1, durationMs: 2, status: null, error: { code: "WEBHOOK_FAILED", message: "No answer." } }],
    };
    const list = async ({ jobId }: { readonly jobId?: string | undefined }) =>
      [delivery].filter((one) => jobId === undefined || one.jobId === jobId);
    server = await startServer({
      deliveries: { list, redeliver: async (id) => (id === "d1" ? delivery : undefined) },
    });
    const shown = VIEWS.deliveries.parse(await (await server.ask("/v1/webhooks/deliveries?jobId=j1")).json());
    expect(shown.deliveries).toMatchObject([
      { id: "d1", url: "https://hooks.example:444/…", attempts: [{ error: "WEBHOOK_FAILED: No answer." }] },
    ]);
    expect(await (await server.ask("/v1/webhooks/deliveries?jobId=j2")).json()).toEqual({ deliveries: [] });
    expect((await server.post("/v1/webhooks/deliveries/d1/redeliver")).status).toBe(202);
    expect(await codeOf(await server.post("/v1/webhooks/deliveries/d2/redeliver"))).toBe("DELIVERY_NOT_FOUND");
  });
});

describe("documentation", () => {
  it("describes every route, with schemas that refer to what is there", async () => {
    server = await startServer();
    const text = await (await server.ask("/openapi.json")).text();
    const description = JSON.parse(text);
    expect(description.openapi).toBe("3.1.0");
    for (const { path, method } of ALL_ROUTES) {
      const operation = description.paths[path][method.toLowerCase()];
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const inPath = operation.parameters.filter((parameter: { in: string }) => parameter.in === "path");
      expect(inPath.map(({ name }: { name: string }) => name)).toEqual(named);
    }
    expect(text).not.toContain("__shared");
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
    expect(references.length).toBeGreaterThan(20);
    for (const name of references) expect(Object.keys(description.components.schemas)).toContain(name);
    expect(description.paths["/v1/jobs"].post.requestBody.required).toBe(true);
    expect(description.paths["/v1/dead-letters/replay"].post.requestBody.required).toBe(false);
    const { parameters, requestBody } = description.paths["/v1/jobs"].get;
    expect(requestBody).toBeUndefined();
    expect(parameters).toContainEqual({
      name: "limit",
      in: "query",
      required: false,
      schema: expect.objectContaining({ type: "integer", minimum: 1, maximum: 500, default: 50 }),
    });
  });

  it("is readable, explains every code, and runs nothing", async () => {
    server = await startServer();
    const page = await server.ask("/docs");
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(await page.text()).toContain("/v1/jobs/{id}/events");
    expect(await (await server.ask("/docs/errors")).text()).toContain('id="JOB_STATE"');
  });
});

describe("the dashboard", () => {
  const makeWeb = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), "reelmill-web-"));
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), "<title>dashboard</title>");
    await writeFile(join(folder, "assets", "main-0a1b2c3d.js"), "1;");
    await writeFile(join(folder, ".secret"), "hidden");
    await chmod(folder, 0o755);
    return folder;
  };

  it("is served with its policy; its own paths lead to it, and others do not", async () => {
    const folder = await makeWeb();
    const dashboard = { folder, findStore: async () => "https://videos.example:9000" };
    server = await startServer({ dashboard, apiKeyHashes: ["0".repeat(64)] });
    const html = { headers: { accept: "text/html,*/*" } };
    for (const path of ["/", "/index.html", "/jobs/abc", "/queues"]) {
      const response = await server.ask(path, html);
      expect([response.status, await response.text()]).toEqual([200, "<title>dashboard</title>"]);
      expect(response.headers.get("cache-control")).toBe("no-cache");
      expect(response.headers.get("content-security-policy")).toMatch(
        /^default-src 'self'; connect-src 'self' https:\/\/videos.example:9000; img-src .* https:\/\/videos.example:9000; /,
      );
    }
    const asset = await server.ask("/assets/main-0a1b2c3d.js");
    expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(asset.headers.get("content-type")).toMatch(/javascript/);
    for (const path of ["/v1/nope", "/assets/gone.js", "/health/nope"]) {
      const response = await server.ask(path, html);
      expect([response.status, await codeOf(response)]).toEqual([404, "NOT_FOUND"]);
    }
    expect((await server.ask("/jobs/abc")).status).toBe(404);
    expect(await (await server.ask("/.secret")).text()).not.toContain("hidden");
    expect((await server.ask("/v1/jobs", html)).status).toBe(401);
    await rm(folder, { recursive: true });
  });
});
