import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/apps/server/limits.ts";
import { sendRaw, startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";

let server: TestServer;
beforeEach(async () => {
  server = await startServer({
    limits: { ...DEFAULT_LIMITS, bodyBytes: 1000, headerTimeoutMs: 400, bodyTimeoutMs: 400, uploadSilenceMs: 400 },
  });
});
afterEach(async () => await server.stop());

const END = "host: localhost\r\nconnection: close\r\n";
const post = (body: string, headers = "content-type: application/json\r\n"): string =>
  `POST /v1/jobs HTTP/1.1\r\n${END}${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe("hostile requests", () => {
  it.each([
    ["no HTTP", "hello\r\n\r\n", 400, "REQUEST_INVALID"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00", 400, "REQUEST_INVALID"],
    ["a raw NUL in the path", `GET /v1/\0 HTTP/1.1\r\n${END}\r\n`, 400, "REQUEST_INVALID"],
    ["a header with a line feed in its name", `GET / HTTP/1.1\r\n${END}a\nb: c\r\n\r\n`, 400, "REQUEST_INVALID"],
    [
      "two lengths",
      `POST / HTTP/1.1\r\n${END}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
      400,
      "REQUEST_INVALID",
    ],
    [
      "a length and chunks",
      `POST / HTTP/1.1\r\n${END}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      "REQUEST_INVALID",
    ],
    ["large headers", `GET / HTTP/1.1\r\n${END}a: ${"x".repeat(20_000)}\r\n\r\n`, 431, "HEADERS_TOO_LARGE"],
    ["a long URL", `GET /${"x".repeat(9000)} HTTP/1.1\r\n${END}\r\n`, 414, "URL_TOO_LONG"],
    ["an asterisk", `OPTIONS * HTTP/1.1\r\n${END}\r\n`, 400, "REQUEST_INVALID"],
    ["a malformed escape", `GET /v1/jobs/%zz HTTP/1.1\r\n${END}\r\n`, 400, "REQUEST_INVALID"],
    ["an unknown method", `BREW /v1/jobs HTTP/1.1\r\n${END}\r\n`, 400, "REQUEST_INVALID"],
    ["a method that is not taken", `PATCH /v1/jobs HTTP/1.1\r\n${END}\r\n`, 405, "METHOD_NOT_ALLOWED"],
    ["an unknown path", `GET /v2/jobs HTTP/1.1\r\n${END}\r\n`, 404, "NOT_FOUND"],
    ["an oversized body", post(JSON.stringify({ a: "x".repeat(1000) })), 413, "BODY_TOO_LARGE"],
    [
      "another media type",
      post("a=b", "content-type: application/x-www-form-urlencoded\r\n"),
      415,
      "MEDIA_TYPE_UNSUPPORTED",
    ],
    ["no media type", post("{}", ""), 415, "MEDIA_TYPE_UNSUPPORTED"],
    ["no JSON", post("{"), 400, "REQUEST_INVALID"],
    ["two JSON values", post("{}{}"), 400, "REQUEST_INVALID"],
    ["a prototype", post('{"__proto__":{"a":1},"pipeline":"echo","params":{"text":"a"}}'), 400, "REQUEST_INVALID"],
    ["a disguised prototype", post('{"pipeline":"echo","params":{"\\u005f_proto__":1}}'), 400, "REQUEST_INVALID"],
    ["deep nesting", post(`${"[".repeat(400)}${"]".repeat(400)}`), 400, "REQUEST_INVALID"],
  ])("answers %s as a problem and goes on", async (_what, text, status, code) => {
    const answer = await sendRaw(server.port, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.toLowerCase()).toContain("content-type: application/problem+json");
    expect(answer.toLowerCase()).toContain("x-content-type-options: nosniff");
    expect(answer).toContain(`"code":"${code}"`);
    expect((await server.ask("/health/live")).status).toBe(200);
  });

  it("names the methods that a path takes", async () => {
    const response = await server.ask("/v1/jobs/x", { method: "DELETE" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
  });

  it.each([
    ["headers", "GET /v1/jobs HTTP/1.1\r\nhost: localh"],
    [
      "a body",
      "POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{",
    ],
  ])("gives up on a client that is slow with %s", async (_what, text) => {
    expect(await sendRaw(server.port, text)).toMatch(/^HTTP\/1\.1 408 .*"code":"REQUEST_TIMEOUT"/s);
  });

  it("gives up on an upload that goes silent, and keeps nothing of it", async () => {
    const text = "PUT /v1/objects/uploads/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf";
    await sendRaw(server.port, text);
    expect(await server.objects.list("", { limit: 1 })).toEqual([]);
  });

  it("takes Unicode as it is, in params and queries", async () => {
    const text = "ü 日本 👩‍👩‍👧 \u202e \u0000 \ud800";
    const made = await server.post("/v1/jobs", { pipeline: "echo", params: { text } });
    const { id } = VIEWS.job.parse(await made.json());
    const shown = VIEWS.job.parse(await (await server.ask(`/v1/jobs/${id}`)).json());
    expect(shown.params).toEqual({ text, times: 1 });
    const unknown = VIEWS.problem.parse(await (await server.ask("/v1/jobs?pipeline=%00%F0%9F%98%80")).json());
    expect([unknown.code, unknown.detail]).toEqual(["PIPELINE_UNKNOWN", expect.stringContaining("😀")]);
    expect((await server.ask("/v1/jobs/%F0%9F%98%80%00")).status).toBe(404);
  });

  it("answers many requests of one connection in their order", async () => {
    const one = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const last = `GET /v1/nope HTTP/1.1\r\n${END}\r\n`;
    const answer = await sendRaw(server.port, one.repeat(50) + last);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([...Array<string>(50).fill("HTTP/1.1 200"), "HTTP/1.1 404"]);
  });

  it("tells nothing of its own faults, and writes them into the log", async () => {
    await server.stop();
    server = await startServer({
      system: async () => {
        throw new Error("secret detail");
      },
    });
    const response = await server.ask("/v1/system");
    const problem = await response.text();
    expect(response.status).toBe(500);
    expect(problem).toContain('"code":"INTERNAL"');
    expect(problem).not.toContain("secret");
    expect(server.lines.join("")).toContain("secret detail");
  });

  it("outlives clients that go away in the middle", async () => {
    for (let count = 0; count < 20; count += 1) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(post('{"pipeline":"echo"').slice(0, -10));
      socket.destroy();
    }
    expect((await server.ask("/health/live")).status).toBe(200);
    expect(server.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
