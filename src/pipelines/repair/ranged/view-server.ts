import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReelmillError } from "../../../base/errors.ts";
import { bytesOfParts, readParts, sliceParts } from "../../../jobs/object-parts.ts";
import type { ByteRange, ObjectPart, ObjectStore } from "../../../jobs/object-store.ts";

/** What is asked of the store at a time: little at first, because a look at the beginning ends soon. */
const FIRST_STEP_BYTES = 512 * 1024;
const MAX_STEP_BYTES = 8 * 1024 * 1024;

/** Shows objects that are not made yet to programs of this machine that read by HTTP. */
export interface ViewServer {
  /** Gives an address that nobody else can guess. */
  show(parts: readonly ObjectPart[]): string;
  close(): Promise<void>;
}

/** Listens on loopback alone. Answers GET and HEAD, with ranges. */
export async function startViewServer(read: ObjectStore["read"]): Promise<ViewServer> {
  const views = new Map<string, readonly ObjectPart[]>();
  const server = createServer((request, response) => {
    const parts = views.get(request.url ?? "");
    if (parts === undefined) response.writeHead(404).end();
    else answer(read, parts, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new ReelmillError("INTERNAL", "The view has no port.");
  return {
    show: (parts) => {
      const path = `/${randomBytes(24).toString("base64url")}`;
      views.set(path, parts);
      return `http://127.0.0.1:${address.port}${path}`;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  read: ObjectStore["read"],
  parts: readonly ObjectPart[],
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const bytes = bytesOfParts(parts);
  const range = rangeOf(headers.range, bytes);
  if ((method !== "GET" && method !== "HEAD") || range === undefined) {
    const status = range === undefined ? 416 : 405;
    response.writeHead(status, { "content-range": `bytes */${bytes}` }).end();
    return;
  }
  response.writeHead(headers.range === undefined ? 200 : 206, {
    "accept-ranges": "bytes",
    "content-type": "application/octet-stream",
    "content-length": range.end - range.start,
    ...(headers.range === undefined ? {} : { "content-range": `bytes ${range.start}-${range.end - 1}/${bytes}` }),
  });
  if (method === "HEAD") {
    response.end();
    return;
  }
  const content = Readable.from(stepByStep(read, parts, range), { objectMode: false, highWaterMark: 64 * 1024 });
  // Whoever has seen enough goes; where the store fails, the connection ends before its time and the meter keeps why.
  pipeline(content, response).catch(() => response.destroy());
}

/** Undefined where there is nothing in the range, or it is of a kind that is not known. */
function rangeOf(header: string | undefined, bytes: number): ByteRange | undefined {
  if (header === undefined) return { start: 0, end: bytes };
  const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header) ?? [];
  if (first === undefined) return undefined;
  const range = { start: Number(first), end: last ? Math.min(Number(last) + 1, bytes) : bytes };
  return range.start < range.end ? range : undefined;
}

async function* stepByStep(
  read: ObjectStore["read"],
  parts: readonly ObjectPart[],
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let stepBytes = FIRST_STEP_BYTES;
  for (let at = start; at < end; ) {
    const next = Math.min(end, at + stepBytes);
    yield* readParts(read, sliceParts(parts, { start: at, end: next }));
    at = next;
    stepBytes = Math.min(stepBytes * 2, MAX_STEP_BYTES);
  }
}
