import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CannedServer, cannedJob, runAgainst, sendJson, startCannedServer } from "./canned-server.fixture.ts";

const PARAMS = { required: ["inputs"], properties: { inputs: { type: "array", items: { type: "string" } } } };

type Routes = Parameters<typeof startCannedServer>[0];

let server: CannedServer;
let folder: string;

describe("submit where files go by a link", () => {
  const stored: Record<string, Buffer> = {};
  let puts: number;
  const byLink = (onPut: (response: ServerResponse) => boolean = () => false): Routes => ({
    "GET /v1/pipelines": () => ({
      pipelines: [{ name: "repair", description: "", paramsSchema: PARAMS, resultSchema: {} }],
      uploads: { by: "link", maxBytes: 20 },
    }),
    "POST /v1/jobs": (_request, response) => sendJson(response, 201, cannedJob({ id: "j1", status: "queued" })),
    "POST /upload-url": ({ body }) => {
      const { key, size_bytes: bytes } = JSON.parse(String(body)) as { key: string; size_bytes: number };
      const url = `${server.address}/store/${encodeURIComponent(key)}?bytes=${bytes}`;
      return { url, headers: { "x-amz-meta": "1" }, expires_in_seconds: 3600 };
    },
    "PUT /store/*": ({ url, body }, response) => {
      puts += 1;
      if (onPut(response)) return;
      const { pathname } = new URL(url, server.address);
      stored[decodeURIComponent(pathname.slice("/store/".length))] = body;
      response.writeHead(200).end();
    },
  });
  const submit = (path: string) =>
    runAgainst(server, ["submit", "repair", path], { environment: { REELMILL_API_KEY: "the-key" } });

  const put = (name: string, bytes: Uint8Array = Buffer.from("recording")): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const requestsOf = (wanted: string): readonly string[] =>
    server.requests.filter(({ method }) => method === wanted).map(({ url }) => url);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "reelmill-submit-link-"));
    for (const key of Object.keys(stored)) delete stored[key];
    puts = 0;
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
  });

  it("sends them whole, anew where the connection broke, and shows the store no key", async () => {
    server = await startCannedServer(
      byLink((response) => {
        if (puts === 1) response.destroy();
        return puts === 1;
      }),
    );
    const { exitCode, error } = await submit(put("ü #1.mp4"));
    expect(exitCode).toBe(0);
    const [key = ""] = Object.keys(stored);
    expect(key).toMatch(/^[0-9a-f-]{36}\/ü #1\.mp4$/);
    expect(String(stored[key])).toBe("recording");
    expect(JSON.parse(String(server.requests.at(-1)?.body))).toMatchObject({ params: { inputs: [`uploads/${key}`] } });
    expect(error).toContain("Trying again.");
    expect(requestsOf("POST")).toEqual(["/upload-url", "/upload-url", "/v1/jobs"]);
    for (const { method, headers } of server.requests) {
      expect(headers["x-api-key"]).toBe(method === "PUT" ? undefined : "the-key");
    }
  });

  describe("in parts", () => {
    /** As S3 has them: of ten bytes, the last of less. */
    const inParts = (onPut: (number: number, response: ServerResponse) => boolean = () => false): Routes => {
      const parts = new Map<number, Buffer>();
      const linkOf = (number: number) => ({
        url: `${server.address}/store/${number}`,
        headers: {},
        expires_in_seconds: 9,
      });
      return {
        ...byLink(),
        "POST /upload-url": () => ({ upload_id: "the upload", part_bytes: 10 }),
        "POST /upload-part-url": ({ body }) => linkOf(JSON.parse(String(body)).part_number),
        "PUT /store/*": ({ url, body }, response) => {
          const number = Number(url.split("/").at(-1));
          if (onPut(number, response)) return;
          parts.set(number, body);
          response.writeHead(200, { etag: `"tag ${number}"` }).end();
        },
        "POST /complete-upload": ({ body }) => {
          const { key, etags } = JSON.parse(String(body)) as { key: string; etags: string[] };
          stored[key] = Buffer.concat(etags.map((etag) => parts.get(Number(/\d+/.exec(etag)?.[0])) ?? Buffer.of()));
          return { key };
        },
        "POST /abort-upload": (_request, response) => void response.writeHead(204).end(),
      };
    };
    const text = "0123456789abcdefghi";

    it("sends a part anew that broke, and no other", async () => {
      let broken = 0;
      server = await startCannedServer(
        inParts((number, response) => {
          if (number !== 2 || broken++ > 0) return false;
          response.destroy();
          return true;
        }),
      );
      const { exitCode, error } = await submit(put("a.mp4", Buffer.from(text)));
      expect([exitCode, Object.values(stored).map(String)]).toEqual([0, [text]]);
      expect(error).toContain("Trying again.");
      expect(requestsOf("PUT").toSorted()).toEqual(["/store/1", "/store/2", "/store/2"]);
      for (const { method, headers } of server.requests) {
        expect(headers["x-api-key"]).toBe(method === "PUT" ? undefined : "the-key");
      }
    });

    it("has the store forget them where it gives up", async () => {
      server = await startCannedServer(inParts((_number, response) => Boolean(response.writeHead(403).end("No."))));
      await expect(submit(put("a.mp4", Buffer.from(text)))).rejects.toMatchObject({ code: "UPLOAD_REFUSED" });
      expect(JSON.parse(String(server.requests.at(-1)?.body))).toEqual({
        key: expect.stringMatching(/\/a\.mp4$/),
        upload_id: "the upload",
      });
      expect(requestsOf("POST").at(-1)).toBe("/abort-upload");
    });

    it("refuses parts that the store gives no name", async () => {
      server = await startCannedServer(inParts((_number, response) => Boolean(response.writeHead(200).end())));
      await expect(submit(put("a.mp4", Buffer.from(text)))).rejects.toMatchObject({ code: "UPLOAD_REFUSED" });
    });
  });

  it("sends nothing that is larger than one request may be, and says where it can go", async () => {
    server = await startCannedServer(byLink());
    const refused = submit(put("large.mp4", Buffer.alloc(21)));
    await expect(refused).rejects.toMatchObject({
      code: "BODY_TOO_LARGE",
      message: expect.stringMatching(/has 21 bytes; the server takes 20 at most/),
      advice: expect.stringContaining("--param"),
    });
    expect(requestsOf("POST")).toEqual([]);
  });

  it("gives up where the store refuses, and after a while where it breaks", async () => {
    server = await startCannedServer(byLink((response) => Boolean(response.writeHead(403).end("Request has expired"))));
    const path = put("a.mp4");
    await expect(submit(path)).rejects.toMatchObject({ code: "UPLOAD_REFUSED" });
    expect(puts).toBe(1);
    await server.close();
    server = await startCannedServer(byLink((response) => Boolean(response.writeHead(503).end())));
    await expect(submit(path)).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
    expect(puts).toBe(1 + 9);
  });

  it("does not submit a file that changed meanwhile, and removes what was sent", async () => {
    const path = put("a.mp4");
    server = await startCannedServer({
      ...byLink(() => {
        appendFileSync(path, "more");
        return false;
      }),
      "DELETE /v1/objects/uploads/*/a.mp4": (_request, response) => void response.writeHead(204).end(),
    });
    await expect(submit(path)).rejects.toMatchObject({ code: "UPLOAD_CHANGED" });
    expect(requestsOf("POST")).toEqual(["/upload-url"]);
    expect(requestsOf("DELETE")).toEqual([`/v1/objects/uploads/${Object.keys(stored)[0]}`]);
  });
});
