import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sendRaw, startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";

let server: TestServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => await server.stop());

const submit = async (text = "hello", headers: Readonly<Record<string, string>> = {}) =>
  await server.post("/v1/jobs", { pipeline: "echo", params: { text } }, headers);

const made = async (): Promise<string> => VIEWS.job.parse(await (await submit()).json()).id;

const problemOf = async (response: Response) => {
  expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  return VIEWS.problem.parse(await response.json());
};

/** Takes the next message and gives its task up. */
const bury = async (): Promise<void> => {
  const from = { owner: "test", leaseMs: 1000, queues: [{ name: "echo", maxInFlight: 10 }] };
  const taken = await server.store.takeTask(from, () => ({ status: "running" }));
  if (taken === undefined) throw new Error("There is no message.");
  const { message, task } = taken;
  const error = { code: "WORKER_LOST", message: "gone" } as const;
  const outcome = { status: "failed", error, isBuried: true } as const;
  const completion = { ref: message.ref, attempt: task.attempt, outcome, message, takeNext: undefined };
  await server.store.completeTask(completion, () => undefined);
};

describe("jobs", () => {
  it("makes a job, names it, and shows it as the interface says", async () => {
    const response = await submit();
    expect(response.status).toBe(201);
    const job = VIEWS.job.parse(await response.json());
    expect(response.headers.get("location")).toBe(`/v1/jobs/${job.id}`);
    expect(job).toMatchObject({ status: "queued", params: { text: "hello", times: 1 }, etaSeconds: null, progress: 0 });
    const shown = await server.ask(`/v1/jobs/${job.id}`);
    expect(await shown.json()).toEqual(job);
  });

  it("makes one job of the same idempotency key, and refuses another body", async () => {
    const key = { "idempotency-key": "a-1" };
    const first = await submit("a", key);
    const again = await submit("a", key);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(VIEWS.job.parse(await again.json()).id).toBe(VIEWS.job.parse(await first.json()).id);
    const other = await submit("b", key);
    expect(other.status).toBe(409);
    expect((await problemOf(other)).code).toBe("IDEMPOTENCY_CONFLICT");
    await made();
    const of = async (name: string): Promise<readonly (string | null)[]> =>
      VIEWS.jobPage
        .parse(await (await server.ask(`/v1/jobs?idempotencyKey=${name}`)).json())
        .jobs.map(({ idempotencyKey }) => idempotencyKey);
    expect([await of("a-1"), await of("a-2")]).toEqual([["a-1"], []]);
  });

  it.each(["", "a b", "x".repeat(256), "ü"])("refuses the idempotency key %j", async (key) => {
    const response = await submit("a", { "idempotency-key": key });
    expect(response.status).toBe(400);
    expect((await problemOf(response)).code).toBe("REQUEST_INVALID");
  });

  it.each(["idempotency-key:", "idempotency-key: ", "idempotency-key: a\r\nidempotency-key: b"])(
    "refuses the header %j",
    async (header) => {
      const body = JSON.stringify({ pipeline: "echo", params: { text: "a" } });
      const head = `POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n`;
      const answer = await sendRaw(server.port, `${head}content-length: ${body.length}\r\n${header}\r\n\r\n${body}`);
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
      expect(answer).toContain('"code":"REQUEST_INVALID"');
    },
  );

  it.each([
    [{ pipeline: "nope", params: {} }, "PIPELINE_UNKNOWN", "echo"],
    [{ pipeline: "echo", params: { text: 1 } }, "PARAMS_INVALID", "text: 1 must be text"],
    [{ pipeline: "echo", params: { text: "a", extra: 1 } }, "PARAMS_INVALID", "extra"],
    [{ pipeline: "echo", params: { text: "a" }, extra: 1 }, "REQUEST_INVALID", "extra"],
    [{ pipeline: "echo" }, "REQUEST_INVALID", "params"],
    [{ pipeline: "echo", params: [] }, "REQUEST_INVALID", "params"],
    [{ pipeline: "echo", params: { text: "a" }, priority: 101 }, "REQUEST_INVALID", "priority"],
    [{ pipeline: "echo", params: { text: "a" }, webhook: { url: "file:///etc/passwd" } }, "REQUEST_INVALID", "url"],
    [undefined, "REQUEST_INVALID", "body"],
  ])("refuses %j with %s", async (body, code, named) => {
    const response = await server.post("/v1/jobs", body);
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 400, code, type: `/docs/errors#${code}`, instance: "/v1/jobs" });
    expect(problem.detail).toContain(named);
    expect(await server.store.count()).toMatchObject({ byStatus: { queued: 0 } });
  });

  it("lists with filter, limit and cursor", async () => {
    const ids = [await made(), await made(), await made()].sort().reverse();
    await server.post(`/v1/jobs/${ids[0]}/cancel`);
    const first = VIEWS.jobPage.parse(await (await server.ask("/v1/jobs?limit=2")).json());
    const rest = VIEWS.jobPage.parse(await (await server.ask(`/v1/jobs?limit=2&cursor=${first.nextCursor}`)).json());
    expect([...first.jobs, ...rest.jobs].map(({ id }) => id)).toEqual(ids);
    expect(rest.nextCursor).toBeNull();
    const found = async (query: string) =>
      VIEWS.jobPage.parse(await (await server.ask(`/v1/jobs?${query}`)).json()).jobs.length;
    expect(await found("status=queued,running")).toBe(2);
    expect(await found("status=cancelled")).toBe(1);
    expect(await found("pipeline=echo")).toBe(3);
    const unknown = await problemOf(await server.ask("/v1/jobs?pipeline=other"));
    expect(unknown).toMatchObject({ code: "PIPELINE_UNKNOWN", detail: expect.stringMatching(/"other".*echo/) });
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=501", "limit"],
    ["limit=1e2", "limit"],
    ["status=done", "status"],
    ["colour=red", "colour"],
    ["limit=1&limit=2", "limit"],
  ])("refuses the query %s by name", async (query, named) => {
    const problem = await problemOf(await server.ask(`/v1/jobs?${query}`));
    expect(problem).toMatchObject({ status: 400, code: "REQUEST_INVALID" });
    expect(problem.detail).toContain(named);
  });

  it("names what is wrong in a list of states by the text that came", async () => {
    const { detail } = await problemOf(await server.ask("/v1/jobs?status=queued,foo"));
    expect(detail).toContain('query.status.1: "queued,foo" must be one of queued, ');
  });

  it("shows no job of a pipeline that may have had some, where there is none in a state", async () => {
    const page = VIEWS.jobPage.parse(await (await server.ask("/v1/jobs?pipeline=old&status=running")).json());
    expect(page.jobs).toEqual([]);
  });

  it("refuses a cursor that no page gave", async () => {
    expect((await problemOf(await server.ask("/v1/jobs?cursor=x"))).code).toBe("CURSOR_INVALID");
  });

  it("cancels, retries and replays, and says where a state does not allow it", async () => {
    const id = await made();
    expect((await problemOf(await server.post(`/v1/jobs/${id}/retry`))).code).toBe("JOB_STATE");
    const cancelled = await server.post(`/v1/jobs/${id}/cancel`);
    expect(VIEWS.job.parse(await cancelled.json()).status).toBe("cancelled");
    expect((await server.post(`/v1/jobs/${id}/cancel`, {})).status).toBe(409);
    const retried = VIEWS.job.parse(await (await server.post(`/v1/jobs/${id}/retry`)).json());
    expect(retried).toMatchObject({ status: "queued", attempt: 2 });
    const replayed = await server.post(`/v1/jobs/${id}/replay`);
    expect(replayed.status).toBe(201);
    expect(VIEWS.job.parse(await replayed.json())).toMatchObject({ parentJobId: id, status: "queued" });
    const children = VIEWS.jobPage.parse(await (await server.ask(`/v1/jobs?parent=${id}`)).json());
    expect(children.jobs).toHaveLength(1);
  });

  it.each(["", "/tasks", "/events", "/logs", "/cancel", "/retry", "/replay"])("knows no job at %s", async (path) => {
    const isChange = ["/cancel", "/retry", "/replay"].includes(path);
    const response = await (isChange ? server.post(`/v1/jobs/nope${path}`) : server.ask(`/v1/jobs/nope${path}`));
    expect(response.status).toBe(404);
    expect((await problemOf(response)).code).toBe("JOB_NOT_FOUND");
  });

  it("shows tasks, events and log lines", async () => {
    const id = await made();
    const tasks = VIEWS.tasks.parse(await (await server.ask(`/v1/jobs/${id}/tasks`)).json());
    expect(tasks.tasks).toMatchObject([{ stage: "plan", status: "queued" }]);
    const events = VIEWS.events.parse(await (await server.ask(`/v1/jobs/${id}/events`)).json());
    expect(events.events.map(({ type }) => type)).toEqual(["job.queued"]);
    const after = await server.ask(`/v1/jobs/${id}/events?after=${events.events[0]?.seq}`);
    expect(await after.json()).toEqual({ events: [] });
    const logs = VIEWS.logLines.parse(await (await server.ask(`/v1/jobs/${id}/logs?limit=1`)).json());
    expect(logs.lines).toMatchObject([{ job_id: id }]);
  });
});

describe("queues and dead letters", () => {
  it("shows pipelines with their schemas, and pauses and resumes a queue", async () => {
    const before = VIEWS.queues.parse(await (await server.ask("/v1/queues")).json());
    expect(before.queues).toMatchObject([{ queue: "echo", waiting: 0, isPaused: false }]);
    await made();
    const paused = VIEWS.queue.parse(await (await server.post("/v1/queues/echo/pause")).json());
    expect(paused).toMatchObject({ waiting: 1, isPaused: true });
    const { pipelines, uploads } = VIEWS.pipelines.parse(await (await server.ask("/v1/pipelines")).json());
    expect(uploads).toEqual({ by: "parts", maxBytes: 1024 ** 4 });
    expect(pipelines).toMatchObject([{ name: "echo", isPaused: true, paramsSchema: { required: ["text"] } }]);
    expect(await (await server.post("/v1/queues/echo/resume")).json()).toMatchObject({ isPaused: false });
    expect((await problemOf(await server.post("/v1/queues/nope/pause"))).code).toBe("QUEUE_UNKNOWN");
  });

  it("lists, replays and discards dead letters", async () => {
    await made();
    await bury();
    const list = async () => VIEWS.deadLetters.parse(await (await server.ask("/v1/dead-letters")).json()).deadLetters;
    const [letter] = await list();
    expect(letter).toMatchObject({ queue: "echo", stage: "plan", reason: { code: "WORKER_LOST" } });
    const replayed = await server.post(`/v1/dead-letters/${letter?.id}/replay`);
    expect(VIEWS.replayed.parse(await replayed.json())).toEqual({ replayed: 1 });
    expect(await list()).toEqual([]);
    await bury();
    const [again] = await list();
    const gone = await server.ask(`/v1/dead-letters/${again?.id}`, { method: "DELETE" });
    expect(gone.status).toBe(204);
    for (const response of [
      await server.ask(`/v1/dead-letters/${again?.id}`, { method: "DELETE" }),
      await server.post(`/v1/dead-letters/${again?.id}/replay`),
    ]) {
      expect((await problemOf(response)).code).toBe("DEAD_LETTER_NOT_FOUND");
    }
    expect((await problemOf(await server.post("/v1/dead-letters/x/replay"))).code).toBe("REQUEST_INVALID");
  });

  it("replays all that are still wanted, of one queue or all", async () => {
    const first = await made();
    await made();
    await made();
    for (let count = 0; count < 3; count += 1) await bury();
    await server.store.update(first, () => ({ status: "succeeded" }));
    for (const response of [
      await server.post("/v1/dead-letters/replay", { queue: "other" }),
      await server.ask("/v1/dead-letters?queue=other"),
    ]) {
      expect((await problemOf(response)).code).toBe("QUEUE_UNKNOWN");
    }
    expect(await (await server.post("/v1/dead-letters/replay")).json()).toEqual({ replayed: 2 });
    expect(await server.queue.listDead({ limit: 10 })).toMatchObject([{ ref: { jobId: first } }]);
  });
});
