import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/apps/server/limits.ts";
import { sendRaw, startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";

let server: TestServer;
beforeEach(async () => {
  server = await startServer({ limits: { ...DEFAULT_LIMITS, uploadBytes: 1000 } });
});
afterEach(async () => await server.stop());

const BYTES = Buffer.from("0123456789");
const store = async (key: string): Promise<void> => {
  await server.objects.put(
    key,
    (async function* () {
      yield BYTES;
    })(),
  );
};
const codeOf = async (response: Response): Promise<string> => VIEWS.problem.parse(await response.json()).code;
const read = async (key: string, headers: Readonly<Record<string, string>> = {}) =>
  await server.ask(`/v1/objects/${key}`, { headers });

it("is stopped in spite of a client that takes nothing of what it asked for", async () => {
  await server.stop();
  server = await startServer({ limits: { ...DEFAULT_LIMITS, closeGraceMs: 50 } });
  await server.objects.put(
    "uploads/large",
    (async function* () {
      // More than the buffers of both ends.
      for (let piece = 0; piece < 32; piece++) yield Buffer.alloc(1024 * 1024);
    })(),
  );
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET /v1/objects/uploads/large HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await new Promise((resolve) => socket.once("readable", resolve));
  await server.app.close();
  socket.destroy();
});

describe("reading objects", () => {
  beforeEach(async () => await store("outputs/a b/ü.mp4"));
  const path = "outputs/a%20b/%C3%BC.mp4";

  it("gives the bytes with type, length, tag and nothing that a browser would run", async () => {
    const response = await read(path);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("0123456789");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "video/mp4",
      "content-length": "10",
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("sandbox"),
      "content-disposition": `inline; filename="_.mp4"; filename*=UTF-8''%C3%BC.mp4`,
    });
  });

  it("offers it for saving on request, and knows HEAD", async () => {
    const download = await read(`${path}?download=1`);
    expect(download.headers.get("content-disposition")).toMatch(/^attachment;/);
    await download.text();
    const head = await server.ask(`/v1/objects/${path}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
  });

  it.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=8-", "89", "bytes 8-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=5-100", "56789", "bytes 5-9/10"],
    ["bytes=-100", "0123456789", "bytes 0-9/10"],
  ])("gives the range %s", async (range, text, contentRange) => {
    const response = await read(path, { range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(response.headers.get("content-length")).toBe(String(text.length));
    expect(await response.text()).toBe(text);
  });

  it.each(["bytes=10-", "bytes=99999-100000", "bytes=-0"])("refuses the range %s", async (range) => {
    const response = await read(path, { range });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    expect(await codeOf(response)).toBe("RANGE_UNSATISFIABLE");
  });

  it.each(["bytes=3-1", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes=-"])(
    "takes no notice of %s",
    async (range) => {
      const response = await read(path, { range });
      expect([response.status, await response.text()]).toEqual([200, "0123456789"]);
    },
  );

  it("answers 304 to who has it, and gives a range only of the object that the client knows", async () => {
    const first = await read(path);
    await first.text();
    const etag = first.headers.get("etag") ?? "";
    const modified = first.headers.get("last-modified") ?? "";
    for (const headers of [
      { "if-none-match": etag },
      { "if-none-match": `"x", W/${etag}` },
      { "if-none-match": "*" },
    ]) {
      expect((await read(path, headers)).status).toBe(304);
    }
    expect((await read(path, { "if-none-match": '"x"' })).status).toBe(200);
    const range = "bytes=0-1";
    expect((await read(path, { range, "if-range": etag })).status).toBe(206);
    expect((await read(path, { range, "if-range": modified })).status).toBe(206);
    expect((await read(path, { range, "if-range": '"old"' })).status).toBe(200);
  });

  it.each([
    ["page.html", "application/octet-stream"],
    ["page.svg", "application/octet-stream"],
    ["page.mp4.js", "application/octet-stream"],
    ["none", "application/octet-stream"],
    ["CLIP.MOV", "video/quicktime"],
    ["notes.txt", "text/plain; charset=utf-8"],
  ])("serves %s as %s", async (name, type) => {
    await store(`outputs/${name}`);
    expect((await read(`outputs/${name}`)).headers.get("content-type")).toBe(type);
  });

  it("lists by prefix and page", async () => {
    await store("outputs/b.mp4");
    await store("uploads/c.mp4");
    const list = async (query: string) => VIEWS.objects.parse(await (await server.ask(`/v1/objects?${query}`)).json());
    const first = await list("prefix=outputs/&limit=1");
    expect(first).toMatchObject({ objects: [{ key: "outputs/a b/ü.mp4", bytes: 10 }], nextAfter: "outputs/a b/ü.mp4" });
    const rest = await list(`prefix=outputs/&limit=1&after=${encodeURIComponent(first.nextAfter ?? "")}`);
    expect(rest).toMatchObject({ objects: [{ key: "outputs/b.mp4" }], nextAfter: null });
    expect((await server.ask("/v1/objects?prefix=../")).status).toBe(400);
  });
});

describe("changing objects", () => {
  it("takes an object below uploads/ in one request", async () => {
    const response = await server.ask("/v1/objects/uploads/x/a.mp4", { method: "PUT", body: BYTES });
    expect(response.status).toBe(201);
    expect(VIEWS.object.parse(await response.json())).toMatchObject({ key: "uploads/x/a.mp4", bytes: 10 });
    expect(await (await read("uploads/x/a.mp4")).text()).toBe("0123456789");
    const typed = { method: "PUT", body: "{}", headers: { "content-type": "application/json" } };
    expect((await server.ask("/v1/objects/uploads/x/b.json", typed)).status).toBe(201);
    expect((await server.ask("/v1/objects/uploads/empty", { method: "PUT" })).status).toBe(201);
    expect((await server.objects.head("uploads/empty"))?.bytes).toBe(0);
  });

  it.each(["outputs/a", "watch/ready/a.mp4", "uploadsx/a", "a"])("does not write %s", async (key) => {
    const response = await server.ask(`/v1/objects/${key}`, { method: "PUT", body: BYTES });
    expect([response.status, await codeOf(response)]).toEqual([403, "FORBIDDEN"]);
    expect(await server.objects.head(key)).toBeUndefined();
  });

  it("keeps nothing of what is too large or cut off", async () => {
    const large = Buffer.alloc(1001);
    const announced = await server.ask("/v1/objects/uploads/l", { method: "PUT", body: large });
    expect([announced.status, await codeOf(announced)]).toEqual([413, "BODY_TOO_LARGE"]);
    const chunked = await sendRaw(
      server.port,
      `PUT /v1/objects/uploads/l HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1001)}\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413 /);
    const socket = connect(server.port, "127.0.0.1");
    socket.write("PUT /v1/objects/uploads/c HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf");
    socket.end();
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(await server.objects.list("", { limit: 10 })).toEqual([]);
  });

  it("removes below uploads/ and outputs/ alone", async () => {
    await store("uploads/a");
    await store("outputs/a");
    await store("watch/a");
    const remove = (key: string) => server.ask(`/v1/objects/${key}`, { method: "DELETE" });
    expect((await remove("uploads/a")).status).toBe(204);
    expect((await remove("outputs/a")).status).toBe(204);
    expect((await remove("outputs/a")).status).toBe(404);
    expect((await remove("watch/a")).status).toBe(403);
    expect(await server.objects.head("watch/a")).toBeDefined();
  });
});

describe("hostile keys", () => {
  it.each([
    "/v1/objects/",
    "/v1/objects/..",
    "/v1/objects/../jobs.db",
    "/v1/objects/uploads/../../jobs.db",
    "/v1/objects/uploads/%2e%2e/%2e%2e/jobs.db",
    "/v1/objects/uploads%2f..%2f..%2fjobs.db",
    "/v1/objects/uploads%2Fa",
    "/v1/objects/uploads//a",
    "/v1/objects//etc/passwd",
    "/v1/objects/uploads/a/",
    "/v1/objects/uploads/a%00.mp4",
    "/v1/objects/uploads/a%0d%0ax: y",
    "/v1/objects/uploads/..%5c..%5cjobs.db",
    "/v1/objects/uploads/..\\..\\jobs.db",
    "/v1/objects/%c0%ae%c0%ae/jobs.db",
    "/v1/objects/%ff",
    "/v1/objects/%",
    "/v1/objects/%ed%a0%80",
    "/v1/objects/.reelmill-x",
    `/v1/objects/${"x".repeat(256)}`,
    `/v1/objects/${"a/".repeat(600)}b`,
  ])("refuses %s for every method", async (path) => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const text = await sendRaw(
        server.port,
        `${method} ${path.replaceAll(" ", "%20")} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
      expect(text).toMatch(/^HTTP\/1.1 400 /);
      expect(text).toContain('"code":"OBJECT_KEY_INVALID"');
    }
  });
});
