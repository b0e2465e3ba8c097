import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";
import { createRegistry } from "../../src/pipelines/registry.ts";

const FILE = { bytes: 10_000_000, seconds: 60, widthPixels: 1280, heightPixels: 720, framesPerSecond: 25 };

let server: TestServer;
beforeEach(async () => {
  server = await startServer({ pipelines: createRegistry() });
});
afterEach(async () => await server.stop());

const answer = async (body: object) => VIEWS.estimate.parse(await (await server.post("/v1/estimates", body)).json());

const ask = async (body: object) => {
  const { estimate, reason } = await answer(body);
  if (estimate === null) throw new Error(reason ?? "");
  return estimate;
};

const refusal = async (body: object) => {
  const response = await server.post("/v1/estimates", body);
  const { code, detail } = VIEWS.problem.parse(await response.json());
  return { status: response.status, code, detail };
};

/** A job of `convert` that was worked at for so long, from end to end. */
async function convertFor(workMs: number, to = "h264"): Promise<string> {
  const { store } = server;
  const params = createRegistry().get("convert").parseParams({ input: "uploads/1/a.mp4", to });
  const id = `00000000-0000-7000-8000-${String(workMs).padStart(12, "0")}`;
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  await store.create({ id, pipeline: "convert", params, ...rest });
  const from = { owner: "test", leaseMs: 100_000, queues: [{ name: "convert", maxInFlight: 1 }] };
  const taken = await store.takeTask(from, () => ({ status: "running" }));
  if (taken === undefined) throw new Error("There is no task.");
  time.nowMs += workMs;
  const { message, task } = taken;
  const outcome = { status: "succeeded", output: null } as const;
  const completion = { ref: message.ref, attempt: task.attempt, outcome, message, takeNext: undefined };
  const report = { inputBytes: 1e7, outputBytes: 2e6, durationSeconds: 60 };
  const result = { schema: 1, output: "outputs/1/output.mp4", report };
  await store.completeTask(completion, () => ({ status: "succeeded", result }));
  return id;
}

const time = { nowMs: 1_700_000_000_000 };
const clock = { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs };

describe("estimates", () => {
  it("are made for recordings that are not uploaded yet, by the benchmarks, and submit nothing", async () => {
    const report = await ask({ pipeline: "convert", params: { to: "h264" }, files: [FILE], perMonth: 10 });
    expect(report).toMatchObject({ kind: "estimate", pipeline: "convert", variant: "h264", month: { jobs: 10 } });
    expect(report.basis).toMatch(/benchmarks/);
    // HD, by 60 s.
    expect(report.mediaConvert[0]).toMatchObject({ tier: "basic", normalizedMinutes: 2, usd: 0.015 });
    expect((await server.store.list({ limit: 10 })).jobs).toEqual([]);
  });

  it("look at recordings that are there", async () => {
    await server.ask("/v1/objects/uploads/1/a.mp4", { method: "PUT", body: Buffer.alloc(5000) });
    const report = await ask({ pipeline: "repair", params: { inputs: ["uploads/1/a.mp4"] } });
    expect(report).toMatchObject({ input: { files: 1, bytes: 5000 }, mediaConvert: [], month: null });
    const missing = await refusal({ pipeline: "repair", params: { inputs: ["uploads/1/b.mp4"] } });
    expect(missing).toMatchObject({ status: 404, code: "OBJECT_NOT_FOUND" });
  });

  it("say why there is none", async () => {
    const unseen = await answer({ pipeline: "convert", params: { to: "hevc" }, files: [FILE] });
    expect(unseen).toEqual({ estimate: null, reason: expect.stringMatching(/has finished here yet/) });
    const endless = await answer({ pipeline: "convert", params: { to: "av1" }, files: [{ bytes: 1 }] });
    expect(endless).toEqual({ estimate: null, reason: expect.stringMatching(/^How long/) });
  });

  it.each([
    [{ pipeline: "nope", params: {}, files: [FILE] }, 400, "PIPELINE_UNKNOWN", /repair, convert, hls/],
    [{ pipeline: "convert", params: { to: "av2" }, files: [FILE] }, 400, "PARAMS_INVALID", /"av2" must be one of/],
    [{ pipeline: "convert", params: { to: "av1" }, files: [FILE, FILE] }, 400, "PARAMS_INVALID", /one recording a job/],
    [{ pipeline: "convert", params: { to: "av1" } }, 400, "PARAMS_INVALID", /input/],
    [{ pipeline: "convert", params: { to: "av1" }, files: [{ bytes: -1 }] }, 400, "REQUEST_INVALID", /bytes/],
    [{ pipeline: "convert", params: { to: "av1" }, files: [FILE], perMonth: 0 }, 400, "REQUEST_INVALID", /perMonth/],
    [{ pipeline: "convert", params: {}, files: [{ ...FILE, fps: 1 }] }, 400, "REQUEST_INVALID", /fps/],
  ])("refuse %j", async (body, status, code, detail) => {
    expect(await refusal(body)).toEqual({ status, code, detail: expect.stringMatching(detail) });
  });
});

describe("jobs that have finished", () => {
  beforeEach(async () => {
    await server.stop();
    server = await startServer({ pipelines: createRegistry(), clock });
  });

  it("tell how long the next one takes, those of the same kind alone", async () => {
    await convertFor(30_000);
    await convertFor(90_000);
    await convertFor(4000, "vp9");
    const report = await ask({ pipeline: "convert", params: { to: "h264" }, files: [{ ...FILE, seconds: 120 }] });
    expect(report.basis).toMatch(/median of 2 finished jobs/);
    // 60 s for a minute on two cores, on two vCPUs, and a minute until the container runs.
    expect(report.seconds).toBeCloseTo(60 + 120, 6);
    expect(report.lines.find(({ group }) => group === "storage")?.quantity).toBeCloseTo((1e7 + 4e6) / 1024 ** 3, 9);
  });

  it("tell what they cost, and what MediaConvert asks for as much", async () => {
    const id = await convertFor(30_000);
    await server.ask("/v1/objects/uploads/1/a.mp4", { method: "PUT", body: Buffer.alloc(5) });
    const report = VIEWS.cost.parse(await (await server.ask(`/v1/jobs/${id}/cost?perMonth=3`)).json());
    expect(report).toMatchObject({
      kind: "actual",
      seconds: 60 + 30,
      month: { jobs: 3 },
      input: { bytes: 1e7, seconds: 60 },
    });
    expect(report.basis).toBe("Measured here: 1 task, at least one at work for 30.0 s on 2 cores.");
    expect(report.mediaConvert[0]).toMatchObject({ normalizedMinutes: 1, usd: 0.0075 });
  });

  it("are asked for by their id, once they have ended", async () => {
    const { id } = VIEWS.job.parse(
      await (await server.post("/v1/jobs", { pipeline: "repair", params: { inputs: ["uploads/1/a.mp4"] } })).json(),
    );
    const running = await server.ask(`/v1/jobs/${id}/cost`);
    expect([running.status, VIEWS.problem.parse(await running.json()).code]).toEqual([409, "JOB_STATE"]);
    const unknown = await server.ask("/v1/jobs/none/cost");
    expect([unknown.status, VIEWS.problem.parse(await unknown.json()).code]).toEqual([404, "JOB_NOT_FOUND"]);
  });
});
