import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeRecording } from "../../../../test/support/make-recording.ts";
import { COST_REPORT, type CostReport } from "../../../cost/cost-report.ts";
import { type CannedServer, cannedJob, runAgainst, startCannedServer } from "../remote/canned-server.fixture.ts";
import { formatUsd } from "./cost-text.ts";

const SUM = { spotUsd: 0.002, onDemandUsd: 0.0061 };
const REPORT: CostReport = {
  schema: 1,
  kind: "actual",
  pipeline: "convert",
  variant: "av1",
  prices: { regions: ["us-east-1"], oldest: "2025-01-01", newest: "2026-09-05" },
  input: { files: 1, bytes: 1000, seconds: 60 },
  resources: "Fargate with 2 vCPUs, 4 GB of memory, 100 GB of disk",
  seconds: 90,
  basis: "Measured here.",
  lines: [{ group: "compute", name: "processors", quantity: 0.05, unit: "vCPU-hours", ...SUM }],
  job: SUM,
  storageMonth: { spotUsd: 0.0001, onDemandUsd: 0.0001 },
  month: { jobs: 1000, jobsSum: SUM, storage: SUM, total: { spotUsd: 1234.5, onDemandUsd: null } },
  mediaConvert: [
    { tier: "basic", normalizedMinutes: 2, usd: 0.015, reason: "" },
    { tier: "professional", normalizedMinutes: null, usd: null, reason: "the price table lacks it" },
  ],
  notIncluded: ["sqs.request: the price table has no price for it."],
  notes: ["Assumed: this."],
};

const told = (estimate: CostReport) => ({ estimate, reason: null });

let folder: string;
let recording: string;
let server: CannedServer | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-cost-"));
  recording = join(folder, "a.mp4");
  writeFileSync(recording, makeRecording(folder, { extension: "mp4", args: "-c:v mpeg4 -c:a aac" }));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = async (routes: Parameters<typeof startCannedServer>[0]): Promise<CannedServer> => {
  server = await startCannedServer(routes);
  return server;
};

/** Where no server answers. */
async function findSilence(): Promise<Pick<CannedServer, "address">> {
  const closed = await startCannedServer({});
  await closed.close();
  return closed;
}

/** Runs a command where no server answers. */
async function runAlone(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return await runAgainst(await findSilence(), args, { environment: { PATH: process.env["PATH"], ...environment } });
}

describe("cost estimate", () => {
  it("looks at the recording, asks the server, and shows sums, what they are made of, and what is left out", async () => {
    const running = await start({ "POST /v1/estimates": () => told({ ...REPORT, kind: "estimate" }) });
    const args = ["cost", "estimate", recording, "--pipeline", "convert", "-p", "to=av1", "--per-month", "1000"];
    const { exitCode, output } = await runAgainst(running, args, { environment: { PATH: process.env["PATH"] } });
    expect(exitCode).toBe(0);
    const body = JSON.parse(String(running.requests[0]?.body));
    expect(body).toMatchObject({ pipeline: "convert", params: { to: "av1" }, perMonth: 1000 });
    expect(body.files).toMatchObject([{ bytes: expect.any(Number), widthPixels: expect.any(Number) }]);
    expect(body.files[0].seconds).toBeCloseTo(1.2, 1);
    expect(output).toMatch(/^convert \(av1\) of 1 file would take 1 min 30 s on Fargate with 2 vCPUs/);
    expect(output).toMatch(/^one job +\$0\.002 +\$0\.0061$/m);
    expect(output).toMatch(/^1,000 such jobs a month, .* +\$1,234\.50 +unknown$/m);
    expect(output).toMatch(/^MediaConvert, basic tier: \$0\.015 for 2 normalized minutes\.$/m);
    expect(output).toMatch(/^MediaConvert, professional tier: not known, the price table lacks it\.$/m);
    expect(output).toMatch(/^Not included: sqs\.request: /m);
    expect(output).toMatch(/^Prices: us-east-1, known as of 2025-01-01 to 2026-09-05\.$/m);
  });

  it("says whose prices count where a server answers and a file of prices is named", async () => {
    const running = await start({ "POST /v1/estimates": () => told({ ...REPORT, kind: "estimate" }) });
    const environment = { PATH: process.env["PATH"], REELMILL_PRICES: "prices.json" };
    const { error } = await runAgainst(running, ["cost", "estimate", recording, "--pipeline", "repair"], {
      environment,
    });
    expect(error).toMatch(
      /^The prices are those of the server at http:\/\/127\.0\.0\.1:\d+; REELMILL_PRICES counts for it /m,
    );
  });

  it("goes by the benchmarks where no server answers, with the prices of a file, and says both", async () => {
    const own = join(folder, "prices.json");
    const price = { usd: 1, per: "x", region: "mars-1", asOf: "2026-11-01", source: "https://example.com/" };
    writeFileSync(own, JSON.stringify({ schema: 1, currency: "USD", prices: { "s3.storageGbMonth": price } }));
    const args = ["cost", "estimate", recording, "--pipeline", "repair", "--json"];
    const { output, error } = await runAlone(args, { REELMILL_PRICES: own });
    const report = COST_REPORT.parse(JSON.parse(output));
    expect(report.basis).toMatch(/benchmarks/);
    expect(report.prices.regions).toContain("mars-1");
    expect(error).toMatch(/^No server answers at http:\/\/127\.0\.0\.1:\d+, so its finished jobs are not known\.$/m);
  });

  it.each([
    [["--pipeline", "repair"], { REELMILL_PRICES: "/nowhere/prices.json" }, "CONFIG_INVALID"],
    [["--pipeline", "nope"], {}, "PIPELINE_UNKNOWN"],
    [["--pipeline", "convert", "-p", "tp=av1"], {}, "USAGE"],
    [["--pipeline", "convert", "-p", "to=hevc"], {}, "ESTIMATE_IMPOSSIBLE"],
    [["--pipeline", "repair", "--per-month", "0"], {}, "USAGE"],
  ])("is refused with %j", async (args, environment, code) => {
    const running = runAlone(["cost", "estimate", recording, ...args], environment);
    await expect(running).rejects.toMatchObject({ code });
  });

  it("does not fall back where --server names one that does not answer", async () => {
    const { address } = await findSilence();
    const running = runAlone(["cost", "estimate", recording, "--pipeline", "repair", "--server", address]);
    await expect(running).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
  });
});

describe("cost actual and cost compare", () => {
  it("show what a job took, and hold it against MediaConvert", async () => {
    const running = await start({ "GET /v1/jobs/*/cost": () => REPORT });
    const actual = await runAgainst(running, ["cost", "actual", "j1", "--per-month", "5"]);
    expect(running.requests[0]?.url).toBe("/v1/jobs/j1/cost?perMonth=5");
    expect(actual.output).toMatch(/^convert \(av1\) of 1 file would have taken 1 min 30 s/);
    const compared = await runAgainst(running, ["cost", "compare", "j1"]);
    expect(compared.output).toMatch(/^Reelmill, spot +\$0\.002 +1\.00 × +0\.33 ×$/m);
    expect(compared.output).toMatch(/^MediaConvert, basic tier +\$0\.015 +7\.50 × +2\.46 ×$/m);
    expect(compared.output).toMatch(/^MediaConvert, professional tier +unknown$/m);
    const json = await runAgainst(running, ["cost", "compare", "j1", "--json"]);
    expect(JSON.parse(json.output)).toEqual(REPORT);
  });

  it("says that repairs have no counterpart, and compares recordings with --pipeline", async () => {
    const repair = { ...REPORT, pipeline: "repair", variant: "", mediaConvert: [] };
    const running = await start({ "POST /v1/estimates": () => told(repair) });
    const { output } = await runAgainst(running, ["cost", "compare", recording, "--pipeline", "repair"]);
    expect(output).toMatch(/^MediaConvert has nothing of this kind to compare with\.$/m);
  });

  it("refuses several jobs, and parameters of a job", async () => {
    const running = await start({});
    for (const args of [
      ["j1", "j2"],
      ["j1", "-p", "to=av1"],
    ]) {
      await expect(runAgainst(running, ["cost", "compare", ...args])).rejects.toMatchObject({ code: "USAGE" });
    }
  });
});

describe("submit --estimate", () => {
  const routes = {
    "GET /v1/pipelines": () => ({
      pipelines: [
        { name: "convert", description: "", paramsSchema: { properties: { input: {}, to: {} } }, resultSchema: {} },
      ],
    }),
    "POST /v1/jobs": () => cannedJob({ id: "j1" }),
  };
  const args = ["submit", "convert", "-p", "input=uploads/1/a.mp4", "-p", "to=av1", "--estimate"];

  it("says what the job would cost before it is submitted", async () => {
    const running = await start({ ...routes, "POST /v1/estimates": () => told(REPORT) });
    const { output, error } = await runAgainst(running, args);
    expect(running.requests.map(({ url }) => url)).toEqual(["/v1/pipelines", "/v1/estimates", "/v1/jobs"]);
    expect(JSON.parse(String(running.requests[1]?.body))).toEqual({
      pipeline: "convert",
      params: { input: "uploads/1/a.mp4", to: "av1" },
    });
    expect(error).toMatch(
      /^On AWS about \$0\.002 on spot, \$0\.0061 on demand; .* \$0\.015 \(basic tier\)\. Measured here\.$/m,
    );
    expect(output).toBe("j1\n");
  });

  it.each([
    ["by itself on a terminal where files go by links", "link", true, [], 1],
    ["not where --no-estimate is said", "link", true, ["--no-estimate"], 0],
    ["not where nobody reads it", "link", false, [], 0],
    ["not where the server is one's own", "parts", true, [], 0],
  ] as const)("is told %s", async (_what, by, isErrorTerminal, more, times) => {
    const pipelines = () => ({ ...routes["GET /v1/pipelines"](), uploads: { by, maxBytes: 1e9 } });
    const estimates = { "POST /v1/estimates": () => told(REPORT) };
    const running = await start({ ...routes, "GET /v1/pipelines": pipelines, ...estimates });
    const { error } = await runAgainst(running, [...args.slice(0, -1), ...more], { isErrorTerminal });
    expect(running.requests.filter(({ url }) => url === "/v1/estimates")).toHaveLength(times);
    expect(error.includes("On AWS about $0.002")).toBe(times > 0);
  });

  it("submits the job all the same where that cannot be told", async () => {
    const untold = { estimate: null, reason: "Nobody knows." };
    const running = await start({ ...routes, "POST /v1/estimates": () => untold });
    const { output, error } = await runAgainst(running, args);
    expect(error).toMatch(/^No estimate: Nobody knows\.$/m);
    expect(output).toBe("j1\n");
  });
});

describe("amounts", () => {
  it.each([
    [0, "$0"],
    [0.0000123456, "$0.0000123"],
    [0.5, "$0.5"],
    [1234.567, "$1,234.57"],
    [null, "unknown"],
  ])("%d is shown as %s", (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });
});
