import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { readPage } from "../support/documentation.ts";
import { makeRecordings, type Recordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";
import { countPackets, hashOf } from "./workplace.fixture.ts";

const KEY = "the-key-of-the-cloud";
const NAME = "Zürich 1.mp4";
/** Two processes start, and the edge looks at its folder every second. */
const WAIT = { timeout: 60_000, interval: 200 };

let root: string;
let recordings: Recordings;
let cloud: RunningServer;
let edge: RunningServer;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "reelmill-batch-"));
  recordings = makeRecordings(join(root, "recordings"));
  const folder = (name: string): string => {
    mkdirSync(join(root, name));
    return join(root, name);
  };
  cloud = await startServer(folder("cloud"), await findFreePort(), {
    REELMILL_API_KEY_SHA256: createHash("sha256").update(KEY).digest("hex"),
  });
  edge = await startServer(folder("edge"), await findFreePort(), {
    AWS_REPAIR_API_BASE_URL: `${cloud.url}/`,
    AWS_API_KEY: KEY,
    SCAN_INTERVAL_SECONDS: "1",
    MIN_FILE_AGE_SECONDS: "0",
  });
});

afterAll(async () => {
  await Promise.all([edge, cloud].map((server) => server?.stop()));
  rmSync(root, { recursive: true, force: true });
});

it("is used as the guide shows it", async () => {
  const folder = join(root, "client");
  mkdirSync(folder);
  copyFileSync(recordings.reference, join(folder, "healthy.mp4"));
  copyFileSync(recordings.damaged, join(folder, "broken.mp4"));
  const blocks = [...readPage("docs/guide/batch-api.md").matchAll(/^```bash\n(.*?)^```$/gms)].map(([, text]) => text);
  const env = { ...process.env, SERVER: cloud.url, KEY };
  await promisify(execFile)("bash", ["-euo", "pipefail", "-c", blocks.join("\n")], { cwd: folder, env });
  expect(blocks.length).toBe(2);
  expect(countPackets(join(folder, "mended.mp4"))).toBeGreaterThan(50);
});

it("mends in the cloud what the edge has no fitting reference for, and brings it home", async () => {
  const kept = await fetch(`${cloud.url}/v1/objects/references/camera/good.mp4`, {
    method: "PUT",
    headers: { "x-api-key": KEY },
    body: readFileSync(recordings.reference),
  });
  expect(kept.status).toBe(201);
  const share = join(root, "edge", "watch");
  // It plays, so that it is offered as a reference; but it is of another camera.
  copyFileSync(recordings.foreign, join(share, "ready", "other camera.mov"));
  copyFileSync(recordings.damaged, join(share, "ready", NAME));
  await vi.waitFor(() => expect(existsSync(join(share, "originals", `${NAME}.report.json`))).toBe(true), WAIT);
  expect(readdirSync(join(share, "export"))).toEqual([NAME]);
  expect(readdirSync(join(share, "ready"))).toEqual(["other camera.mov"]);
  expect(readdirSync(join(share, "quarantine"))).toEqual([]);
  expect(hashOf(join(share, "originals", NAME))).toBe(hashOf(recordings.damaged));
  expect(countPackets(join(share, "export", NAME))).toBeGreaterThan(50);
  const report = JSON.parse(readFileSync(join(share, "originals", `${NAME}.report.json`), "utf8"));
  expect(report).toMatchObject({ outcome: "repaired", repairedBy: "cloud", cloud: { status: "COMPLETED" } });
  const state = await fetch(`${cloud.url}/jobs/${report.cloud.job_id}`, { headers: { "x-api-key": KEY } });
  expect(await state.json()).toMatchObject({
    status: "COMPLETED",
    input_prefix: report.cloud.input_prefix,
    reference_file: "references/camera/good.mp4",
    success_count: 1,
    failure_count: 0,
  });
  const written = [edge.errors(), cloud.errors(), JSON.stringify(report)].join();
  expect(written).toContain(report.cloud.job_id);
  expect(written).not.toContain(KEY);
  expect(written).not.toContain("signature=");
});
