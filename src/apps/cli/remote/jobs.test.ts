import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  type CannedServer,
  cannedJob,
  cannedTask,
  runAgainst,
  sendJson,
  sendProblem,
  startCannedServer,
} from "./canned-server.fixture.ts";

const ID = "01920000-0000-7000-8000-000000000001";

let server: CannedServer;

afterEach(() => server?.close());

function beginStream(response: ServerResponse): (event: string, data: unknown, id?: number) => void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  return (event, data, id) => {
    const idLine = id === undefined ? "" : `id: ${id}\n`;
    response.write(`event: ${event}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
  };
}

describe("jobs list", () => {
  it("shows a table in which nothing steers the terminal", async () => {
    const job = cannedJob({
      pipeline: "a\u001b]0;x\u0007",
      status: "failed",
      error: { code: "NO_SPACE", message: "Full." },
    });
    server = await startCannedServer({ "GET /v1/jobs": () => ({ jobs: [job], nextCursor: "c1" }) });
    const { exitCode, output, error } = await runAgainst(server, [
      "jobs",
      "list",
      "--status",
      "failed,partial",
      "--limit",
      "7",
    ]);
    expect(exitCode).toBe(0);
    expect(server.requests[0]?.url).toBe("/v1/jobs?status=failed%2Cpartial&limit=7");
    expect(output).toMatch(
      /^01920000-0000-7000-8000-000000000001 {2}a\\u001b\]0;x\\u0007 {2}failed +50 % +1\/2 +1 min 30 s {2}2026-01-31 12:00:00 {2}NO_SPACE$/m,
    );
    expect(error).toContain("--all");
  });

  it("goes on to the last page with --all, and gives JSON as it came", async () => {
    server = await startCannedServer({
      "GET /v1/jobs": ({ url }) =>
        url.includes("cursor=c1")
          ? { jobs: [cannedJob({ id: "b", later: 1 })], nextCursor: null }
          : { jobs: [cannedJob({ id: "a" })], nextCursor: "c1" },
    });
    const { output } = await runAgainst(server, ["jobs", "list", "--all", "--json"]);
    const answer = JSON.parse(output);
    expect(answer.jobs.map(({ id }: { id: string }) => id)).toEqual(["a", "b"]);
    expect(answer.jobs[1].later).toBe(1);
    expect(answer.nextCursor).toBeNull();
  });

  it("refuses a state that there is not, naming those there are", async () => {
    server = await startCannedServer({});
    await expect(runAgainst(server, ["jobs", "list", "--status", "failed,bogus"])).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(
        'no state "bogus". There are: queued, running, succeeded, partial, failed, cancelled.',
      ),
    });
    expect(server.requests).toEqual([]);
  });

  it.each([["0"], ["501"], ["x"]])("refuses --limit %s", async (limit) => {
    server = await startCannedServer({});
    await expect(runAgainst(server, ["jobs", "list", "--limit", limit])).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("whole number from 1 to 500"),
    });
    expect(server.requests).toEqual([]);
  });
});

describe("jobs show", () => {
  it("shows tasks, attempts, error and files", async () => {
    const result = {
      schema: 1,
      files: [{ input: "uploads/1/a.mp4", output: "outputs/x/a.mp4", status: "repaired" }],
      summary: { repaired: 1, healthy: 0, failed: 0 },
    };
    server = await startCannedServer({
      [`GET /v1/jobs/${ID}`]: () =>
        cannedJob({ status: "partial", error: { code: "INPUT_EMPTY", message: "a\u202e is empty." }, result }),
      [`GET /v1/jobs/${ID}/tasks`]: () => ({
        tasks: [
          cannedTask(),
          cannedTask({
            index: 1,
            status: "failed",
            attempt: 4,
            failures: 3,
            error: { code: "NO_SPACE", message: "Full." },
          }),
        ],
      }),
    });
    const { exitCode, output } = await runAgainst(server, ["jobs", "show", ID]);
    expect(exitCode).toBe(0);
    expect(output).toContain("error     a\\u202e is empty. (INPUT_EMPTY)\n");
    expect(output).toMatch(/^work +1 {2}failed +4 +3 .*Full\. \(NO_SPACE\)$/m);
    expect(output).toMatch(/^repaired {2}uploads\/1\/a\.mp4 {2}outputs\/x\/a\.mp4$/m);
  });

  it("gives the server's refusal", async () => {
    server = await startCannedServer({
      "GET /v1/jobs/*": (_request, response) => sendProblem(response, 404, "JOB_NOT_FOUND", "There is no job x."),
    });
    await expect(runAgainst(server, ["jobs", "show", "x"])).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
  });

  it.each([[".."], ["a/b"], ["a?b"], ["%2e"], [""]])("asks for no path but its own: %j", async (id) => {
    server = await startCannedServer({});
    await expect(runAgainst(server, ["jobs", "show", id])).rejects.toMatchObject({ code: "USAGE" });
    expect(server.requests).toEqual([]);
  });
});

describe("jobs cancel, retry, replay", () => {
  it("does what it can and says what was refused", async () => {
    server = await startCannedServer({
      "POST /v1/jobs/a/cancel": (_request, response) => sendProblem(response, 409, "JOB_STATE", "The job a has ended."),
      "POST /v1/jobs/b/cancel": () => cannedJob({ id: "b", status: "cancelled" }),
    });
    const { exitCode, output, error } = await runAgainst(server, ["jobs", "cancel", "a", "b"]);
    expect(exitCode).toBe(1);
    expect(output).toBe("b: cancelled\n");
    expect(error).toBe("reelmill: The job a has ended. (JOB_STATE)\n");
  });

  it("tells the new job of a replay", async () => {
    server = await startCannedServer({
      "POST /v1/jobs/a/replay": (_request, response) =>
        sendJson(response, 201, cannedJob({ id: "n", parentJobId: "a" })),
    });
    expect((await runAgainst(server, ["jobs", "replay", "a"])).output).toBe("a: replayed as n\n");
  });

  it("stops at once where the key is wrong, and never shows it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "reelmill-key-"));
    try {
      writeFileSync(join(folder, "key"), "5ecret\n");
      server = await startCannedServer({
        "POST /v1/jobs/*/retry": (_request, response) => void response.writeHead(401).end(),
      });
      const command = runAgainst(server, ["jobs", "retry", "a", "b", "--api-key-file", join(folder, "key")]);
      await expect(command).rejects.toMatchObject({
        code: "UNAUTHORIZED",
        message: expect.not.stringContaining("5ecret"),
      });
      expect(server.requests.map(({ headers }) => headers["x-api-key"])).toEqual(["5ecret"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("jobs watch", () => {
  it("takes a broken stream up behind the last event, and gives 0 for success", async () => {
    let connections = 0;
    server = await startCannedServer({
      [`GET /v1/jobs/${ID}/events`]: (_request, response) => {
        connections += 1;
        const send = beginStream(response);
        if (connections === 1) {
          send("job", cannedJob());
          send(
            "event",
            {
              seq: 7,
              jobId: ID,
              at: "",
              type: "task.retrying",
              data: { stage: "work", code: "NO_SPACE", message: "Full.\u001b[2J" },
            },
            7,
          );
          setImmediate(() => response.destroy());
        } else if (connections === 2) {
          response.end();
        } else {
          send("job", cannedJob({ status: "succeeded", progress: 1 }));
        }
      },
      [`GET /v1/jobs/${ID}/tasks`]: () => ({ tasks: [cannedTask()] }),
    });
    const { exitCode, output, error, context } = await runAgainst(server, ["jobs", "watch", ID]);
    expect(exitCode).toBe(0);
    const streams = server.requests.filter(({ url }) => url.endsWith("/events"));
    expect(streams.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "7", "7"]);
    expect(context.sleeps).toEqual([500, 1000]);
    expect(error).toContain("running, work, 50 %, 1/2");
    expect(error).toContain("a task failed and will be tried again: Full.\\u001b[2J (NO_SPACE)\n");
    expect(error).not.toContain("\u001b");
    expect(output).toMatch(/^status +succeeded$/m);
  });

  it.each(["partial", "failed", "cancelled"])("gives 1 for a job that is %s", async (status) => {
    server = await startCannedServer({
      "GET /v1/jobs/*/events": (_request, response) => beginStream(response)("job", cannedJob({ status })),
      "GET /v1/jobs/*/tasks": () => ({ tasks: [] }),
    });
    expect((await runAgainst(server, ["jobs", "watch", ID, "--json"])).exitCode).toBe(1);
  });

  it("draws a bar with the server's own estimate on a terminal", async () => {
    server = await startCannedServer({
      "GET /v1/jobs/*/events": (_request, response) => {
        const send = beginStream(response);
        send("job", cannedJob());
        send("job", cannedJob({ status: "succeeded" }));
      },
      "GET /v1/jobs/*/tasks": () => ({ tasks: [] }),
    });
    const { error } = await runAgainst(server, ["jobs", "watch", ID], { isErrorTerminal: true, columns: 100 });
    expect(error).toContain("50 %, 1 min 30 s left  work 1/2");
    expect(error.endsWith("\r\u001b[K")).toBe(true);
  });

  it("gives up in the end where no connection brings anything", async () => {
    server = await startCannedServer({ "GET /v1/jobs/*/events": (_request, response) => void response.destroy() });
    await expect(runAgainst(server, ["jobs", "watch", ID])).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
    expect(server.requests).toHaveLength(13);
  });

  it.each([
    ["no event stream", (response: ServerResponse) => void response.end("{}")],
    [
      "an event that is no JSON",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).write("event: job\ndata: {\n\n");
      },
    ],
  ])("does not try again where the answer is %s", async (_what, answer) => {
    server = await startCannedServer({ "GET /v1/jobs/*/events": (_request, response) => answer(response) });
    await expect(runAgainst(server, ["jobs", "watch", ID])).rejects.toMatchObject({ code: "SERVER_ANSWER_INVALID" });
    expect(server.requests).toHaveLength(1);
  });

  it("ends with Ctrl-C", async () => {
    const stop = new AbortController();
    server = await startCannedServer({
      "GET /v1/jobs/*/events": (_request, response) => {
        beginStream(response)("job", cannedJob());
        setImmediate(() => stop.abort("SIGINT"));
      },
    });
    await expect(runAgainst(server, ["jobs", "watch", ID], { signal: stop.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
