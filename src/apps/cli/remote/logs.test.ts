import { afterEach, describe, expect, it } from "vitest";
import { type CannedServer, cannedJob, runAgainst, startCannedServer } from "./canned-server.fixture.ts";

let server: CannedServer;

afterEach(() => server?.close());

function line(second: number, message: string, fields: object = {}) {
  return { timestamp: `2026-01-31T12:00:0${second}.000Z`, level: "info", message, job_id: "j", ...fields };
}

describe("logs", () => {
  it("shows lines as text, or as they came", async () => {
    const error = { code: "NO_SPACE", message: "Full.", stack: "at x" };
    const lines = [line(1, "Begun\u001b[2J", { file: "a b.mp4", attempt: 2 }), line(2, "Failed", { error })];
    server = await startCannedServer({ "GET /v1/jobs/j/logs": () => ({ lines }) });
    const text = await runAgainst(server, ["logs", "j", "--limit", "5"]);
    expect(text.output).toBe(
      '2026-01-31T12:00:01.000Z INFO  Begun\\u001b[2J file="a b.mp4" attempt=2\n' +
        '2026-01-31T12:00:02.000Z INFO  Failed error="Full. (NO_SPACE)"\n',
    );
    expect(server.requests[0]?.url).toBe("/v1/jobs/j/logs?limit=5");
    const json = await runAgainst(server, ["logs", "j", "--json"]);
    expect(json.output).not.toContain("\u001b");
    expect(
      json.output
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text).message),
    ).toEqual(["Begun\u001b[2J", "Failed"]);
  });

  it("follows until the job has ended, each line once, also equal ones and late ones", async () => {
    const lines = [line(1, "old"), line(2, "a"), line(2, "a")];
    let looks = 0;
    server = await startCannedServer({
      "GET /v1/jobs/j/logs": ({ url }) => ({ lines: url.endsWith("limit=2") ? lines.slice(-2) : lines }),
      "GET /v1/jobs/j": () => {
        looks += 1;
        if (looks === 1) lines.push(line(2, "a"));
        // Another component's line, which arrived late.
        if (looks === 2) lines.splice(1, 0, line(1, "late"));
        return cannedJob({ status: looks < 2 ? "running" : "succeeded" });
      },
    });
    const { exitCode, output } = await runAgainst(server, ["logs", "j", "--limit", "2", "--follow"]);
    expect(exitCode).toBe(0);
    expect(
      output
        .trimEnd()
        .split("\n")
        .map((text) => text.slice(31)),
    ).toEqual(["a", "a", "a", "late"]);
  });

  it("waits for lines that come late, and asks no more for what cannot change", async () => {
    const lines = [line(1, "a")];
    const asked: string[] = [];
    const slept: number[] = [];
    server = await startCannedServer({
      "GET /v1/jobs/j/logs": ({ url }) => {
        asked.push(url);
        return { lines, delayMs: 9000 };
      },
      "GET /v1/jobs/j": () => cannedJob({ status: "succeeded" }),
    });
    const sleep = async (delayMs: number): Promise<void> => {
      slept.push(delayMs);
      if (delayMs === 9000) lines.push(line(2, "late"));
    };
    const { output } = await runAgainst(server, ["logs", "j", "-f"], { sleep });
    expect(output.match(/ (a|late)\n/g)).toEqual([" a\n", " late\n"]);
    expect(slept).toEqual([3000, 9000]);
    expect(asked.at(-1)).toBe("/v1/jobs/j/logs?limit=10000&after=2026-01-31T11%3A59%3A25.000Z");
  });

  it("stops following with Ctrl-C", async () => {
    const stop = new AbortController();
    server = await startCannedServer({ "GET /v1/jobs/j/logs": () => ({ lines: [] }) });
    const sleep = async (): Promise<void> => stop.abort("SIGINT");
    expect((await runAgainst(server, ["logs", "j", "-f"], { signal: stop.signal, sleep })).exitCode).toBe(0);
  });
});
