import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startServer } from "../../src/apps/server/server.fixture.ts";
import { openTelemetry } from "../../src/apps/telemetry.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLogger } from "../../src/base/log.ts";
import { createPipelineRegistry } from "../../src/jobs/pipeline.ts";
import { startCollector } from "./collector.fixture.ts";
import { faultOfSignature, type ReceivedRequest, signatureOf, type Taker } from "./signature.fixture.ts";
import { TWO_PARTS } from "./two-parts.fixture.ts";

const WORKER = fileURLToPath(new URL("worker.fixture.ts", import.meta.url));
const TAKER: Taker = {
  accessKeyId: "ASIAEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "token/of+the=session",
  region: "eu-central-1",
  service: "xray",
};
const FAILED = "Traces cannot be sent; those that are too many to keep are lost.";

/** X-Ray's answers, as far as they are known: to a wrong signature it tells what should have been signed, with all headers. */
function refuse(request: ReceivedRequest) {
  const fault = faultOfSignature(request, TAKER, Date.now());
  if (fault === undefined) return undefined;
  faults.push(fault);
  const shown = `The Canonical String for this request should have been\n'POST\n${JSON.stringify(request.headers)}'`;
  return { status: 403, message: `The request signature does not match the signature you provided.\n\n${shown}` };
}

let xray: Awaited<ReturnType<typeof startCollector>>;
let faults: string[];

beforeEach(async () => {
  faults = [];
  xray = await startCollector(refuse);
  vi.stubEnv("AWS_ACCESS_KEY_ID", TAKER.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", TAKER.secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", TAKER.sessionToken);
  // No other place to look at.
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) vi.stubEnv(name, "/dev/null");
  for (const name of ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"]) vi.stubEnv(name, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await xray.close();
});

/** X-Ray is named as it is at AWS, and found on loopback. */
function settings() {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: "https://xray.eu-central-1.amazonaws.com", REELMILL_XRAY_ENDPOINT: xray.url };
}

async function openTracer() {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ format: "json", level: "info", write: (line) => lines.push(JSON.parse(line)) });
  const { tracer } = await openTelemetry({
    metrics: "none",
    environment: settings(),
    ...{ write: () => undefined, log, clock: systemClock },
  });
  if (tracer === undefined) throw new Error("Nothing is traced.");
  return { tracer, lines };
}

describe("traces to X-Ray", () => {
  it("of a process that works at a job are signed, with the session's token", async () => {
    const server = await startServer({ pipelines: createPipelineRegistry([TWO_PARTS]) });
    try {
      const made = await server.post("/v1/jobs", { pipeline: "two-parts", params: {} });
      const { id: jobId } = (await made.json()) as { id: string };
      const tasks = JSON.stringify([{ jobId, stage: "plan", index: 0 }]);
      const env = { ...process.env, ...settings(), OTEL_EXPORTER_OTLP_HEADERS: "x-more=a%20%20b" };
      await promisify(execFile)(process.execPath, [WORKER, join(server.folder, "jobs.db"), tasks], { env });
    } finally {
      await server.stop();
    }
    expect([faults, xray.faults]).toEqual([[], []]);
    expect(xray.spans.map(({ name }) => name)).toContain("two-parts plan");
    expect(xray.requests).toHaveLength(1);
    expect(xray.requests[0]).toMatchObject({
      url: "/v1/traces",
      headers: { host: new URL(xray.url).host, "content-type": "application/json", "x-more": "a  b" },
    });
  });

  it("that it refuses are told of once, with its reason and what to look at, and nobody fails", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "another");
    const { tracer, lines } = await openTracer();
    await tracer.run("work", {}, async () => undefined);
    await tracer.flush();
    expect(faults).toEqual(["wrong signature"]);
    expect(lines).toMatchObject([{ level: "warn", message: FAILED }]);
    const told = JSON.stringify(lines);
    expect(told).toContain("answered with the status 403: The request signature does not match");
    expect(told).toContain("allow xray:PutSpans, xray:PutSpansForIndexing, xray:PutTraceSegments");
    expect(told).toContain("CloudWatch Logs in eu-central-1 (Transaction Search)");
    for (const secret of [TAKER.sessionToken, "another", "Canonical"]) expect(told).not.toContain(secret);
  });

  it("wait for credentials where there are none, and the log says how to give some", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
    const { tracer, lines } = await openTracer();
    await tracer.run("work", {}, async () => undefined);
    await tracer.flush();
    expect(xray.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: "warn", message: FAILED }]);
    expect(JSON.stringify(lines)).toMatch(
      /cannot be signed, for want of credentials .* set AWS_PROFILE, or AWS_ACCESS/,
    );
    vi.stubEnv("AWS_ACCESS_KEY_ID", TAKER.accessKeyId);
    await tracer.flush();
    expect([faults, xray.spans.map(({ name }) => name)]).toEqual([[], ["work"]]);
  });
});

describe("the check of signatures", () => {
  const iam = { ...TAKER, accessKeyId: "AKIDEXAMPLE", sessionToken: undefined, region: "us-east-1", service: "iam" };
  const signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
  const headers = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    host: "iam.amazonaws.com",
    "x-amz-date": "20150830T123600Z",
    authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`,
  };
  const request = { method: "GET", target: "/?Action=ListUsers&Version=2010-05-08", headers, body: "" };
  const nowMs = Date.parse("2015-08-30T12:38:00Z");

  it("is the specification's, by its own example", () => {
    expect(signatureOf(request, ["content-type", "host", "x-amz-date"], iam)).toBe(signature);
    expect(faultOfSignature(request, iam, nowMs)).toBeUndefined();
  });

  it.each([
    ["no signature", { headers: { ...headers, authorization: undefined } }, {}],
    ["unknown key", {}, { accessKeyId: "AKIDOTHER" }],
    ["signed for iam in us-east-1", {}, { service: "xray" }],
    ["wrong session token", {}, { sessionToken: "token" }],
    ["not signed: x-more", { headers: { ...headers, "x-more": "a" } }, {}],
    ["wrong signature", { body: "a" }, {}],
    ["wrong signature", { target: "/?Action=ListUsers" }, {}],
    ["wrong signature", { headers: { ...headers, host: "iam.example.com" } }, {}],
    ["wrong signature", {}, { secretAccessKey: "another" }],
  ])("finds: %s", (fault, changed, taker) => {
    expect(faultOfSignature({ ...request, ...changed }, { ...iam, ...taker }, nowMs)).toBe(fault);
  });

  it("finds what is old", () => {
    expect(faultOfSignature(request, iam, nowMs + 600_000)).toBe("signed at 20150830T123600Z");
  });
});
