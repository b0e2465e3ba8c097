import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServerDependencies } from "../../src/apps/server/dependencies.ts";
import { DEFAULT_LIMITS } from "../../src/apps/server/limits.ts";
import { startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import type { Job } from "../../src/jobs/job.ts";
import { createPipelineRegistry } from "../../src/jobs/pipeline.ts";
import { repairPipeline } from "../../src/pipelines/repair/pipeline.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const KEY = "a-key-for-the-test";
const WITH_KEY = { "x-api-key": KEY };

let server: TestServer;
const start = async (changes: Partial<ServerDependencies> = {}): Promise<void> => {
  server = await startServer({
    pipelines: createPipelineRegistry([repairPipeline]),
    apiKeyHashes: [createHash("sha256").update(KEY).digest("hex")],
    ...changes,
  });
};
beforeEach(() => start());
afterEach(async () => await server.stop());

const put = async (key: string, bytes = 10): Promise<void> => {
  await server.objects.put(
    key,
    (async function* () {
      yield Buffer.alloc(bytes, 1);
    })(),
  );
};
const ask = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
  const response = await server.post(path, body, { ...WITH_KEY, ...headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const submit = (body: unknown, headers: Readonly<Record<string, string>> = {}) => ask("/submit-batch", body, headers);

describe("submitting a batch", () => {
  beforeEach(async () => {
    await put("uploads/day/good.mp4", 3 * 1024 * 1024);
    await put("uploads/day/good larger.mp4", 4 * 1024 * 1024);
    await put("uploads/day/cut.mp4", 1024);
    await put("uploads/day/cam 2/cut.MOV", 2 * 1024 * 1024);
    for (const name of ["notes.txt", "._cut.mp4", "cut.mp4.part"]) await put(`uploads/day/${name}`);
    await put("uploads/day2/other.mp4");
  });

  it("answers as the contract has it", async () => {
    const { status, body } = await submit({ input_prefix: "day" });
    expect(status).toBe(202);
    expect(VIEWS.batchSubmitted.parse(body)).toEqual({
      message: "Batch repair job submitted",
      job_id: expect.stringMatching(/^untrunc-[0-9a-f]{12}$/),
      batch_job_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      input_bucket: "uploads",
      input_prefix: "day",
      output_bucket: "outputs",
      output_prefix: "day",
      reference_file: "day/good.mp4",
      reference_size_mb: 3,
      reference_strategy: "smallest",
      files_to_repair: ["day/cam 2/cut.MOV", "day/cut.mp4", "day/good larger.mp4"],
      file_count: 3,
      total_size_mb: 6,
      largest_file_mb: 4,
      resources: { vcpu: "1", memory_mb: 2048, storage_gb: 30, auto_scaled: true },
    });
    expect((await server.store.get(String(body["batch_job_id"])))?.params).toMatchObject({
      inputs: ["uploads/day/cam 2/cut.MOV", "uploads/day/cut.mp4", "uploads/day/good larger.mp4"],
      references: ["uploads/day/good.mp4"],
      outputPrefix: "outputs/day",
    });
  });

  it("heeds the reference, places and resources that are named", async () => {
    await put("uploads/library/mine.mp4");
    const { body } = await submit({
      input_prefix: "day/",
      input_bucket: "uploads",
      output_bucket: "outputs",
      output_prefix: "mended/day",
      reference_key: "library/mine.mp4",
      reference_strategy: "newest",
      vcpu: 8,
      memory_mb: 30_720,
      storage_gb: 21,
    });
    expect(body).toMatchObject({
      input_prefix: "day",
      output_prefix: "mended/day",
      reference_file: "library/mine.mp4",
      reference_strategy: "newest",
      file_count: 4,
      resources: { vcpu: "8", memory_mb: 32_768, storage_gb: 21, auto_scaled: false },
    });
  });

  it("offers the references that are kept, and makes do without any", async () => {
    const without = await submit({ input_prefix: "day2" });
    expect(without.body).toMatchObject({ reference_file: "", reference_size_mb: 0, file_count: 1 });
    await put("references/gopro/b.mp4", 20);
    await put("references/a.mp4");
    const { body } = await submit({ input_prefix: "day2" });
    expect((await server.store.get(String(body["batch_job_id"])))?.params).toMatchObject({
      references: [],
      keptReferences: ["references/a.mp4", "references/gopro/b.mp4"],
    });
  });

  it("answers 400 for what does not fit, and makes no job of it", async () => {
    const wrong: readonly (readonly [what: string, body: object, code: string])[] = [
      ["nothing below the prefix", { input_prefix: "nowhere" }, "BATCH_EMPTY"],
      ["a prefix that is the middle of a name", { input_prefix: "da" }, "BATCH_EMPTY"],
      ["the reference alone", { input_prefix: "day2", reference_key: "day2/other.mp4" }, "BATCH_EMPTY"],
      ["a reference that is not there", { input_prefix: "day", reference_key: "day/none.mp4" }, "REQUEST_INVALID"],
      ["no prefix", {}, "REQUEST_INVALID"],
      ["an empty prefix", { input_prefix: "" }, "REQUEST_INVALID"],
      ["a prefix out of the store", { input_prefix: "../outputs" }, "OBJECT_KEY_INVALID"],
      ["another input bucket", { input_prefix: "day", input_bucket: "outputs" }, "REQUEST_INVALID"],
      ["another output bucket", { input_prefix: "day", output_bucket: "elsewhere" }, "REQUEST_INVALID"],
      ["another strategy", { input_prefix: "day", reference_strategy: "largest" }, "REQUEST_INVALID"],
      ["no vCPU", { input_prefix: "day", vcpu: 0 }, "REQUEST_INVALID"],
      ["too many vCPUs", { input_prefix: "day", vcpu: 17 }, "REQUEST_INVALID"],
      ["half a vCPU", { input_prefix: "day", vcpu: 0.5 }, "REQUEST_INVALID"],
      ["too little memory", { input_prefix: "day", memory_mb: 511 }, "REQUEST_INVALID"],
      ["too much memory", { input_prefix: "day", memory_mb: 122_881 }, "REQUEST_INVALID"],
      ["too little storage", { input_prefix: "day", storage_gb: 20 }, "REQUEST_INVALID"],
      ["too much storage", { input_prefix: "day", storage_gb: 201 }, "REQUEST_INVALID"],
      ["a field that there is not", { input_prefix: "day", colour: "blue" }, "REQUEST_INVALID"],
    ];
    for (const [what, body, code] of wrong) {
      const answer = await submit(body);
      expect([answer.status, VIEWS.problem.parse(answer.body).code], what).toEqual([400, code]);
    }
    expect((await server.store.list({ limit: 10 })).jobs).toEqual([]);
  });

  it("asks for a key, everywhere but in /health", async () => {
    for (const path of ["/submit-batch", "/upload-url", "/download-url"]) {
      expect((await server.post(path, { input_prefix: "day" })).status).toBe(401);
      expect((await ask(path, {}, { "x-api-key": "wrong" })).status).toBe(401);
    }
    expect((await server.ask("/jobs/untrunc-0123456789ab")).status).toBe(401);
    expect(await (await server.ask("/health")).json()).toMatchObject({
      status: "healthy",
      service: "reelmill",
      default_input_bucket: "uploads",
      default_output_bucket: "outputs",
    });
  });

  it("gives a request that is sent again its first answer, whatever has come since", async () => {
    const again = { "idempotency-key": "one" };
    const first = await submit({ input_prefix: "day" }, again);
    await put("uploads/day/late.mp4");
    expect(await submit({ input_prefix: "day" }, again)).toEqual(first);
    expect((await submit({ input_prefix: "day", vcpu: 2 }, again)).body).toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    expect((await submit({ input_prefix: "day" })).body["job_id"]).not.toBe(first.body["job_id"]);
    const job = { pipeline: "repair", params: { inputs: ["uploads/day/cut.mp4"] } };
    await ask("/v1/jobs", job, { "idempotency-key": "two" });
    expect((await submit({ input_prefix: "day" }, { "idempotency-key": "two" })).status).toBe(409);
  });

  it("comes to the same job where the first answer was broken off", async () => {
    const again = { "idempotency-key": "one" };
    const first = await submit({ input_prefix: "day" }, again);
    await server.objects.delete(`batches/${first.body["job_id"]}.json`);
    await put("uploads/day/late.mp4");
    expect((await submit({ input_prefix: "day2" }, again)).status).toBe(409);
    expect(await submit({ input_prefix: "day" }, again)).toEqual(first);
  });
});

describe("a batch that gets a container of its own", () => {
  const again = { "idempotency-key": "one" };
  const started: Job[] = [];
  let isAway: boolean;
  const startContainer = async (job: Job): Promise<string> => {
    if (isAway) throw new ReelmillError("STORE_UNAVAILABLE", "There are none.");
    started.push(job);
    return "12345678-1234-1234-1234-123456789012";
  };
  beforeEach(async () => {
    started.length = 0;
    isAway = false;
    const { batch } = server;
    await server.stop();
    await start({ batch: { ...batch, startContainer, findHealthy: async () => undefined } });
    await put("uploads/day/cut.mp4");
  });
  const jobs = async () => (await server.store.list({ limit: 10 })).jobs;

  it("has it started, of the size that it is told, and answers with its id", async () => {
    const { status, body } = await submit({ input_prefix: "day", vcpu: 2, memory_mb: 6000, storage_gb: 150 }, again);
    expect([status, body["batch_job_id"]]).toEqual([202, "12345678-1234-1234-1234-123456789012"]);
    const [job] = await jobs();
    expect(started).toEqual([job]);
    const plan = await repairPipeline.planContainer?.(job?.params ?? null, server.objects);
    expect(plan).toEqual({ name: body["job_id"], vcpu: 2, memoryMb: 6144, storageGb: 150 });
    expect(body["resources"]).toMatchObject({ vcpu: "2", memory_mb: 6144, storage_gb: 150 });
    expect((await submit({ input_prefix: "day", vcpu: 2, memory_mb: 6000, storage_gb: 150 }, again)).body).toEqual(
      body,
    );
    expect(started).toHaveLength(1);
  });

  it("is none where there is no container, until it is submitted again", async () => {
    isAway = true;
    expect((await submit({ input_prefix: "day" }, again)).status).toBe(503);
    expect(await jobs()).toMatchObject([{ status: "cancelled" }]);
    isAway = false;
    expect((await submit({ input_prefix: "day" }, again)).status).toBe(202);
    expect(await jobs()).toMatchObject([{ status: "queued" }]);
    expect(started).toMatchObject([{ status: "queued", attempt: 2 }]);
  });
});

describe("asking after a batch", () => {
  it("tells the completion payload's fields in the batch's own terms", async () => {
    await put("uploads/day/good.mp4");
    await put("uploads/day/a.mp4");
    await put("uploads/day/b.mp4");
    const { body } = await submit({ input_prefix: "day" });
    const look = async () => {
      const response = await server.ask(`/jobs/${body["job_id"]}`, { headers: WITH_KEY });
      return VIEWS.batchState.parse(await response.json());
    };
    expect(await look()).toMatchObject({ job_id: body["job_id"], status: "QUEUED", success_files: [] });
    await server.store.update(String(body["batch_job_id"]), () => ({ status: "running" }));
    expect(await look()).toMatchObject({ status: "RUNNING" });
    const files = [
      { input: "uploads/day/a.mp4", status: "repaired", references: ["references/kept.mp4"] },
      { input: "uploads/day/b.mp4", status: "failed", references: [] },
    ];
    await server.store.update(String(body["batch_job_id"]), () => ({ status: "partial", result: { files } }));
    expect(await look()).toEqual({
      job_id: body["job_id"],
      status: "PARTIAL",
      message: "1 of 2 files repaired or sound, 1 failed",
      input_bucket: "uploads",
      input_prefix: "day",
      output_bucket: "outputs",
      output_prefix: "day",
      reference_file: "references/kept.mp4",
      total_files: 2,
      success_count: 1,
      failure_count: 1,
      success_files: ["day/a.mp4"],
      failed_files: ["day/b.mp4"],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  it.each([
    ["untrunc-0123456789ab", 404],
    ["untrunc-..%2F..%2Fx", 400],
    ["0190a1b2-0000-7000-8000-000000000000", 404],
  ])("knows no %s", async (id, status) => {
    expect((await server.ask(`/jobs/${id}`, { headers: WITH_KEY })).status).toBe(status);
  });
});

describe("the links of a server on one machine", () => {
  const link = async (path: string, body: unknown): Promise<URL> => {
    const answer = await ask(path, body);
    return new URL(VIEWS.lent.parse(answer.body).url);
  };
  const send = (url: URL, body = "0123456789") => fetch(url, { method: "PUT", body });
  const upload = () => link("/upload-url", { key: "day/a.mp4", size_bytes: 10 });

  it("write one object of one length, and read it in ranges, without a key", async () => {
    expect((await send(await upload())).status).toBe(200);
    expect(await server.objects.head("uploads/day/a.mp4")).toMatchObject({ bytes: 10 });
    const url = await link("/download-url", { key: "day/a.mp4", bucket: "uploads" });
    expect(await (await fetch(url)).text()).toBe("0123456789");
    const part = await fetch(url, { headers: { range: "bytes=3-5" } });
    expect([part.status, await part.text()]).toEqual([206, "345"]);
  });

  it.each(["", "012345678", "0123456789x"])("take no body but one of their length: %j", async (body) => {
    expect((await send(await upload(), body)).status).toBe(400);
    expect(await server.objects.head("uploads/day/a.mp4")).toBeUndefined();
  });

  it("take no body of a length that is not told", async () => {
    const body = new Blob(["0123456789"]).stream();
    const init: RequestInit & { readonly duplex: "half" } = { method: "PUT", body, duplex: "half" };
    expect((await fetch(await upload(), init)).status).toBe(400);
    expect(await server.objects.head("uploads/day/a.mp4")).toBeUndefined();
  });

  it.each([
    ["key", "uploads/day/b.mp4"],
    ["key", "outputs/day/a.mp4"],
    ["bytes", "11"],
    ["until", "9999999999999"],
    ["signature", "00".repeat(32)],
    ["signature", ""],
    ["signature", "zz"],
    ["method", "GET"],
  ])("allow nothing else: %s=%s", async (name, value) => {
    const url = await upload();
    if (name !== "method") url.searchParams.set(name, value);
    const method = name === "method" ? value : "PUT";
    const body = name === "bytes" ? "0123456789x" : "0123456789";
    const response = await fetch(url, { method, ...(method === "PUT" ? { body } : {}) });
    expect([response.status, VIEWS.problem.parse(await response.json()).code]).toEqual([403, "FORBIDDEN"]);
    expect(await server.objects.list("", { limit: 10 })).toEqual([]);
  });

  it("write nothing where they were given to read by", async () => {
    await put("uploads/day/a.mp4");
    const url = await link("/download-url", { key: "day/a.mp4", bucket: "uploads" });
    expect((await send(url)).status).toBe(403);
  });

  it("run out after an hour", async () => {
    await server.stop();
    const clock = createFakeClock();
    await start({ clock });
    const url = await upload();
    clock.advance(3600_000 - 1);
    expect((await send(url)).status).toBe(200);
    clock.advance(1);
    expect((await send(url)).status).toBe(403);
  });

  it("lead where the server is reached from outside", async () => {
    expect((await upload()).origin).toBe(server.url);
    const { batch } = server;
    await server.stop();
    await start({ batch: { ...batch, publicUrl: "https://mill.example/works" } });
    expect((await upload()).href).toMatch(/^https:\/\/mill\.example\/works\/v1\/lent\?/);
  });

  it("are for whole objects alone: none is begun in parts here", async () => {
    const url = await link("/upload-url", { key: "day/a.mp4", size_bytes: 10_000_000_000, multipart: true });
    expect(url.pathname).toBe("/v1/lent");
    const upload = { key: "day/a.mp4", upload_id: "any" };
    for (const [path, more] of [
      ["/upload-part-url", { size_bytes: 10, part_number: 1 }],
      ["/complete-upload", { size_bytes: 10, etags: ["a"] }],
      ["/abort-upload", {}],
    ] as const) {
      expect(await ask(path, { ...upload, ...more })).toMatchObject({
        status: 404,
        body: { code: "UPLOAD_NOT_FOUND" },
      });
    }
  });

  it("are given for no object out of the buckets, none that is too large, and none to be read that is not there", async () => {
    await server.stop();
    await start({ limits: { ...DEFAULT_LIMITS, uploadBytes: 10 } });
    const codes = async (path: string, body: unknown) => (await ask(path, body)).body["code"];
    expect(await codes("/upload-url", { key: "../outputs/a.mp4", size_bytes: 1 })).toBe("OBJECT_KEY_INVALID");
    expect(await codes("/upload-url", { key: "a.mp4", size_bytes: 11 })).toBe("BODY_TOO_LARGE");
    const part = { key: "a.mp4", upload_id: "any", size_bytes: 11, part_number: 1 };
    expect(await codes("/upload-part-url", part)).toBe("BODY_TOO_LARGE");
    expect(await codes("/download-url", { key: "a.mp4" })).toBe("OBJECT_NOT_FOUND");
    expect(await codes("/download-url", { key: "a.mp4", bucket: "references" })).toBe("REQUEST_INVALID");
  });

  it("are not answered by a server whose store answers them", async () => {
    const url = await upload();
    const { batch } = server;
    await server.stop();
    await start({ batch: { ...batch, requireLent: undefined } });
    expect((await send(new URL(url.pathname + url.search, server.url))).status).toBe(404);
  });
});
