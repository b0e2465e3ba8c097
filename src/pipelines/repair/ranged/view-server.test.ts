import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { inputArguments } from "../../../ffmpeg/arguments.ts";
import type { ObjectPart, ObjectStore } from "../../../jobs/object-store.ts";
import { startViewServer, type ViewServer } from "./view-server.ts";

const MEDIA = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7919) % 251));
const PARTS: readonly ObjectPart[] = [
  { kind: "bytes", bytes: Buffer.from("head") },
  { kind: "range", from: { key: "k", bytes: MEDIA.length, tag: "t" }, range: { start: 10, end: 2_900_000 } },
  { kind: "bytes", bytes: Buffer.from("tail") },
];
const WHOLE = Buffer.concat([Buffer.from("head"), MEDIA.subarray(10, 2_900_000), Buffer.from("tail")]);

let server: ViewServer;
let url: string;
let askedBytes: number;

const read: ObjectStore["read"] = async (_key, range) => {
  askedBytes += (range?.end ?? 0) - (range?.start ?? 0);
  return (async function* () {
    yield MEDIA.subarray(range?.start, range?.end);
  })();
};

beforeEach(async () => {
  askedBytes = 0;
  server = await startViewServer(read);
  url = server.show(PARTS);
});
afterEach(() => server.close());

it.each([
  [undefined, 200, 0, WHOLE.length],
  ["bytes=0-", 206, 0, WHOLE.length],
  ["bytes=2-5", 206, 2, 6],
  ["bytes=1000000-2000000", 206, 1_000_000, 2_000_001],
  [`bytes=${WHOLE.length - 6}-99999999`, 206, WHOLE.length - 6, WHOLE.length],
])("shows %s", async (range, status, start, end) => {
  const answer = await fetch(url, { headers: range === undefined ? {} : { range } });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("accept-ranges")).toBe("bytes");
  expect(answer.headers.get("content-length")).toBe(String(end - start));
  if (status === 206) expect(answer.headers.get("content-range")).toBe(`bytes ${start}-${end - 1}/${WHOLE.length}`);
  expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), WHOLE.subarray(start, end))).toBe(0);
});

it("reads nothing where only the size is asked for, and little where the reader goes", async () => {
  const head = await fetch(url, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), askedBytes]).toEqual([200, String(WHOLE.length), 0]);
  const answer = await fetch(url);
  await answer.body?.cancel();
  expect(askedBytes).toBeLessThan(MEDIA.length);
});

it("answers nobody who does not know the address, and nothing but reading", async () => {
  const { origin, pathname } = new URL(url);
  expect(new URL(url).hostname).toBe("127.0.0.1");
  expect(pathname.length).toBeGreaterThan(32);
  for (const path of ["/", "/..", `${pathname}x`, pathname.slice(0, -1)]) {
    expect((await fetch(origin + path)).status, path).toBe(404);
  }
  for (const range of ["bytes=5-2", `bytes=${WHOLE.length}-`, "bytes=-5", "lines=1-2"]) {
    expect((await fetch(url, { headers: { range } })).status, range).toBe(416);
  }
  expect((await fetch(url, { method: "POST", body: "x" })).status).toBe(405);
});

it("leads ffmpeg nowhere else, whatever is shown and whatever proxy the environment names", async () => {
  const asked: string[] = [];
  const elsewhere = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const address = elsewhere.address();
  const other = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", `${other}/a.ts`, "#EXT-X-ENDLIST", ""];
  const shown = server.show([{ kind: "bytes", bytes: Buffer.from(lines.join("\n")) }]);
  const args = ["-v", "error", ...inputArguments({ path: { url: shown } })];
  const env = { ...process.env, http_proxy: other };
  const run = promisify(execFile)("ffprobe", args, { env });
  await expect(run).rejects.toThrow(/whitelist|Invalid data/i);
  expect(asked).toEqual([]);
  elsewhere.close();
});

it("is not told to ffmpeg where it is elsewhere", () => {
  for (const wrong of ["http://127.0.0.2:80/x", "http://example.org/x", "file:/etc/passwd", `${url}/../x`]) {
    expect(() => inputArguments({ path: { url: wrong } })).toThrow(RangeError);
  }
});
