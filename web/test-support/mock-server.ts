import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import type { JobView } from "../src/api/types.ts";
import { createMockApi, type MockApi, type MockReply } from "./mock-api.ts";
import { createMockUploads, type MockUploads } from "./mock-uploads.ts";

/** What a mock server serves. */
export interface MockOptions {
  /** Folder of the built dashboard. */
  readonly dist: string;
  /** The video that every stored object is. */
  readonly videoPath: string;
}

/** A running mock server. */
export interface MockServer {
  readonly url: string;
  readonly api: MockApi;
  readonly uploads: MockUploads;
  /** Changes or adds a job and tells all who listen. */
  readonly publishJob: (job: JobView) => void;
  readonly close: () => Promise<void>;
}

/** As strict as the dashboard allows: nothing inline, nothing from elsewhere. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Starts a server on loopback that speaks the API's contract over canned data. */
export async function startMockServer(options: MockOptions): Promise<MockServer> {
  const api = createMockApi(Date.now());
  const uploads = createMockUploads();
  const listeners = new Set<ServerResponse>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    if (!isApiPath(path)) return serveFile(options.dist, path, response);
    if (path.startsWith("/v1/uploads")) return uploads.handle(request, response);
    if (path.startsWith("/v1/objects/")) return serveObject(options.videoPath, path, api, request, response);
    if (request.headers.accept === "text/event-stream") return listen(listeners, path, api, response);
    send(response, api.reply(request.method ?? "GET", request.url ?? "/", await readBody(request)));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendProblem(response, 500, "INTERNAL", String(error));
    });
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    api,
    uploads,
    publishJob: (job) => {
      api.jobs.set(job.id, job);
      for (const listener of listeners) listener.write(`event: job\ndata: ${JSON.stringify(job)}\n\n`);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((settle) => server.close(settle));
    },
  };
}

function isApiPath(path: string): boolean {
  return path.startsWith("/v1/") || path === "/scan-now" || path === "/repair";
}

function listen(listeners: Set<ServerResponse>, path: string, api: MockApi, response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write(": open\n\n");
  const job = api.jobs.get(path.split("/")[3] ?? "");
  if (job !== undefined) response.write(`event: job\ndata: ${JSON.stringify(job)}\n\n`);
  listeners.add(response);
  response.on("close", () => listeners.delete(response));
}

function send(response: ServerResponse, { status, body }: MockReply): void {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function sendProblem(response: ServerResponse, status: number, code: string, detail: string): void {
  send(response, { status, body: { type: `/docs/errors#${code}`, title: code, status, detail, code } });
}

async function serveFile(dist: string, path: string, response: ServerResponse): Promise<void> {
  const name = extname(path) === "" ? "index.html" : normalize(path);
  const bytes = await readFile(join(dist, name));
  response.writeHead(200, {
    "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
    "Content-Security-Policy": POLICY,
  });
  response.end(bytes);
}

async function serveObject(
  videoPath: string,
  path: string,
  api: MockApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const known = api.objectBytes.get(decodeURIComponent(path.slice("/v1/objects/".length)));
  const bytes = known ?? (await stat(videoPath)).size;
  const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const [start, end] = [Number(from), to === undefined || to === "" ? bytes - 1 : Number(to)];
  response.writeHead(request.headers.range === undefined ? 200 : 206, {
    "Content-Type": "video/mp4",
    "Accept-Ranges": "bytes",
    "Content-Length": end - start + 1,
    ...(request.headers.range === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${bytes}` }),
  });
  if (request.method === "HEAD") response.end();
  else createReadStream(videoPath, { start, end }).pipe(response);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}
