import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CloudRepairOptions, createCloudRepair } from "../../src/apps/edge/cloud-repair.ts";
import type { RepairOutcome } from "../../src/apps/edge/index.ts";
import { systemClock } from "../../src/base/clock.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { createLogger } from "../../src/base/log.ts";
import { makeRecordings, type Recordings } from "../e2e/recordings.fixture.ts";
import { countPackets, hashOf } from "../e2e/workplace.fixture.ts";
import { type StandIn, startStandIn } from "./batch-api.fixture.ts";
import { createTestEdge, createTestFolder, listAll, stateOf } from "./edge.fixture.ts";

const made = createTestFolder();
let recordings: Recordings;
let folder: ReturnType<typeof createTestFolder>;
let standIn: StandIn;
let logged: string[];

beforeAll(() => {
  recordings = makeRecordings(join(made.path, "files"));
});
afterAll(() => made.remove());

beforeEach(async () => {
  folder = createTestFolder();
  standIn = await startStandIn(folder.path);
  logged = [];
});
afterEach(async () => {
  await standIn.close();
  folder.remove();
});

function optionsFor(overrides: Partial<CloudRepairOptions> = {}): CloudRepairOptions {
  return {
    baseUrl: standIn.baseUrl,
    apiKey: standIn.apiKey,
    retries: 3,
    firstRetryMs: 1,
    pollIntervalMs: 1,
    referenceStrategy: "smallest",
    clock: systemClock,
    log: createLogger({ format: "json", level: "debug", write: (line) => logged.push(line) }),
    ...overrides,
  };
}

function repairThere(
  overrides: Partial<CloudRepairOptions> = {},
  signal = new AbortController().signal,
): Promise<RepairOutcome> {
  return createCloudRepair(optionsFor(overrides)).repair({
    input: recordings.damaged,
    references: [recordings.reference],
    outputFolder: folder.path,
    key: "",
    signal,
    onJob: () => undefined,
    onProgress: () => undefined,
  });
}

const busy = (response: ServerResponse): void => {
  response.writeHead(503).end("busy");
};

describe("a file that lacks a reference", () => {
  const needed: RepairOutcome = {
    status: "failed",
    error: { code: "REFERENCE_REQUIRED", message: "Give a healthy recording." },
    report: null,
  };
  const refused: RepairOutcome = { ...needed, error: { code: "CLOUD_JOB_FAILED", message: "None fits there." } };
  const unreachable = () => Promise.reject(new ReelmillError("CLOUD_UNREACHABLE", "Nobody answers."));

  it.each([
    ["waits on where the cloud has none either", () => Promise.resolve(refused), "waiting-for-reference", 0],
    ["is tried again where the cloud does not answer", unreachable, "stable", 1],
  ])("%s", async (_what, repairInCloud, state, putOff) => {
    const root = join(folder.path, "share");
    mkdirSync(join(root, "ready"), { recursive: true });
    copyFileSync(recordings.damaged, join(root, "ready", "a.mp4"));
    const { service } = createTestEdge(
      root,
      {},
      { repair: { repair: () => Promise.resolve(needed) }, cloud: { repair: repairInCloud } },
    );
    await service.scanNow();
    await service.settled();
    expect(stateOf(service.status(), "a.mp4")).toBe(state);
    expect(service.status().counters).toMatchObject({ putOff });
    await service.stop();
    expect(listAll(join(root, "ready"))).toEqual(["a.mp4"]);
    expect(listAll(join(root, "quarantine"))).toEqual([]);
  });
});

describe("the repair by the batch API", () => {
  it("brings a file that could not be repaired here back whole, and shows the key to the API alone", async () => {
    const root = join(folder.path, "share");
    mkdirSync(join(root, "ready"), { recursive: true });
    copyFileSync(recordings.damaged, join(root, "ready", "Zürich 1.mp4"));
    copyFileSync(recordings.reference, join(root, "ready", "healthy.mp4"));
    const { service, logged: watched } = createTestEdge(
      root,
      {},
      {
        repair: {
          repair: () =>
            Promise.resolve({ status: "failed", error: { code: "NOTHING_RECOVERED", message: "No." }, report: null }),
        },
        cloud: createCloudRepair(optionsFor()),
      },
    );
    await service.scanNow();
    await service.settled();
    await service.stop();
    expect(listAll(join(root, "export"))).toEqual(["Zürich 1.mp4"]);
    expect(countPackets(join(root, "export", "Zürich 1.mp4"))).toBeGreaterThan(50);
    expect(hashOf(join(root, "originals", "Zürich 1.mp4"))).toBe(hashOf(recordings.damaged));
    const report = readFileSync(join(root, "originals", "Zürich 1.mp4.report.json"), "utf8");
    expect(JSON.parse(report)).toMatchObject({ repairedBy: "cloud", cloud: { job_id: "untrunc-a1b2c3d4e5f6" } });
    expect(standIn.submitted).toEqual([
      {
        input_prefix: expect.stringMatching(/^edge\/[0-9a-f-]{36}$/),
        reference_key: expect.stringMatching(/^edge\/[0-9a-f-]{36}\/reference\.mp4$/),
        reference_strategy: "smallest",
      },
    ]);
    expect(JSON.stringify(standIn.storeHeaders)).not.toContain(standIn.apiKey);
    const written = [report, ...watched, ...logged].join();
    expect(written).toContain("untrunc-a1b2c3d4e5f6");
    expect(written).not.toContain(standIn.apiKey);
    expect(written).not.toContain("s3cret");
  });

  it("sends again what failed for a while, as often as it may", async () => {
    // A link and what is sent by it are tried together.
    standIn.upset("POST /prod/upload-url", busy, busy);
    standIn.upset("STORE PUT", (response) => response.destroy());
    standIn.upset("STORE GET", (response) => {
      response.setHeader("content-length", 1000);
      response.write("cut");
      setTimeout(() => response.destroy(), 5);
    });
    expect(await repairThere()).toMatchObject({ status: "repaired" });
    standIn.upset("POST /prod/upload-url", busy, busy, busy, busy);
    await expect(repairThere()).rejects.toMatchObject({ code: "CLOUD_UNREACHABLE" });
  });

  it("sends a file in parts where it is told to, each anew that broke", async () => {
    standIn.upset("POST /prod/upload-url", (response) => {
      response.end(JSON.stringify({ upload_id: "the upload", part_bytes: 50_000 }));
    });
    standIn.upset("STORE PUT", (response) => response.destroy());
    expect(await repairThere()).toMatchObject({ status: "repaired" });
    const parts = Math.ceil(statSync(recordings.damaged).size / 50_000);
    expect(parts).toBeGreaterThan(1);
    // The reference comes whole.
    expect(standIn.seen.filter((name) => name === "STORE PUT")).toHaveLength(parts + 1 + 1);
    expect(standIn.seen.filter((name) => name === "POST /prod/complete-upload")).toHaveLength(1);
  });

  it("gives up at once where it is refused, and keeps the key out of what it says", async () => {
    const failure = await repairThere({ apiKey: "wr0ng" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CLOUD_REFUSED", message: expect.stringContaining("status 401") });
    expect(String(failure)).not.toContain("wr0ng");
    expect(standIn.seen).toEqual(["POST /prod/upload-url"]);
  });

  it("follows no redirect", async () => {
    standIn.upset("POST /prod/upload-url", (response) => {
      response.writeHead(307, { location: `${standIn.baseUrl}elsewhere` }).end();
    });
    await expect(repairThere()).rejects.toMatchObject({ code: "CLOUD_REFUSED" });
    expect(standIn.seen).toEqual(["POST /prod/upload-url"]);
  });

  it.each([
    ["<html>", "no JSON"],
    ['{"url":"file:///etc/passwd"}', "an address of another kind"],
  ])("takes %s (%s) for no answer", async (text) => {
    standIn.upset("POST /prod/upload-url", (response) => response.end(text));
    await expect(repairThere()).rejects.toMatchObject({ code: "CLOUD_REFUSED" });
  });

  it("says why a job failed, and gives up one that is not done in time", async () => {
    standIn.jobStatus = "FAILED";
    expect(await repairThere()).toMatchObject({
      status: "failed",
      error: { code: "CLOUD_JOB_FAILED", message: expect.stringContaining("said the stand-in") },
    });
    standIn.jobStatus = "RUNNING";
    expect(await repairThere({ jobTimeoutMs: 20 })).toMatchObject({
      status: "failed",
      error: { code: "CLOUD_JOB_FAILED", message: expect.stringContaining("in time") },
    });
  });

  it("ends when it is told to", async () => {
    standIn.jobStatus = "RUNNING";
    const controller = new AbortController();
    const work = repairThere({ pollIntervalMs: 60_000 }, controller.signal);
    setTimeout(() => controller.abort(), 300);
    await expect(work).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("says so where nobody answers", async () => {
    await expect(repairThere({ baseUrl: "http://127.0.0.1:9/", retries: 1 })).rejects.toMatchObject({
      code: "CLOUD_UNREACHABLE",
    });
  });
});
