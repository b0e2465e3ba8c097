import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServer } from "../../src/apps/server/create-server.ts";
import { DEFAULT_LIMITS } from "../../src/apps/server/limits.ts";
import { formatObjectPath } from "../../src/apps/server/object-path.ts";
import { sendRaw, startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";
import { systemClock } from "../../src/base/clock.ts";

let server: TestServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => await server.stop());

const TUS = { "tus-resumable": "1.0.0" };
const OCTETS = { "content-type": "application/offset+octet-stream" };
const metadataOf = (name: string): string => `filename ${Buffer.from(name).toString("base64")}`;

const begin = async (length: number, name = "clip.mp4", more: RequestInit = {}) =>
  await server.ask("/v1/uploads", {
    method: "POST",
    ...more,
    headers: { ...TUS, "upload-length": String(length), "upload-metadata": metadataOf(name), ...more.headers },
  });
const append = async (location: string, offset: number, body: string, url = server.url) =>
  await fetch(url + location, {
    method: "PATCH",
    headers: { ...TUS, ...OCTETS, "upload-offset": String(offset) },
    body,
  });
const headOf = async (location: string, url = server.url) =>
  await fetch(url + location, { method: "HEAD", headers: TUS });
const locationOf = (response: Response): string => response.headers.get("location") ?? "";
const keyOf = (response: Response): string => decodeURIComponent(response.headers.get("upload-object-key") ?? "");
const textOf = async (key: string): Promise<string> =>
  await (await server.ask(`/v1/objects/${formatObjectPath(key)}`)).text();
const codeOf = async (response: Response): Promise<string> => {
  expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  return VIEWS.problem.parse(await response.json()).code;
};

describe("uploads", () => {
  it("tells what it can", async () => {
    const response = await server.ask("/v1/uploads", { method: "OPTIONS" });
    expect(response.status).toBe(204);
    expect(response.headers.get("tus-extension")).toBe("creation,creation-with-upload,termination,expiration");
    expect(response.headers.get("tus-max-size")).toBe(String(DEFAULT_LIMITS.uploadBytes));
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("gathers parts and moves the whole to the key it told", async () => {
    const created = await begin(10, "ü clip.mp4");
    expect(created.status).toBe(201);
    expect(locationOf(created)).toMatch(/^\/v1\/uploads\/[0-9a-f]{32}$/);
    expect(created.headers.get("upload-expires")).not.toBeNull();
    const key = keyOf(created);
    expect(key).toMatch(/^uploads\/[0-9a-f]{32}\/ü clip\.mp4$/);
    expect((await append(locationOf(created), 0, "01234")).headers.get("upload-offset")).toBe("5");
    const half = await headOf(locationOf(created));
    expect([half.headers.get("upload-offset"), half.headers.get("upload-length"), keyOf(half)]).toEqual([
      "5",
      "10",
      key,
    ]);
    expect(await server.objects.head(key)).toBeUndefined();
    expect((await append(locationOf(created), 5, "56789")).status).toBe(204);
    expect(await textOf(key)).toBe("0123456789");
    expect((await headOf(locationOf(created))).headers.get("upload-offset")).toBe("10");
    expect(readdirSync(server.uploadFolder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("takes the bytes along with the creation, and none at all", async () => {
    const whole = await begin(3, "a.mp4", { body: "abc", headers: OCTETS });
    expect([whole.status, whole.headers.get("upload-offset")]).toEqual([201, "3"]);
    expect(await textOf(keyOf(whole))).toBe("abc");
    expect((await server.objects.head(keyOf(await begin(0))))?.bytes).toBe(0);
  });

  it("goes on after the server was started again, also where only the last step was missing", async () => {
    const created = await begin(6);
    await append(locationOf(created), 0, "012");
    const full = await begin(3);
    // As if the server had ended between the last byte and the move.
    const id = locationOf(full).split("/").at(-1) ?? "";
    execFileSync("sh", ["-c", 'printf abc > "$1"', "sh", join(server.uploadFolder, `${id}.part`)]);
    await server.close();
    const again = createServer({ ...server, signal: new AbortController().signal });
    try {
      const url = await again.listen({ host: "127.0.0.1", port: 0 });
      expect((await server.objects.head(keyOf(full)))?.bytes).toBe(3);
      expect((await headOf(locationOf(created), url)).headers.get("upload-offset")).toBe("3");
      expect((await append(locationOf(created), 3, "345", url)).status).toBe(204);
      expect((await server.objects.head(keyOf(created)))?.bytes).toBe(6);
    } finally {
      await again.close();
    }
  });

  it("keeps what came before a connection broke", async () => {
    const location = locationOf(await begin(2_000_000));
    const socket = connect(server.port, "127.0.0.1");
    socket.write(
      `PATCH ${location} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: ${OCTETS["content-type"]}\r\ncontent-length: 2000000\r\n\r\n${"x".repeat(1_500_000)}`,
    );
    const part = join(server.uploadFolder, `${location.split("/").at(-1)}.part`);
    await expect.poll(() => statSync(part).size).toBeGreaterThan(0);
    socket.end();
    await expect.poll(async () => (await headOf(location)).headers.get("upload-offset")).toBe("1500000");
    expect((await append(location, 1_500_000, "y".repeat(500_000))).status).toBe(204);
  });

  it("lets a new request take over from one that hangs", async () => {
    const location = locationOf(await begin(10));
    const socket = connect(server.port, "127.0.0.1");
    socket.write(
      `PATCH ${location} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: ${OCTETS["content-type"]}\r\ncontent-length: 10\r\n\r\n01234`,
    );
    await expect.poll(async () => (await headOf(location)).headers.get("upload-offset")).toBe("5");
    expect((await append(location, 5, "56789")).status).toBe(204);
    socket.destroy();
  });

  it("leaves nothing behind on a connection that many requests share", async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warned);
    const location = locationOf(await begin(10));
    const head = `HEAD ${location} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\n`;
    const answers = await sendRaw(server.port, `${`${head}\r\n`.repeat(30)}${head}connection: close\r\n\r\n`);
    expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(31);
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });

  it("is given up on request, finished or not", async () => {
    const half = locationOf(await begin(10));
    expect((await server.ask(half, { method: "DELETE", headers: TUS })).status).toBe(204);
    expect((await headOf(half)).status).toBe(404);
    expect(readdirSync(server.uploadFolder)).toEqual([]);
    const whole = await begin(3, "a.mp4", { body: "abc", headers: OCTETS });
    expect((await server.ask(locationOf(whole), { method: "DELETE", headers: TUS })).status).toBe(204);
    expect(await server.objects.head(keyOf(whole))).toBeUndefined();
  });

  it("forgets what nobody goes on with, at the next start", async () => {
    const location = locationOf(await begin(10));
    await server.close();
    const later = { ...systemClock, nowMs: () => Date.now() + DEFAULT_LIMITS.uploadKeepMs + 60_000 };
    const again = createServer({ ...server, clock: later, signal: new AbortController().signal });
    try {
      const url = await again.listen({ host: "127.0.0.1", port: 0 });
      expect((await headOf(location, url)).status).toBe(404);
      expect(readdirSync(server.uploadFolder)).toEqual([]);
    } finally {
      await again.close();
    }
  });
});

describe("refused uploads", () => {
  it("names what is wrong, as a problem", async () => {
    const location = locationOf(await begin(10));
    const wrongOffset = await append(location, 3, "x");
    expect([wrongOffset.status, await codeOf(wrongOffset)]).toEqual([409, "UPLOAD_REFUSED"]);
    const tooMuch = await append(location, 0, "x".repeat(11));
    expect([tooMuch.status, await codeOf(tooMuch)]).toEqual([413, "BODY_TOO_LARGE"]);
    const unversioned = await server.ask("/v1/uploads", { method: "POST", headers: { "upload-length": "1" } });
    expect([unversioned.status, await codeOf(unversioned)]).toEqual([412, "REQUEST_INVALID"]);
    expect(unversioned.headers.get("tus-version")).toBe("1.0.0");
    const unmeasured = await server.ask("/v1/uploads", { method: "POST", headers: TUS });
    expect([unmeasured.status, await codeOf(unmeasured)]).toEqual([400, "REQUEST_INVALID"]);
    const unread = await begin(1, "a", { headers: { "upload-metadata": "filename ???" } });
    expect([unread.status, await codeOf(unread)]).toEqual([400, "REQUEST_INVALID"]);
    const unknown = await append(`/v1/uploads/${"0".repeat(32)}`, 0, "x");
    expect([unknown.status, await codeOf(unknown)]).toEqual([404, "UPLOAD_NOT_FOUND"]);
  });

  it("names the upload that a problem is about", async () => {
    const location = locationOf(await begin(10));
    const instanceOf = async (response: Response): Promise<string> =>
      VIEWS.problem.parse(await response.json()).instance;
    expect(await instanceOf(await append(location, 3, "x"))).toBe(location);
    expect(await instanceOf(await server.ask(location, { method: "PATCH" }))).toBe(location);
    expect(await instanceOf(await server.ask("/v1/uploads", { method: "POST" }))).toBe("/v1/uploads");
  });

  it("says how large an upload is and may be", async () => {
    await server.stop();
    server = await startServer({ limits: { ...DEFAULT_LIMITS, uploadBytes: 1000 } });
    const { code, detail } = VIEWS.problem.parse(await (await begin(1001)).json());
    expect({ code, detail }).toEqual({
      code: "BODY_TOO_LARGE",
      detail: "The upload has 1001 bytes; the server takes at most 1000.",
    });
  });

  it.each(["..%2f..%2fjobs", "%2e%2e", "x", "%00", `${"0".repeat(32)}%2fx`])("knows no upload %s", async (id) => {
    for (const method of ["HEAD", "PATCH", "DELETE"]) {
      const response = await server.ask(`/v1/uploads/${id}`, {
        method,
        headers: { ...TUS, ...OCTETS, "upload-offset": "0" },
        ...(method === "PATCH" ? { body: "x" } : {}),
      });
      expect(response.status).toBe(404);
    }
    expect(readdirSync(server.folder)).not.toContain("jobs.part");
  });

  it("refuses what is larger than allowed, or than the disk", async () => {
    expect(await codeOf(await begin(DEFAULT_LIMITS.uploadBytes + 1))).toBe("BODY_TOO_LARGE");
    await server.stop();
    server = await startServer({ limits: { ...DEFAULT_LIMITS, uploadBytes: Number.MAX_SAFE_INTEGER } });
    const response = await begin(Number.MAX_SAFE_INTEGER);
    expect([response.status, await codeOf(response)]).toEqual([507, "NO_SPACE"]);
    expect(readdirSync(server.uploadFolder)).toEqual([]);
  });

  it.each([
    ["../../etc/passwd", "passwd"],
    ["C:\\fakepath\\a.mp4", "a.mp4"],
    ["a\u0000b\n.mov", "a_b_.mov"],
    ["evil\u202e4pm.exe", "evil_4pm.exe"],
    ["..", "upload"],
    ["", "upload"],
    [".reelmill-x", "_.reelmill-x"],
    [`${"ü".repeat(300)}.MOV`, `${"ü".repeat(98)}.MOV`],
  ])("makes %j a safe name", async (given, safe) => {
    expect(
      keyOf(await begin(1, given))
        .split("/")
        .slice(2),
    ).toEqual([safe]);
  });

  it("tells a full disk, keeps what has come, and goes on when there is room", async ({ skip }) => {
    const disk = join(server.folder, "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      skip("mounting is not permitted here");
    }
    try {
      await server.close();
      const again = createServer({
        ...server,
        uploadFolder: join(disk, "uploads"),
        signal: new AbortController().signal,
      });
      const url = await again.listen({ host: "127.0.0.1", port: 0 });
      const created = await fetch(`${url}/v1/uploads`, {
        method: "POST",
        headers: { ...TUS, "upload-length": "600000", "upload-metadata": metadataOf("a.mp4") },
      });
      const filler = join(disk, "filler");
      execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=1000", "count=700"], { stdio: "ignore" });
      const full = await append(locationOf(created), 0, "x".repeat(600_000), url);
      expect([full.status, await codeOf(full)]).toEqual([507, "NO_SPACE"]);
      const offset = Number((await headOf(locationOf(created), url)).headers.get("upload-offset"));
      expect(offset).toBeGreaterThan(0);
      execFileSync("rm", [filler]);
      expect((await append(locationOf(created), offset, "x".repeat(600_000 - offset), url)).status).toBe(204);
      expect((await server.objects.head(keyOf(created)))?.bytes).toBe(600_000);
      await again.close();
    } finally {
      execFileSync("umount", [disk]);
    }
    expect(existsSync(disk)).toBe(true);
  });
});
