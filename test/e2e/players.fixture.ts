import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseRange } from "../../src/apps/server/byte-range.ts";
import { mediaTypeOf } from "../../src/apps/server/media-type.ts";
import { ROOT } from "../support/documentation.ts";

/** Where the dashboard finds its packages, and where the tests do. */
const dashboard = createRequire(join(ROOT, "web/package.json"));
const require = createRequire(import.meta.url);
const PAGE = '<!doctype html><title>Players</title><video></video><script type="module" src="/page.js"></script>';
const SCRIPTS: Readonly<Record<string, string>> = {
  "/page.js": join(import.meta.dirname, "player-page.js"),
  "/hls.js": dashboard.resolve("hls.js"),
  "/shaka.js": require.resolve("shaka-player/dist/shaka-player.compiled.js"),
};

/** A web server as anybody has one, with byte ranges and nothing else. */
export interface PlainServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Serves a page with both players, and below `/media/` the files of a folder, on loopback. */
export async function servePlayers(folder: string): Promise<PlainServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const script = SCRIPTS[pathname];
    if (pathname === "/") response.setHeader("content-type", "text/html").end(PAGE);
    else if (script !== undefined) response.setHeader("content-type", "text/javascript").end(readFileSync(script));
    else if (pathname.startsWith("/media/"))
      sendFile(join(folder, pathname.slice("/media/".length)), request, response);
    else response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sendFile(path: string, request: IncomingMessage, response: ServerResponse): void {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: undefined };
  if (size === undefined) return void response.writeHead(404).end();
  const wanted = parseRange(request.headers.range, size);
  if (wanted.kind === "unsatisfiable") return void response.writeHead(416).end();
  const { start, end } = wanted.kind === "part" ? wanted.range : { start: 0, end: size };
  response.writeHead(wanted.kind === "part" ? 206 : 200, {
    "content-type": mediaTypeOf(path),
    "content-length": end - start,
    ...(wanted.kind === "part" ? { "content-range": `bytes ${start}-${end - 1}/${size}` } : {}),
  });
  createReadStream(path, { start, end: end - 1 }).pipe(response);
}
