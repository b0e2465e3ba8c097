import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/apps/server/limits.ts";
import { sendRaw, startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";
import { systemClock } from "../../src/base/clock.ts";

let server: TestServer;
afterEach(async () => await server.stop());

const hash = (key: string): string => createHash("sha256").update(key).digest("hex");
const KEYS = { apiKeyHashes: [hash("old-key"), hash("new-key").toUpperCase()] };
const codeOf = async (response: Response): Promise<string> => VIEWS.problem.parse(await response.json()).code;
const rawGet = (host: string, path = "/v1/jobs"): Promise<string> =>
  sendRaw(server.port, `GET ${path} HTTP/1.1\r\n${host}connection: close\r\n\r\n`);

describe("with API keys", () => {
  it.each([
    ["x-api-key", "old-key", 200],
    ["x-api-key", "new-key", 200],
    ["authorization", "Bearer new-key", 200],
    ["authorization", "bearer new-key", 200],
    ["authorization", "Basic new-key", 401],
    ["x-api-key", "new-key ", 200],
    ["x-api-key", "other", 401],
    ["x-api-key", hash("new-key"), 401],
    ["x-api-key", "", 401],
    ["accept", "*/*", 401],
  ])("takes %s: %s with %i", async (name, value, status) => {
    server = await startServer(KEYS);
    const response = await server.ask("/v1/jobs", { headers: { [name]: value } });
    expect(response.status).toBe(status);
    if (status === 401) {
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await codeOf(response)).toBe("UNAUTHORIZED");
    }
  });

  it("tells a wrong key from a missing one", async () => {
    server = await startServer(KEYS);
    const detailFor = async (headers: Readonly<Record<string, string>>): Promise<string> =>
      VIEWS.problem.parse(await (await server.ask("/v1/jobs", { headers })).json()).detail;
    for (const headers of [{ "x-api-key": "other" }, { authorization: "Bearer other" }]) {
      expect(await detailFor(headers)).toBe("The API key is not one that is allowed.");
    }
    for (const headers of [{}, { "x-api-key": "" }]) expect(await detailFor(headers)).toContain("An API key is needed");
  });

  it("opens health and documentation alone", async () => {
    server = await startServer(KEYS);
    for (const path of ["/health", "/health/live", "/health/ready", "/docs", "/docs/errors", "/openapi.json"]) {
      expect((await server.ask(path)).status).toBe(200);
    }
    for (const path of [
      "/metrics",
      "/stats",
      "/v1/events",
      "/v1/objects/a",
      "/%761/jobs",
      "/v1/watch",
      "/v1/jobs/x/events",
    ]) {
      expect((await server.ask(path)).status).toBe(401);
    }
    for (const path of ["/scan-now", "/repair", "/v1/jobs", "/v1/uploads"]) {
      expect((await server.post(path)).status).toBe(401);
    }
    expect((await server.ask("/v1/objects/uploads/a", { method: "PUT", body: "x" })).status).toBe(401);
    expect(await server.objects.head("uploads/a")).toBeUndefined();
  });

  it("gives a cookie for a key, until it ends or is given back", async () => {
    let nowMs = Date.now();
    server = await startServer({ ...KEYS, clock: { ...systemClock, nowMs: () => nowMs } });
    const wrong = await server.post("/v1/session", { apiKey: "other" });
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
    const opened = await server.post("/v1/session", { apiKey: "new-key" });
    expect(VIEWS.session.parse(await opened.json()).expiresAt).not.toBeNull();
    const set = opened.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^reelmill_session=[\w-]{43}; .*HttpOnly; SameSite=Strict$/);
    const cookie = `a=b; ${set.split(";")[0]}`;
    const withCookie = (headers: Readonly<Record<string, string>> = {}) =>
      server.ask("/v1/jobs", { headers: { cookie, ...headers } });
    expect((await withCookie()).status).toBe(200);
    expect((await withCookie({ "x-api-key": "other" })).status).toBe(401);
    nowMs += 13 * 3600_000;
    expect((await withCookie()).status).toBe(401);
    nowMs -= 13 * 3600_000;
    await server.ask("/v1/session", { method: "DELETE", headers: { cookie } });
    expect((await withCookie()).status).toBe(401);
    expect((await server.ask("/v1/jobs", { headers: { cookie: "reelmill_session=" } })).status).toBe(401);
  });

  it("never writes a key into the log", async () => {
    server = await startServer(KEYS);
    await server.ask("/v1/jobs", { headers: { "x-api-key": "leak-me" } });
    await server.post("/v1/session", { apiKey: "leak-me" });
    expect(server.lines.join("")).not.toContain("leak-me");
  });

  it("refuses a hash that is none", async () => {
    server = await startServer();
    await expect(startServer({ apiKeyHashes: ["new-key"] })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("without API keys", () => {
  it.each([
    ["host: localhost\r\n", 200],
    ["host: LOCALHOST:8080\r\n", 200],
    ["host: 127.0.0.1:1\r\n", 200],
    ["host: [::1]:8080\r\n", 200],
    ["host: 127.0.0.2:8080\r\n", 200],
    ["host: 127.0.0.1.evil.example\r\n", 403],
    ["host: 128.0.0.1\r\n", 403],
    ["host: evil.example\r\n", 403],
    ["host: localhost.evil.example\r\n", 403],
    ["host: localhost:80:80\r\n", 403],
    ["host: \r\n", 403],
  ])("answers %j with %i", async (host, status) => {
    server = await startServer();
    expect(await rawGet(host)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it("answers no host at all neither on HTTP/1.0 nor 1.1, nor a target with a host of its own", async () => {
    server = await startServer();
    expect(await sendRaw(server.port, "GET /v1/jobs HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 403 /);
    expect(await rawGet("")).toMatch(/^HTTP\/1.1 400 /);
    expect(await rawGet("host: localhost\r\n", "http://evil.example/v1/jobs")).toMatch(/^HTTP\/1.1 400 /);
  });

  it("says what opens it to other names", async () => {
    server = await startServer();
    expect(await rawGet("host: mill.example\r\n")).toContain("REELMILL_API_KEY_SHA256");
  });

  it("says that no session is needed", async () => {
    server = await startServer();
    const response = await server.post("/v1/session", { apiKey: "x" });
    expect([await response.json(), response.headers.get("set-cookie")]).toEqual([{ expiresAt: null }, null]);
  });
});

describe("requests by way of other sites", () => {
  it.each([
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "same-origin" }, 201],
    [{ "sec-fetch-site": "none" }, 201],
    [{ origin: "same" }, 201],
  ])("answers %j with %i", async (headers, status) => {
    server = await startServer();
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === "same" ? server.url : value]),
    );
    const text = await sendRaw(
      server.port,
      `POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: close\r\ncontent-type: application/json\r\n${Object.entries(
        sent,
      )
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("")}content-length: 41\r\n\r\n${JSON.stringify({ pipeline: "echo", params: { text: "a" } })}`,
    );
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await server.store.count()).byStatus.queued).toBe(status === 201 ? 1 : 0);
  });

  it("lets no other origin read anything", async () => {
    server = await startServer();
    const response = await server.ask("/v1/jobs", { headers: { origin: "http://evil.example" } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    const upload = await server.ask("/v1/uploads", { method: "OPTIONS", headers: { origin: "http://evil.example" } });
    expect(upload.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("the rate limit", () => {
  it("bounds what changes something, and says when to come back", async () => {
    server = await startServer({ limits: { ...DEFAULT_LIMITS, writesPerMinute: 2 } });
    const cancel = () => server.post("/v1/jobs/x/cancel");
    expect([(await cancel()).status, (await cancel()).status]).toEqual([404, 404]);
    const limited = await cancel();
    expect([limited.status, await codeOf(limited)]).toEqual([429, "RATE_LIMITED"]);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await server.ask("/v1/jobs")).status).toBe(200);
  });
});
