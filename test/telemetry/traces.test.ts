import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { openTelemetry, type Telemetry } from "../../src/apps/telemetry.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLogger } from "../../src/base/log.ts";
import { createPipelineRegistry } from "../../src/jobs/pipeline.ts";
import { type CollectedSpan, startCollector } from "./collector.fixture.ts";
import { TWO_PARTS } from "./two-parts.fixture.ts";

const WORKER = fileURLToPath(new URL("worker.fixture.ts", import.meta.url));
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT = "00f067aa0ba902b7";
const PLAN = { stage: "plan", index: 0 };
const FINISH = { stage: "finish", index: 0 };
const WORK = [0, 1].map((index) => ({ stage: "work", index }));

let collector: Awaited<ReturnType<typeof startCollector>>;
let telemetry: Telemetry;
let server: TestServer;

beforeAll(async () => {
  collector = await startCollector();
  const log = createLogger({ format: "json", level: "warn", write: (line) => process.stderr.write(line) });
  telemetry = await openTelemetry({
    metrics: "none",
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: "api" },
    ...{ write: () => undefined, log, clock: systemClock },
  });
  server = await startServer({ tracer: telemetry.tracer, pipelines: createPipelineRegistry([TWO_PARTS]) });
});

afterAll(async () => {
  await server?.stop();
  await collector?.close();
});

/** Does the tasks in a process of their own. */
async function work(jobId: string, tasks: readonly object[]) {
  const refs = JSON.stringify(tasks.map((task) => ({ jobId, ...task })));
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b" };
  return await promisify(execFile)(process.execPath, [WORKER, join(server.folder, "jobs.db"), refs], { env });
}

/** Spans by name and stage, each with the name of what it is a part of. */
function describeTree(spans: readonly CollectedSpan[]): readonly string[] {
  const names = new Map(spans.map((span) => [span.spanId, nameOf(span)]));
  return spans.map((span) => `${nameOf(span)} < ${names.get(span.parentSpanId ?? "") ?? span.parentSpanId}`).toSorted();
}

function nameOf({ name, attributes }: CollectedSpan): string {
  const { "reelmill.task.stage": stage, "reelmill.task.index": index } = attributes;
  return stage === undefined ? name : `${name} ${stage} ${index}`;
}

it("one job through two processes is one trace, from the client's request to the programs that ran", async () => {
  const headers = { traceparent: `00-${TRACE}-${CLIENT}-01` };
  const made = await server.post("/v1/jobs", { pipeline: "two-parts", params: {} }, headers);
  const { id } = (await made.json()) as { id: string };
  const first = await work(id, [PLAN, WORK[0] ?? {}]);
  await work(id, [WORK[1] ?? {}, FINISH]);
  await telemetry.tracer?.flush();

  expect(collector.faults).toEqual([]);
  const { spans } = collector;
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  expect(describeTree(spans)).toEqual([
    `POST /v1/jobs < ${CLIENT}`,
    "process node < two-parts work",
    "process node < two-parts work",
    "store commit < two-parts task finish 0",
    "store commit < two-parts task plan 0",
    "store commit < two-parts task work 0",
    "store commit < two-parts task work 1",
    "two-parts finish < two-parts task finish 0",
    "two-parts job < POST /v1/jobs",
    "two-parts plan < two-parts task plan 0",
    "two-parts task finish 0 < two-parts job",
    "two-parts task plan 0 < two-parts job",
    "two-parts task work 0 < two-parts job",
    "two-parts task work 1 < two-parts job",
    "two-parts work < two-parts task work 0",
    "two-parts work < two-parts task work 1",
  ]);
  const pidsOf = (name: string) =>
    new Set(spans.filter((span) => span.name === name).map(({ resource }) => resource["process.pid"]));
  expect(pidsOf("two-parts task").size).toBe(2);
  expect(pidsOf("POST /v1/jobs")).toEqual(new Set([String(process.pid)]));
  const job = spans.find(({ name }) => name === "two-parts job");
  expect(job?.attributes).toMatchObject({ "reelmill.job.id": id, "reelmill.job.status": "succeeded" });
  expect(spans.find(({ name }) => name === "process node")?.attributes["process.exit.code"]).toBe("0");
  expect(spans.find(({ kind }) => kind === 2)?.attributes).toEqual({
    "http.request.method": "POST",
    "http.route": "/v1/jobs",
    "http.response.status_code": "201",
  });
  expect(new Set(collector.requests.map(({ url }) => url))).toEqual(new Set(["/v1/traces"]));
  expect(collector.requests[0]?.headers["x-key"]).toBe("a b");

  // What else was told of the first process's work: lines of the log are found by the trace, values by the pipeline.
  const logged = first.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(logged.filter(({ job_id, trace_id }) => job_id === id && trace_id === TRACE)).toHaveLength(logged.length);
  const told = first.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(told).toMatchObject([
    { Pipeline: "two-parts", QueueWait: expect.any(Number), TaskDuration: expect.any(Number) },
    { Pipeline: "two-parts", TaskDuration: expect.any(Number) },
  ]);
});

it("a trace that its client does not want kept is not sent", async () => {
  collector.spans.length = 0;
  const headers = { traceparent: `00-${TRACE}-${CLIENT}-00` };
  const made = await server.post("/v1/jobs", { pipeline: "two-parts", params: {} }, headers);
  const { id } = (await made.json()) as { id: string };
  await work(id, [PLAN, ...WORK, FINISH]);
  await telemetry.tracer?.flush();
  expect((await server.store.get(id))?.status).toBe("succeeded");
  expect(collector.spans).toEqual([]);
});
