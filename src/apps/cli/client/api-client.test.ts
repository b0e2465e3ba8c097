import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type CannedServer, sendProblem, startCannedServer } from "../remote/canned-server.fixture.ts";
import { createApiClient } from "./api-client.ts";

const ANSWER = z.object({ count: z.number() });

let server: CannedServer | undefined;

afterEach(() => server?.close());

async function ask(
  routes: Parameters<typeof startCannedServer>[0],
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal; readonly apiKey?: string } = {},
) {
  server = await startCannedServer(routes);
  const signal = options.signal ?? new AbortController().signal;
  return await createApiClient({ server: server.address, apiKey: undefined, ...options, signal }).ask("/x", ANSWER);
}

describe("createApiClient", () => {
  it("gives what was asked for, and what it does not know as it came", async () => {
    const answer = await ask({ "GET /x": () => ({ count: 1, later: true }) }, { apiKey: "5ecret" });
    expect(answer).toEqual({ raw: { count: 1, later: true }, value: { count: 1 } });
    expect(server?.requests[0]?.headers["x-api-key"]).toBe("5ecret");
  });

  it.each([
    ["a web page", "<!doctype html>", "it sent a web page"],
    ["JSON that is cut off", '{"count": 1', "its JSON cannot be read"],
    ["another shape", '{"count": "1"}', "count: "],
    ["nothing", "", "its JSON cannot be read"],
  ])("says so where it gets %s", async (_what, body, message) => {
    const asked = ask({ "GET /x": (_request, response) => void response.end(body) });
    await expect(asked).rejects.toMatchObject({
      code: "SERVER_ANSWER_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it("gives a refusal's code and words", async () => {
    const asked = ask({ "GET /x": (_request, response) => sendProblem(response, 409, "JOB_STATE", "It has ended.") });
    await expect(asked).rejects.toMatchObject({ code: "JOB_STATE", message: "It has ended." });
  });

  it.each([
    ["asks for", undefined],
    ["does not take this", "wrong"],
  ])("says where the key comes from when the server %s one", async (words, apiKey) => {
    const refuse: Parameters<typeof startCannedServer>[0][string] = (_request, response) =>
      sendProblem(response, 401, "UNAUTHORIZED", "Send it as X-Api-Key.");
    const error = await ask({ "GET /x": refuse }, apiKey === undefined ? {} : { apiKey }).catch((error) => error);
    expect(error).toMatchObject({ code: "UNAUTHORIZED", message: expect.stringContaining(words) });
    for (const name of ["REELMILL_API_KEY", "--api-key-file"]) expect(error.message).toContain(name);
    expect(error.message).not.toContain("X-Api-Key");
  });

  it("says why no request goes to a port of another protocol", async () => {
    const { signal } = new AbortController();
    const client = createApiClient({ server: "http://127.0.0.1:6000", apiKey: undefined, signal });
    await expect(client.ask("/x", ANSWER)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("port 6000"),
    });
  });

  it.each([
    [401, "UNAUTHORIZED", "REELMILL_API_KEY"],
    [404, "NOT_FOUND", "status 404"],
    [429, "RATE_LIMITED", "status 429"],
    [502, "SERVER_ANSWER_INVALID", "status 502"],
  ])("makes sense of a %i without a code", async (status, code, message) => {
    const asked = ask({ "GET /x": (_request, response) => void response.writeHead(status).end("<html>") });
    await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("knows the code of a newer server only by its status", async () => {
    const asked = ask({ "GET /x": (_request, response) => sendProblem(response, 404, "toString", "Gone.") });
    await expect(asked).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("toString: Gone."),
    });
  });

  it("does not carry the key along where an answer points elsewhere", async () => {
    const asked = ask({
      "GET /x": (_request, response) => void response.writeHead(302, { location: "/y" }).end(),
      "GET /y": () => ({ count: 1 }),
    });
    await expect(asked).rejects.toMatchObject({ code: "SERVER_ANSWER_INVALID" });
    expect(server?.requests.map(({ url }) => url)).toEqual(["/x"]);
  });

  it.each([
    ["does not begin", () => undefined],
    ["does not end", (_request: unknown, response: { write(text: string): unknown }) => void response.write("{")],
  ])("gives up an answer that %s", async (_what, handler) => {
    const asked = ask({ "GET /x": handler }, { timeoutMs: 100 });
    await expect(asked).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
      message: expect.stringContaining("did not answer within 0.1 s"),
    });
  });

  it("says how to start a server where there is none", async () => {
    const gone = await startCannedServer({});
    await gone.close();
    const client = createApiClient({ server: gone.address, apiKey: undefined, signal: new AbortController().signal });
    await expect(client.ask("/x", ANSWER)).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
      message: `No server answers at ${gone.address}. Start one with \`reelmill up\`, or name another with --server.`,
    });
  });

  it("stops with its signal", async () => {
    const stop = new AbortController();
    const asked = ask({ "GET /x": () => void stop.abort("SIGINT") }, { signal: stop.signal });
    await expect(asked).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("takes a path of the server's own, never a host", () => {
    const signal = new AbortController().signal;
    const client = createApiClient({ server: "http://a.example/mill", apiKey: undefined, signal });
    expect(client.pathOf("http://evil.example/mill/v1/uploads/1?x", "/v1/uploads")).toBe("/v1/uploads/1?x");
    expect(client.pathOf("/v1/uploads/1", "/v1/uploads")).toBe("/v1/uploads/1");
  });

  describe("where the server points into its store", () => {
    const pointing = async (location: string, isFollowed = true): Promise<Response> => {
      server = await startCannedServer({
        "GET /x": (_request, response) => void response.writeHead(307, { location }).end(),
      });
      const { signal } = new AbortController();
      const client = createApiClient({ server: server.address, apiKey: "5ecret", signal });
      return await client.open("/x", { headers: { range: "bytes=2-" }, mayPointElsewhere: isFollowed });
    };
    let store: CannedServer | undefined;

    afterEach(() => store?.close());

    it("asks there without the key", async () => {
      store = await startCannedServer({ "GET /there": (_request, response) => void response.end("bytes") });
      const response = await pointing(`${store.address}/there?signature=1`);
      expect(await response.text()).toBe("bytes");
      expect(store.requests).toMatchObject([{ url: "/there?signature=1", headers: { range: "bytes=2-" } }]);
      expect(store.requests[0]?.headers["x-api-key"]).toBeUndefined();
    });

    it("goes nowhere unasked, or to what is no web address, or further", async () => {
      store = await startCannedServer({
        "GET /further": (_request, response) => void response.writeHead(302, { location: "/there" }).end(),
        "GET /gone": (_request, response) => void response.writeHead(403).end(),
      });
      const { address } = store;
      await expect(pointing(`${address}/further`, false)).rejects.toMatchObject({ code: "SERVER_ANSWER_INVALID" });
      expect(store.requests).toEqual([]);
      await expect(pointing("file:///etc/passwd")).rejects.toMatchObject({ code: "SERVER_ANSWER_INVALID" });
      await expect(pointing(`${address}/further`)).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
      await expect(pointing(`${address}/gone`)).rejects.toMatchObject({
        code: "SERVER_UNREACHABLE",
        message: expect.stringContaining("status 403"),
      });
    });
  });
});
