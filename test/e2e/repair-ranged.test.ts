import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AbortMultipartUploadCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import type { ByteRange, MovedBytes, ObjectInfo, ObjectStore } from "../../src/jobs/object-store.ts";
import type { StageContext } from "../../src/jobs/pipeline.ts";
import { repairPipeline } from "../../src/pipelines/repair/pipeline.ts";
import { findHealthyObject } from "../../src/pipelines/repair/ranged/find-healthy-object.ts";
import { type AwsUnderTest, makeBucket, startStorage, watchUploads } from "../support/aws.ts";
import { ROOT } from "../support/documentation.ts";
import { makeRecording } from "../support/make-recording.ts";
import { cutAtShare, makeRecordings, type Recordings } from "./recordings.fixture.ts";

const MIB = 1024 * 1024;
const INPUT = "uploads/damaged.mp4";
const OUTPUT = "outputs/j/damaged.mp4";
const NOISE = "-vf noise=alls=60:allf=t -c:v libx264 -preset ultrafast -qp 18 -g 12 -bf 0 -pix_fmt yuv420p -c:a aac";
const LARGE = { extension: "mp4", args: NOISE, widthPixels: 640, heightPixels: 480 };

let folder: string;
let storage: AwsUnderTest;
let made: Recordings;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let open: ReadonlySet<string>;
/** The store under test, and one on this machine that lends files where they lie. */
let objects: ObjectStore;
let local: ObjectStore;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-ranged-"));
  made = makeRecordings(join(folder, "made"));
  storage = await startStorage();
});

afterAll(async () => {
  await storage.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  bucket = await makeBucket(storage.place);
  open = watchUploads(bucket);
  objects = createS3ObjectStore({ bucket, workFolder: join(folder, "lent") });
  local = createLocalObjectStore({ root: await mkdtemp(join(folder, "local-")), mounts: {} });
});

afterEach(async () => {
  expect([...open]).toEqual([]);
  await bucket.remove();
});

/** Puts the same into both stores. */
async function put(key: string, bytes: Uint8Array): Promise<void> {
  await objects.put(key, once(bytes));
  await local.put(key, once(bytes));
}

async function putMade(): Promise<void> {
  await put(INPUT, await readFile(made.damaged));
  await put("uploads/reference.mp4", await readFile(made.reference));
}

async function contentOf(store: ObjectStore, key: string): Promise<Buffer> {
  return await store.withLocalFile(key, (path) => readFile(path));
}

/** Bytes of the bodies that are sent from now on, and what was asked for. */
function watchSent(): { readonly bytes: () => number; readonly names: readonly string[] } {
  let bytes = 0;
  const names: string[] = [];
  bucket.client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { headers } = args.request as { readonly headers: Readonly<Record<string, string>> };
        bytes += Number(headers["content-length"] ?? 0);
        names.push(String(commandName));
        return next(args);
      },
    { step: "finalizeRequest", priority: "low" },
  );
  return { bytes: () => bytes, names };
}

interface Outcome {
  readonly status: string;
  readonly report: { readonly engine: string };
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
  readonly moved: MovedBytes;
}

interface Work {
  readonly params?: Readonly<Record<string, Json>>;
  readonly context?: Partial<StageContext>;
}

/** Works the one task of a job. */
async function work(store: ObjectStore, { params, context }: Work = {}): Promise<Outcome> {
  const given = { inputs: [INPUT], references: ["uploads/reference.mp4"], ...params };
  const surroundings: StageContext = {
    jobId: "j",
    objects: store,
    workFolder: () => Promise.reject(new Error("No folder is needed.")),
    log: createLogger({ format: "json", level: "error", write: () => undefined }),
    signal: new AbortController().signal,
    environment: { PATH: process.env["PATH"] },
    clock: systemClock,
    onProgress: () => undefined,
    checkpoint: null,
    saveCheckpoint: async () => undefined,
    ...context,
  };
  const file = { input: given.inputs[0] ?? "", output: OUTPUT };
  return (await repairPipeline.work(repairPipeline.parseParams(given), file, surroundings)) as unknown as Outcome;
}

/** Works it in both stores, and holds all against each other but for what was moved, which is given. */
async function workBoth(params: Readonly<Record<string, Json>>): Promise<Outcome> {
  const { moved: none, ...expected } = await work(local, { params });
  expect(none).toEqual({ downloadedBytes: 0, uploadedBytes: 0, copiedBytes: 0 });
  const outcome = await work(objects, { params });
  const { moved: _, ...rest } = outcome;
  expect(rest).toEqual(expected);
  expect((await contentOf(objects, OUTPUT)).equals(await contentOf(local, OUTPUT))).toBe(true);
  return outcome;
}

async function putLarge(): Promise<Uint8Array> {
  const cache = join(inject("runFolder"), "recordings");
  const damaged = cutAtShare(makeRecording(cache, { ...LARGE, durationSeconds: 2 }), 0.9);
  await put(INPUT, damaged);
  await put("uploads/reference.mp4", makeRecording(cache, { ...LARGE, durationSeconds: 0.5 }));
  return damaged;
}

it("repairs a large object by head and index alone, with the very bytes of a repair on this machine", async () => {
  const damaged = await putLarge();
  expect(damaged.length).toBeGreaterThan(12 * MIB);
  const sent = watchSent();
  const { checks, moved } = await workBoth({ verify: "full" });
  expect(checks.map(({ name, status }) => [name, status])).toEqual([
    ["structure", "passed"],
    ["packets", "passed"],
    ["decode", "passed"],
  ]);
  expect(checks[2]?.detail).toContain("of everything");
  const output = await objects.head(OUTPUT);
  // The least that goes in front of a copy, and the index.
  expect(moved.uploadedBytes).toBeLessThan(5 * MIB + 20_000);
  expect(moved.copiedBytes).toBe((output?.bytes ?? 0) - moved.uploadedBytes);
  expect(moved.downloadedBytes).toBeGreaterThan(damaged.length);
  expect(sent.bytes()).toBeGreaterThan(moved.uploadedBytes);
  expect(sent.bytes()).toBeLessThan(moved.uploadedBytes + 10_000);
});

it.each([
  ["quick", false],
  ["none", true],
])("gives what a repair on this machine gives (verify %s, faststart %s)", async (verify, faststart) => {
  await putMade();
  const { moved } = await workBoth({ verify, faststart });
  expect(moved.uploadedBytes).toBe((await objects.head(OUTPUT))?.bytes);
});

it("chooses among the other inputs where no reference is named", async () => {
  await putMade();
  await put("uploads/other.mov", await readFile(made.foreign));
  const inputs = [INPUT, "uploads/other.mov", "uploads/reference.mp4"];
  expect(await workBoth({ inputs, references: [] })).toMatchObject({ references: ["uploads/reference.mp4"] });
});

it("finds a reference beside the object where neither it nor another input is named, as on this machine", async () => {
  await put("uploads/day/cut.mp4", await readFile(made.damaged));
  await put("uploads/day/good.mp4", await readFile(made.reference));
  for (const key of ["uploads/day/deeper/other.mp4", "uploads/day/good.txt", "uploads/other.mp4"]) {
    await put(key, await readFile(made.foreign));
  }
  expect(await workBoth({ inputs: ["uploads/day/cut.mp4"], references: [] })).toMatchObject({
    references: ["uploads/day/good.mp4"],
  });
});

it("offers no recording that is kept to a container that needs none", async () => {
  const matroska = await readFile(made.matroska);
  // Up to the head of its first cluster.
  await put("uploads/none.mkv", matroska.subarray(0, matroska.indexOf("1f43b675", 0, "hex") + 20));
  await put("references/good.mp4", await readFile(made.reference));
  for (const store of [local, objects]) {
    const asked: string[] = [];
    const head: ObjectStore["head"] = (key) => {
      asked.push(key);
      return store.head(key);
    };
    const params = { inputs: ["uploads/none.mkv"], references: [], keptReferences: ["references/good.mp4"] };
    const failure = await work({ ...store, head }, { params }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "NOTHING_RECOVERED" });
    expect(asked).not.toContain("references/good.mp4");
    expect((failure as ReelmillError).details).toMatchObject({ notices: [] });
  }
});

describe("the search for a healthy object", () => {
  const search = async (keys: readonly string[], store = objects, signal = new AbortController().signal) => {
    const candidates = await Promise.all(keys.map(async (key) => (await objects.head(key)) as ObjectInfo));
    const environment = { PATH: process.env["PATH"] };
    return (await findHealthyObject(candidates, { objects: store, environment, signal }))?.key;
  };

  it("gives the first that plays and may teach others, by a few ranges of each", async () => {
    const damaged = await putLarge();
    await putMade();
    await put(INPUT, damaged);
    await put("uploads/good.mkv", await readFile(made.matroska));
    await put("uploads/empty.mp4", Buffer.alloc(0));
    const whole = makeRecording(join(inject("runFolder"), "recordings"), { ...LARGE, durationSeconds: 2 });
    const zeroed = Buffer.from(whole);
    zeroed.fill(0, whole.length >> 1, (whole.length >> 1) + MIB);
    await put("uploads/zeroed.mp4", zeroed);
    const ranges: unknown[] = [];
    const watched: ObjectStore = {
      ...objects,
      read: async (key, range, tag) => {
        ranges.push(range);
        return await objects.read(key, range, tag);
      },
      withLocalFile: () => Promise.reject(new Error("No file is needed.")),
    };
    const keys = [INPUT, "uploads/empty.mp4", "uploads/good.mkv", "uploads/zeroed.mp4", "uploads/reference.mp4"];
    expect(await search([...keys, "uploads/empty.mp4"], watched)).toBe("uploads/reference.mp4");
    expect(ranges).not.toContain(undefined);
    expect(await search([])).toBeUndefined();
  });

  it("throws where the store is away, or it is cancelled", async () => {
    await putMade();
    const read: ObjectStore["read"] = () => Promise.reject(new ReelmillError("STORE_UNAVAILABLE", "Away."));
    const away = search(["uploads/reference.mp4"], { ...objects, read });
    await expect(away).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const seen: ByteRange[] = [];
    let failures = 0;
    const flapping: ObjectStore["read"] = (key, range, tag) => {
      if (range === undefined) return objects.read(key, range, tag);
      // What the engine has read it keeps: this is ffmpeg.
      if (!seen.some(({ start, end }) => range.start < end && start < range.end)) {
        seen.push(range);
        return objects.read(key, range, tag);
      }
      failures += 1;
      return Promise.reject(new ReelmillError("STORE_UNAVAILABLE", "Away."));
    };
    const unread = search(["uploads/reference.mp4"], { ...objects, read: flapping });
    await expect(unread).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(failures).toBeGreaterThan(0);
    const late = new AbortController();
    const aborting: ObjectStore = {
      ...objects,
      read: (...args) => {
        late.abort();
        return objects.read(...args);
      },
    };
    const cancelled = search(["uploads/reference.mp4"], aborting, late.signal);
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
  });
});

it("does without an input that is gone and only might have served", async () => {
  await putMade();
  const inputs = [INPUT, "uploads/gone.mp4", "uploads/reference.mp4"];
  const outcome = await work(objects, { params: { inputs, references: [] } });
  expect(outcome).toMatchObject({ status: "repaired", references: ["uploads/reference.mp4"] });
});

it("takes a recording that is kept where the reference does not fit, and tells the first failure where that does not either", async () => {
  await putMade();
  for (const name of ["other", "more"]) await put(`uploads/${name}.mov`, await readFile(made.foreign));
  const references = ["uploads/other.mov"];
  for (const store of [local, objects]) {
    const keptReferences = ["references/none.mp4", "uploads/reference.mp4"];
    const outcome = await work(store, { params: { references, keptReferences } });
    expect(outcome).toMatchObject({ status: "repaired", references: ["uploads/reference.mp4"] });
    const misfits = { references, keptReferences: ["uploads/more.mov", ...references, INPUT] };
    const failure = await work(store, { params: misfits }).catch((error: unknown) => error as ReelmillError);
    expect(failure).toMatchObject({
      code: "REFERENCE_MISMATCH",
      details: { notices: [expect.stringMatching(/kept fits either: /)] },
    });
  }
});

it("fails as on this machine where a reference does not fit, and leaves no object", async () => {
  await putMade();
  await put("uploads/other.mov", await readFile(made.foreign));
  const failing = (store: ObjectStore): Promise<unknown> =>
    work(store, { params: { references: ["uploads/other.mov"] } }).catch((error: unknown) => error);
  const [onFiles, onS3] = [await failing(local), await failing(objects)];
  expect(onS3).toMatchObject({ code: (onFiles as ReelmillError).code, message: (onFiles as Error).message });
  expect(await objects.head(OUTPUT)).toBeUndefined();
});

it("leaves a healthy object as it is", async () => {
  await putMade();
  const params = { inputs: ["uploads/reference.mp4"], references: [] };
  expect(await work(objects, { params })).toMatchObject({ status: "healthy", moved: { uploadedBytes: 0 } });
  expect(await objects.head(OUTPUT)).toBeUndefined();
});

it("fetches the file where another program has to mend it", async () => {
  const matroska = await readFile(made.matroskaCut);
  await put("uploads/cut.mkv", matroska);
  // What that program has no use for stays where it is.
  await put("uploads/reference.mp4", await readFile(made.reference));
  const { names } = watchSent();
  const outcome = await work(objects, {
    params: { inputs: ["uploads/cut.mkv", "uploads/reference.mp4"], references: [] },
  });
  expect(names.filter((name) => name === "GetObjectCommand").length).toBeLessThan(4);
  const output = await objects.head(OUTPUT);
  expect(outcome).toMatchObject({ status: "repaired", report: { engine: "remux" } });
  expect(outcome.moved).toEqual({
    downloadedBytes: expect.any(Number),
    uploadedBytes: output?.bytes,
    copiedBytes: 0,
  });
  expect(outcome.moved.downloadedBytes).toBeGreaterThanOrEqual(matroska.length);
});

it("uploads all where the store copies no parts", async () => {
  await putLarge();
  bucket.client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== "UploadPartCopyCommand") return await next(args);
        throw Object.assign(new Error("no"), { name: "NotImplemented", $metadata: { httpStatusCode: 501 } });
      },
    { step: "initialize" },
  );
  const { moved } = await workBoth({ verify: "none" });
  expect(moved).toMatchObject({ uploadedBytes: (await objects.head(OUTPUT))?.bytes, copiedBytes: 0 });
});

it("ends soon when it is cancelled, at whatever point, and leaves no object", async () => {
  await putMade();
  const inTime = new AbortController();
  const abort = { signal: inTime.signal, onProgress: () => inTime.abort() };
  await expect(work(objects, { context: abort })).rejects.toMatchObject({ code: "ABORTED" });
  const late = new AbortController();
  const publishing = { signal: late.signal, saveCheckpoint: async () => late.abort() };
  await expect(work(objects, { context: publishing })).rejects.toMatchObject({ code: "ABORTED" });
  const asking = new AbortController();
  const head: ObjectStore["head"] = async (key) => {
    asking.abort();
    return await objects.head(key);
  };
  const whileAsking = work({ ...objects, head }, { context: { signal: asking.signal } });
  await expect(whileAsking).rejects.toMatchObject({ code: "ABORTED" });
  await expect(work(objects, { context: { signal: AbortSignal.abort() } })).rejects.toMatchObject({ code: "ABORTED" });
  expect(await objects.head(OUTPUT)).toBeUndefined();
});

/** A way to the storage that hears of every request before it is sent on. */
async function startWay(onRequest: (url: URL, isCopy: boolean) => void) {
  const server = createServer((incoming, outgoing) => {
    const { method, headers } = incoming;
    const url = new URL(incoming.url ?? "/", storage.place.endpoint);
    onRequest(url, headers["x-amz-copy-source"] !== undefined);
    const onwards = request(url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onwards);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, stop };
}

/** Works the job in a process of its own, and kills that once it has the store copy where that is wanted. Gives its exit status. */
async function workApart(isKilled: boolean): Promise<number | null> {
  const uploads = new Set<string>();
  let kill = (): void => undefined;
  const way = await startWay((url, isCopy) => {
    uploads.add(url.searchParams.get("uploadId") ?? "");
    if (isCopy && isKilled) kill();
  });
  const keys = [INPUT, "uploads/reference.mp4", OUTPUT];
  const args = [join(ROOT, "test/support/work-on-s3.ts"), way.endpoint, bucket.name, join(folder, "apart"), ...keys];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  kill = () => void child.kill("SIGKILL");
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  await way.stop();
  // Parts that a killed process leaves are the lifecycle rule's to remove.
  uploads.delete("");
  for (const UploadId of isKilled ? uploads : []) {
    await bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: OUTPUT, UploadId }));
  }
  return status;
}

it("leaves no object where it is killed while the store copies, and the next one makes it", async () => {
  await putLarge();
  expect(await workApart(true)).toBeNull();
  expect(await objects.head(OUTPUT)).toBeUndefined();
  expect(await workApart(false)).toBe(0);
  await work(local, { params: { verify: "none" } });
  expect((await contentOf(objects, OUTPUT)).equals(await contentOf(local, OUTPUT))).toBe(true);
});

it("does not wait for a store that hangs once it is cancelled", async () => {
  await putMade();
  const controller = new AbortController();
  const hanging: ObjectStore = {
    ...objects,
    read: async () => {
      controller.abort();
      return await new Promise(() => undefined);
    },
  };
  await expect(work(hanging, { context: { signal: controller.signal } })).rejects.toMatchObject({ code: "ABORTED" });
});

it("is tried again where the store fails for a while, also where only a check wanted the bytes", async () => {
  await putMade();
  const failing = (isFailing: (reads: number) => boolean): ObjectStore => {
    let reads = 0;
    return {
      ...objects,
      read: async (...args) => {
        if (isFailing(++reads)) throw new ReelmillError("STORE_UNAVAILABLE", "The store is away.");
        return await objects.read(...args);
      },
    };
  };
  const first = failing((reads) => reads === 1);
  await expect(work(first)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  // Both objects are of one block each, which is read once; what follows is for the decoder.
  const third = failing((reads) => reads > 2);
  await expect(work(third)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  expect(await objects.head(OUTPUT)).toBeUndefined();
});

it("does not mix contents where the object is replaced while it is read", async () => {
  await putMade();
  let isReplaced = false;
  const replacing: ObjectStore = {
    ...objects,
    read: async (...args) => {
      const content = await objects.read(...args);
      if (!isReplaced && args[0] === INPUT) {
        isReplaced = true;
        await objects.put(INPUT, once(await readFile(made.foreign)));
      }
      return content;
    },
  };
  await expect(work(replacing)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await objects.head(OUTPUT)).toBeUndefined();
});

it("does not replace what another job has put in its output's place since the plan", async () => {
  await putMade();
  await objects.put(OUTPUT, once(Buffer.from("another's")));
  await expect(work(objects)).rejects.toMatchObject({ code: "OUTPUT_EXISTS" });
  expect(await objects.head(OUTPUT)).toMatchObject({ bytes: 9 });
});
