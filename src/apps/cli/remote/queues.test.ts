import { afterEach, describe, expect, it } from "vitest";
import {
  type CannedServer,
  cannedLetter,
  cannedQueue,
  runAgainst,
  sendProblem,
  startCannedServer,
} from "./canned-server.fixture.ts";

let server: CannedServer;

afterEach(() => server?.close());

describe("queues", () => {
  it("are listed with what waits longest", async () => {
    const oldestSentAt = "1970-01-01T00:00:00.000Z";
    server = await startCannedServer({
      "GET /v1/queues": () => ({
        queues: [cannedQueue(), cannedQueue({ queue: "hls", isPaused: true, oldestSentAt })],
      }),
    });
    const { output } = await runAgainst(server, ["queues", "list"], {
      clock: { nowMs: () => 65_000, monotonicMs: () => 0 },
    });
    expect(output).toMatch(/^repair +3 +1 +2 {2}open$/m);
    expect(output).toMatch(/^hls +3 +1 +2 {2}paused {2}1 min 5 s$/m);
  });

  it.each([
    ["pause", true],
    ["resume", false],
  ] as const)("%s", async (action, isPaused) => {
    server = await startCannedServer({ [`POST /v1/queues/repair/${action}`]: () => cannedQueue({ isPaused }) });
    const { output } = await runAgainst(server, ["queues", action, "repair", "--json"]);
    expect(JSON.parse(output)).toMatchObject({ isPaused });
  });
});

describe("queues drain", () => {
  it("pauses, and ends once nothing is in flight", async () => {
    let inFlight = 2;
    server = await startCannedServer({
      "POST /v1/queues/repair/pause": () => cannedQueue({ isPaused: true, inFlight: inFlight-- }),
    });
    const { exitCode, output } = await runAgainst(server, ["queues", "drain", "repair"], {
      sleep: async () => undefined,
    });
    expect(exitCode).toBe(0);
    expect(output).toMatch(/^repair +3 +0 +2 {2}paused/m);
    expect(server.requests).toHaveLength(3);
  });

  it("is cancelled where the waiting is given up, and says that the pause is not", async () => {
    server = await startCannedServer({ "POST /v1/queues/repair/pause": () => cannedQueue({ isPaused: true }) });
    const controller = new AbortController();
    const draining = runAgainst(server, ["queues", "drain", "repair"], {
      signal: controller.signal,
      sleep: async () => controller.abort(),
    });
    await expect(draining).rejects.toMatchObject({ code: "ABORTED", message: expect.stringContaining("stays paused") });
  });
});

describe("dead-letters", () => {
  it("are listed and shown without taking them, escaped", async () => {
    server = await startCannedServer({
      "GET /v1/dead-letters": () => ({ deadLetters: [cannedLetter(4), cannedLetter(5)] }),
    });
    const list = await runAgainst(server, ["dead-letters", "list", "--queue", "repair"]);
    expect(list.output).toMatch(/^ 4 {2}repair .*work 1 +3 .*Gone\\u001b\[31m\. \(WORKER_LOST\)$/m);
    const shown = await runAgainst(server, ["dead-letters", "show", "5", "--json"]);
    expect(JSON.parse(shown.output)).toMatchObject({ id: 5 });
    await expect(runAgainst(server, ["dead-letters", "show", "6"])).rejects.toMatchObject({
      code: "DEAD_LETTER_NOT_FOUND",
    });
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v1/dead-letters?queue=repair",
      "GET /v1/dead-letters",
      "GET /v1/dead-letters",
    ]);
  });

  it("are replayed by id, or all of a queue", async () => {
    server = await startCannedServer({
      "POST /v1/dead-letters/4/replay": () => ({ replayed: 1 }),
      "POST /v1/dead-letters/5/replay": (_request, response) =>
        sendProblem(response, 404, "DEAD_LETTER_NOT_FOUND", "There is no dead letter 5."),
      "POST /v1/dead-letters/replay": () => ({ replayed: 9 }),
    });
    const some = await runAgainst(server, ["dead-letters", "replay", "5", "4"]);
    expect(some).toMatchObject({ exitCode: 1, output: "1 put back to work.\n" });
    expect(some.error).toContain("DEAD_LETTER_NOT_FOUND");
    const all = await runAgainst(server, ["dead-letters", "replay", "--all", "--queue", "hls", "--json"]);
    expect(JSON.parse(all.output)).toEqual({ replayed: 9 });
    expect(JSON.parse(String(server.requests.at(-1)?.body))).toEqual({ queue: "hls" });
  });

  it.each([
    [["replay"]],
    [["replay", "--all", "4"]],
    [["replay", "4", "--queue", "x"]],
    [["replay", "4/.."]],
    [["discard", "x", "--yes"]],
  ])("refuse %j", async (args) => {
    server = await startCannedServer({});
    await expect(runAgainst(server, ["dead-letters", ...args])).rejects.toMatchObject({ code: "USAGE" });
    expect(server.requests).toEqual([]);
  });

  it("are discarded only after a yes", async () => {
    const gone: string[] = [];
    server = await startCannedServer({
      "DELETE /v1/dead-letters/*": ({ url }, response) => {
        gone.push(url);
        response.writeHead(204).end();
      },
    });
    const asked: string[] = [];
    const answering = (answer: string) => ({
      askUser: async (question: string) => {
        asked.push(question);
        return answer;
      },
    });
    const args = ["dead-letters", "discard", "4", "5"];
    await expect(runAgainst(server, args)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("--yes"),
    });
    expect((await runAgainst(server, args, answering(""))).exitCode).toBe(1);
    expect(gone).toEqual([]);
    expect((await runAgainst(server, args, answering("y"))).output).toBe("2 discarded.\n");
    expect(asked).toEqual(["Discard 2 dead letters for good? [y/N] ", "Discard 2 dead letters for good? [y/N] "]);
    expect((await runAgainst(server, [...args, "--yes"])).exitCode).toBe(0);
    expect(gone).toHaveLength(4);
  });
});
