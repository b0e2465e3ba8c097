import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import {
  type AwsUnderTest,
  makeBucket,
  startStorage,
  temporaryFolder,
  uniqueName,
  watchUploads,
} from "../../../test/support/aws.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { createS3Client } from "./bucket.ts";
import { createS3ObjectStore } from "./object-store.ts";

const MIB = 1024 * 1024;

let storage: AwsUnderTest;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let work: Awaited<ReturnType<typeof temporaryFolder>>;
let open: ReadonlySet<string>;
let store: ObjectStore;

beforeAll(async () => {
  storage = await startStorage();
});

afterAll(() => storage.stop());

beforeEach(async () => {
  bucket = await makeBucket(storage.place);
  work = await temporaryFolder();
  open = watchUploads(bucket);
  store = createS3ObjectStore({ bucket, workFolder: work.path });
});

afterEach(async () => {
  expect([...open]).toEqual([]);
  expect(await readdir(work.path)).toEqual([]);
  await bucket.remove();
  await work.remove();
});

/** Bytes that no other place of the content has. */
function patternOf(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) content.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);
  return content;
}

const digest = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

async function* inPieces(content: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += pieceBytes) yield content.subarray(at, at + pieceBytes);
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What the store sends, by the names of the requests. */
function watchRequests(): string[] {
  const names: string[] = [];
  bucket.client.middlewareStack.add(
    (next, context) => (args) => {
      names.push(String(context.commandName));
      return next(args);
    },
    { step: "initialize" },
  );
  return names;
}

it.each([8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 27 * MIB + 3])(
  "keeps %i bytes, in parts where they are many",
  async (bytes) => {
    const content = patternOf(bytes);
    const names = watchRequests();
    expect(await store.put("k", inPieces(content, 700_001))).toMatchObject({ bytes });
    const parts = names.filter((name) => name === "UploadPartCommand").length;
    expect(parts).toBe(bytes <= 8 * MIB ? 0 : Math.ceil(bytes / (8 * MIB)));
    expect(digest(await collect(await store.read("k")))).toBe(digest(content));
  },
);

it("takes back the parts of an upload that fails, and throws why", async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield* inPieces(patternOf(20 * MIB), MIB);
    throw new Error("the camera is gone");
  }
  const names = watchRequests();
  await expect(store.put("k", failing())).rejects.toThrow("the camera is gone");
  expect(names).toContain("AbortMultipartUploadCommand");
  expect(await store.head("k")).toBeUndefined();
});

it("copies a large object in parts, and none of its bytes comes by here", async () => {
  const content = patternOf(14 * MIB + 7);
  await store.put("from/ä+b &2f.mp4", inPieces(content, MIB));
  const names = watchRequests();
  const parted = createS3ObjectStore({ bucket, workFolder: work.path, copyBytes: 6 * MIB });
  expect(await parted.copy("from/ä+b &2f.mp4", "to")).toMatchObject({ bytes: content.length });
  expect(names.filter((name) => name === "UploadPartCopyCommand")).toHaveLength(3);
  expect(names).not.toContain("GetObjectCommand");
  expect(digest(await collect(await store.read("to")))).toBe(digest(content));
});

it("asks no store but AWS to copy parts of an object whose name Ceph would decode twice", async () => {
  const content = patternOf(14 * MIB + 7);
  const from = await store.put("100%.mp4", inPieces(content, MIB));
  const names = watchRequests();
  const parted = createS3ObjectStore({ bucket, workFolder: work.path, copyBytes: 6 * MIB });
  await parted.copy("100%.mp4", "copied");
  await store.compose("composed", [{ kind: "range", from, range: { start: 0, end: content.length } }]);
  expect(names).not.toContain("UploadPartCopyCommand");
  for (const key of ["copied", "composed"]) expect(digest(await collect(await store.read(key)))).toBe(digest(content));
});

it.each([
  ["says that it does not copy parts", 501],
  ["takes copies for parts without content", 200],
])("brings all bytes to a store that %s", async (_, status) => {
  const content = patternOf(14 * MIB);
  const from = await store.put("from", inPieces(content, MIB));
  const names = watchRequests();
  bucket.client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== "UploadPartCopyCommand") return await next(args);
      if (status === 200) return { output: { $metadata: {} }, response: {} };
      throw Object.assign(new Error("no"), { name: "NotImplemented", $metadata: { httpStatusCode: status } });
    },
    { step: "initialize" },
  );
  const range = { start: 1, end: content.length };
  const parts = [
    { kind: "bytes", bytes: Buffer.from("head") },
    { kind: "range", from, range },
  ] as const;
  const { moved } = await store.compose("to", parts);
  const bytes = content.length - 1;
  expect(moved).toEqual({ downloadedBytes: bytes, uploadedBytes: bytes + 4, copiedBytes: 0 });
  expect(names).toContain("AbortMultipartUploadCommand");
  const expected = Buffer.concat([Buffer.from("head"), content.subarray(1)]);
  expect(digest(await collect(await store.read("to")))).toBe(digest(expected));
});

it("notices that what is copied was replaced, also where the store does not", async () => {
  const from = await store.put("from", inPieces(patternOf(14 * MIB), MIB));
  await store.put("from", inPieces(Buffer.alloc(14 * MIB), MIB));
  const range = { start: 0, end: from.bytes };
  await expect(store.compose("to", [{ kind: "range", from, range }])).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
  expect(await store.head("to")).toBeUndefined();
});

it.each(["copy", "compose"] as const)("notices that what is copied is replaced while it is (%s)", async (way) => {
  const from = await store.put("from", inPieces(patternOf(14 * MIB), MIB));
  const parted = createS3ObjectStore({ bucket, workFolder: work.path, copyBytes: 6 * MIB });
  let isReplaced = false;
  bucket.client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== "UploadPartCopyCommand") return await next(args);
      // Long enough that whoever looks as soon as the requests are on their way sees nothing yet.
      await sleep(200);
      if (!isReplaced) {
        isReplaced = true;
        await store.put("from", inPieces(Buffer.alloc(14 * MIB), MIB));
      }
      return await next(args);
    },
    { step: "initialize" },
  );
  const parts = [{ kind: "range", from, range: { start: 0, end: from.bytes } }] as const;
  const copying = way === "copy" ? parted.copy("from", "to") : store.compose("to", parts);
  await expect(copying).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await store.head("to")).toBeUndefined();
});

it("uploads what was left at a lent path in parts, and lends it again", async () => {
  const content = patternOf(17 * MIB);
  await store.withLocalOutput("a/b.mp4", (path) => writeFile(path, content));
  expect(digest(await store.withLocalFile("a/b.mp4", (path) => readFile(path)))).toBe(digest(content));
});

it("lends no half of an object where the connection stays lost", async () => {
  await store.put("k", inPieces(patternOf(3 * MIB), MIB));
  const cutting = await startCutting(Number.POSITIVE_INFINITY);
  const client = createS3Client({ ...storage.place, endpoint: cutting.endpoint });
  const cut = createS3ObjectStore({ bucket: { client, name: bucket.name }, workFolder: work.path });
  let isLent = false;
  const lent = cut.withLocalFile("k", async () => {
    isLent = true;
  });
  await expect(lent).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  expect(isLent).toBe(false);
  client.destroy();
  await cutting.stop();
});

it("goes on where a connection was lost", async () => {
  const content = patternOf(3 * MIB);
  await store.put("k", inPieces(content, MIB));
  const cutting = await startCutting(2);
  const client = createS3Client({ ...storage.place, endpoint: cutting.endpoint });
  const cut = createS3ObjectStore({ bucket: { client, name: bucket.name }, workFolder: work.path });
  const range = { start: 5, end: content.length - 9 };
  expect(digest(await collect(await cut.read("k", range)))).toBe(digest(content.subarray(range.start, range.end)));
  expect(cutting.cuts()).toBe(2);
  client.destroy();
  await cutting.stop();
});

it("refuses the rest of an object that was replaced while it was read", async () => {
  await store.put("k", inPieces(patternOf(3 * MIB), MIB));
  const cutting = await startCutting(1, () => store.put("k", inPieces(Buffer.alloc(3 * MIB), MIB)));
  const client = createS3Client({ ...storage.place, endpoint: cutting.endpoint });
  const cut = createS3ObjectStore({ bucket: { client, name: bucket.name }, workFolder: work.path });
  await expect(collect(await cut.read("k"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  client.destroy();
  await cutting.stop();
});

it("tells a service that is away from a bucket that does not exist", async () => {
  const away = createS3Client({ ...storage.place, endpoint: "http://127.0.0.1:1" });
  const there = { bucket: { client: away, name: bucket.name }, workFolder: work.path };
  await expect(createS3ObjectStore(there).head("k")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  away.destroy();
  const missing = { bucket: { client: bucket.client, name: uniqueName() }, workFolder: work.path };
  const put = createS3ObjectStore(missing).put("k", inPieces(Buffer.alloc(1), 1));
  await expect(put).rejects.toMatchObject({ code: "STORE_REFUSED", retryable: false });
});

it("does not say that a work folder is the service's fault", async () => {
  await store.put("k", inPieces(Buffer.alloc(1), 1));
  await writeFile(join(work.path, "file"), "");
  const blocked = createS3ObjectStore({ bucket, workFolder: join(work.path, "file") });
  await expect(blocked.withLocalFile("k", () => Promise.resolve())).rejects.toMatchObject({
    code: "OUTPUT_UNWRITABLE",
  });
  await work.remove();
  work = await temporaryFolder();
});

/** A way to the storage that cuts so many downloads off in their middle. */
async function startCutting(maxCuts: number, onCut: () => Promise<unknown> = () => Promise.resolve()) {
  let cuts = 0;
  const server: Server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const onwards = request(new URL(url ?? "/", storage.place.endpoint), { method, headers }, async (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      const chunks: Buffer[] = await answer.toArray();
      const body = Buffer.concat(chunks);
      if (method !== "GET" || cuts >= maxCuts || body.length < 100_000) return void outgoing.end(body);
      cuts += 1;
      if (cuts === 1) outgoing.write(body.subarray(0, body.length / 2));
      else outgoing.flushHeaders();
      await onCut();
      setTimeout(() => outgoing.destroy(), 50);
    });
    incoming.pipe(onwards);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    cuts: () => cuts,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
