import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApi } from "../../src/apps/lambda/api.ts";
import { createLambdaServer } from "../../src/apps/lambda/lambda-server.ts";
import { openWorld, type World } from "../../src/apps/lambda/open.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { environmentOf, openStores, type Stores, temporaryFolder } from "../support/aws.ts";
import { API_HEADERS, apiEvent } from "./events.fixture.ts";

const KEY = "k".repeat(32);
const HEADERS = { ...API_HEADERS, "x-api-key": KEY, "content-type": "application/json" };
const KEYS = ["uploads/day/a.mp4", "uploads/day/b.mp4"];

let stores: Stores;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let world: World;
let lines: string[];

beforeAll(async () => {
  [stores, folder] = await Promise.all([openStores(), temporaryFolder()]);
});

afterAll(async () => {
  await stores.close();
  await folder.remove();
});

beforeEach(async () => {
  lines = [];
  const environment = {
    PATH: process.env["PATH"] ?? "",
    LOG_FORMAT: "json",
    ...environmentOf(stores),
    REELMILL_DATA: folder.path,
    REELMILL_SQS_ENDPOINT: stores.storage.queues.endpoint ?? "",
    REELMILL_API_KEY_SHA256: createHash("sha256").update(KEY).digest("hex"),
  };
  world = openWorld(environment, systemClock, (line) => lines.push(line));
  for (const key of KEYS) await world.parts.objects.put(key, bytesOf("no recording"));
});

afterEach(() => world.parts.close());

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A world whose store begins to read recordings and never ends; `onRead` hears of it. */
function withoutAnswers(onRead: () => void): World {
  const { objects } = world.parts;
  const read: ObjectStore["read"] = (key, ...rest) => {
    if (!KEYS.includes(key)) return objects.read(key, ...rest);
    onRead();
    return new Promise(() => undefined);
  };
  return { ...world, parts: { ...world.parts, objects: { ...objects, read } } };
}

describe("submit-batch on a store that does not answer", () => {
  const request = { headers: HEADERS, body: JSON.stringify({ input_prefix: "day" }) };
  const taken = { reference_file: "", file_count: 2, files_to_repair: ["day/a.mp4", "day/b.mp4"] };
  const expectTaken = async (statusCode: number, body: Buffer): Promise<void> => {
    const told = JSON.parse(body.toString());
    expect([statusCode, told]).toMatchObject([202, taken]);
    expect((await world.parts.store.get(told.batch_job_id))?.params).toMatchObject({ inputs: KEYS, references: [] });
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ level: "warn", prefix: "uploads/day", candidates: 2 }),
    );
  };

  it("goes on without a reference once it has looked for one for long enough", async () => {
    const slow = withoutAnswers(() => undefined);
    const app = await createLambdaServer(slow, { findSignal: () => undefined, referenceSearchMs: 300 });
    const { statusCode, body } = await createApi(app)(apiEvent("POST", "/submit-batch", request));
    await expectTaken(statusCode, Buffer.from(body, "base64"));
  });

  it("goes on without a reference where its call is about to end", async () => {
    const ending = new AbortController();
    const slow = withoutAnswers(() => ending.abort());
    // It would look for longer than the test may take.
    const app = await createLambdaServer(slow, { findSignal: () => ending.signal, referenceSearchMs: 600_000 });
    const { statusCode, body } = await createApi(app)(apiEvent("POST", "/submit-batch", request));
    await expectTaken(statusCode, Buffer.from(body, "base64"));
  });
});
