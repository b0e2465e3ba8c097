import { execFileSync } from "node:child_process";
import { createReadStream, readFileSync, statSync, writeFileSync } from "node:fs";
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

const SUBTITLES = "1\n00:00:01,000 --> 00:00:03,000\nFirst words\n\n2\n00:00:07,000 --> 00:00:09,000\nSecond words\n";

/** What `makeTalk` is to make. */
export interface Talk {
  readonly seconds: number;
  readonly picturesPerSecond: number;
  readonly widthPixels: number;
  readonly heightPixels: number;
}

/** Makes a recording with sound in English and German and with subtitles from 1 to 3 and 7 to 9 s; gives its path. */
export function makeTalk(folder: string, { seconds, picturesPerSecond, widthPixels, heightPixels }: Talk): string {
  const [path, subtitles] = [join(folder, "talk.mkv"), join(folder, "words.srt")];
  writeFileSync(subtitles, SUBTITLES);
  const picture = `testsrc2=s=${widthPixels}x${heightPixels}:r=${picturesPerSecond}:d=${seconds}`;
  const sounds = [440, 660].flatMap((hertz) => ["-f", "lavfi", "-i", `sine=f=${hertz}:d=${seconds}`]);
  const inputs = ["-f", "lavfi", "-i", picture, ...sounds, "-i", subtitles];
  const codecs = "-map 0 -map 1 -map 2 -map 3 -c:v libx264 -preset ultrafast -c:a aac -c:s srt".split(" ");
  const languages = ["eng", "deu"].flatMap((language, index) => [`-metadata:s:a:${index}`, `language=${language}`]);
  const words = ["-metadata:s:s:0", "language=eng"];
  execFileSync("ffmpeg", ["-v", "error", ...inputs, ...codecs, ...languages, ...words, path]);
  return path;
}

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
