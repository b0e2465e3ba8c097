import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CannedServer,
  cannedJob,
  cannedLetter,
  cannedQueue,
  cannedTask,
  startCannedServer,
} from "../src/apps/cli/remote/canned-server.fixture.ts";
import { estimateJob } from "../src/cost/estimate.ts";
import { shippedPrices } from "../src/cost/price-table.ts";
import { makeRecordings, type Recordings } from "./e2e/recordings.fixture.ts";
import { REAL_TIME, reelmill } from "./e2e/workplace.fixture.ts";
import { FMP4 } from "./hls/broken.fixture.ts";
import { makeLadder } from "./hls/ladder.fixture.ts";
import { listCommands, listPages, ROOT } from "./support/documentation.ts";
import { makeRecording } from "./support/make-recording.ts";

/** What the guide's examples speak of: the commands run in a folder that has these files. The runbook's have a place of their own. */
const PAGES = listPages().filter(
  (path) => path === "README.md" || (path.startsWith(join("docs", "guide")) && !path.includes("runbook")),
);
const COMMANDS = [...new Set(PAGES.flatMap(listCommands))].filter((command) => command.startsWith("./reelmill "));

let root: string;
let files: Recordings;
let slowMotion: Uint8Array;
let server: CannedServer;

const OPTIONS = { prices: shippedPrices(), perMonth: null };
const COST = estimateJob(
  { pipeline: "repair", variant: "", files: [{ bytes: 1e9, seconds: null }], outputs: [] },
  [],
  OPTIONS,
);

/** A server as the guide's examples have it: one job that has succeeded, one dead letter. */
function startServer(): Promise<CannedServer> {
  const files = [{ input: "uploads/1/broken.mp4", output: "outputs/1/bad.mp4", status: "repaired" }];
  const job = cannedJob({ status: "succeeded", progress: 1, result: { schema: 1, files } });
  const strings = { type: "array", items: { type: "string" } };
  const properties = { inputs: strings, references: strings, verify: {}, faststart: { type: "boolean" } };
  const convert = { input: { type: "string" }, to: { type: "string" }, speed: { type: "string" } };
  const workers = { desired: 1, running: 1, busy: 0, max: 2 };
  return startCannedServer({
    "GET /v1/pipelines": () => ({
      pipelines: [
        { name: "repair", description: "", resultSchema: {}, paramsSchema: { properties } },
        { name: "convert", description: "", resultSchema: {}, paramsSchema: { properties: convert } },
      ],
    }),
    "POST /v1/uploads": (_request, response) =>
      void response.writeHead(201, { location: "/v1/uploads/1", "upload-object-key": "uploads/1/x.mp4" }).end(),
    "PATCH /v1/uploads/1": ({ body }, response) => void response.writeHead(204, { "upload-offset": body.length }).end(),
    "POST /v1/jobs": () => job,
    "GET /v1/jobs": () => ({ jobs: [job], nextCursor: null }),
    "POST /v1/estimates": () => ({ estimate: COST, reason: null }),
    "GET /v1/jobs/*/cost": () => COST,
    "GET /v1/jobs/*": () => job,
    "POST /v1/jobs/*/*": () => job,
    "GET /v1/jobs/*/tasks": () => ({ tasks: [cannedTask()] }),
    "GET /v1/jobs/*/messages": () => ({ messages: [] }),
    "GET /v1/checks": () => ({ checks: [{ check: "disk", status: "ok", detail: "Free.", command: null }] }),
    "GET /v1/jobs/*/logs": () => ({
      lines: [{ timestamp: "2026-01-31T12:00:00.000Z", level: "info", message: "Begun" }],
    }),
    "GET /v1/jobs/*/events": (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`event: job\ndata: ${JSON.stringify(job)}\n\n`);
    },
    "GET /v1/objects/outputs/1/bad.mp4": (_request, response) =>
      void response.writeHead(200, { "content-length": 2 }).end("ok"),
    "GET /v1/queues": () => ({ queues: [cannedQueue()] }),
    "POST /v1/queues/repair/*": () => cannedQueue({ inFlight: 0 }),
    "GET /v1/dead-letters": () => ({ deadLetters: [cannedLetter(4)] }),
    "POST /v1/dead-letters/4/replay": () => ({ replayed: 1 }),
    "POST /v1/dead-letters/replay": () => ({ replayed: 1 }),
    "DELETE /v1/dead-letters/4": (_request, response) => void response.writeHead(204).end(),
    "GET /v1/stats": () => ({
      jobs: { byStatus: {}, endedLastDay: 1 },
      queues: [cannedQueue()],
      workers,
      uptimeSeconds: 5,
    }),
  });
}

beforeAll(async () => {
  server = await startServer();
  root = mkdtempSync(join(tmpdir(), "reelmill-docs-"));
  files = makeRecordings(join(root, "recordings"));
  const args = "-r 50 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";
  slowMotion = makeRecording(join(root, "cache"), { extension: "mp4", args });
  makeLadder(join(root, "package"), FMP4);
});

afterAll(async () => {
  process.chdir(ROOT);
  rmSync(root, { recursive: true, force: true });
  await server.close();
});

/** A folder as the examples have it before them. */
function furnish(folder: string): void {
  mkdirSync(join(folder, "card"), { recursive: true });
  const put = (from: string, to: string): void => copyFileSync(from, join(folder, to));
  for (const name of ["healthy.mp4", "wide.mp4", "match.mp4", "holiday.mp4", "card/good.mp4"])
    put(files.reference, name);
  for (const name of ["broken.mp4", "card/bad.mp4"]) put(files.damaged, name);
  writeFileSync(join(folder, "slow-motion.mp4"), slowMotion);
  writeFileSync(join(folder, "match.key"), "sixteen letters.");
  cpSync(join(root, "package"), join(folder, "package"), { recursive: true });
}

describe("the commands of the README and the guide", () => {
  it("are found", () => {
    expect(COMMANDS.length).toBeGreaterThan(5);
  });

  it.each(COMMANDS.map((command, index) => [command, index] as const))("%s", async (command, index) => {
    const folder = join(root, String(index));
    furnish(folder);
    const words = command.split(/\s+/).slice(1);
    process.chdir(folder);
    const environment = { ...process.env, REELMILL_SERVER: server.address };
    const { status, output, error } = await reelmill(words, { environment, ...REAL_TIME });
    expect(status, error).toBe(0);
    expect(output).not.toBe("");
    const option = (name: string): string | undefined => words[words.indexOf(name) + 1 || words.length];
    if (words[0] === "convert" && !words.includes("--json")) expect(output).toContain("decode passed");
    if (words[0] === "repair" && !words.includes("--dry-run")) expect(output).toContain("repaired");
    for (const path of [option("-o"), option("--report")]) {
      if (path !== undefined) expect(existsSync(join(folder, path.endsWith("/") ? `${path}bad.mp4` : path))).toBe(true);
    }
  });
});
