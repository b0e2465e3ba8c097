import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLocalObjectStore } from "../../src/adapters/local/object-store.ts";
import type { Json } from "../../src/base/json.ts";
import { createLogger } from "../../src/base/log.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import type { StageContext } from "../../src/jobs/pipeline.ts";
import { beginAsset, completeAsset, type HlsMessage, markTranscoded } from "../../src/pipelines/hls/media-asset.ts";
import { putJson, readJson } from "../../src/pipelines/object-json.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";

const INPUT = "uploads/clip.mp4";
const ASSET = "outputs/media/o/m/asset.json";
const [A, B]: readonly [HlsMessage, HlsMessage] = [
  { job_id: "a", media_id: "m", org_id: "o" },
  { job_id: "b", media_id: "m", org_id: "o" },
];

let folder: string;
let objects: ObjectStore;
let clock: FakeClock;
let context: StageContext;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-media-asset-"));
  objects = createLocalObjectStore({ root: folder, mounts: {} });
  clock = createFakeClock();
  const log = createLogger({ format: "json", level: "error", write: () => undefined });
  context = {
    ...{ jobId: "j", objects, clock, log, signal: new AbortController().signal, environment: {}, checkpoint: null },
    workFolder: () => Promise.reject(new Error("No folder is needed.")),
    onProgress: () => undefined,
    saveCheckpoint: () => Promise.reject(new Error("Nothing is kept.")),
  };
  await putJson(objects, INPUT, "a recording");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function begin(message: HlsMessage, within = context): Promise<Json> {
  clock.advance(1000);
  return await beginAsset(message, INPUT, within);
}

async function complete(message: HlsMessage, within = context): Promise<void> {
  clock.advance(1000);
  await markTranscoded(message, within);
  clock.advance(1000);
  await completeAsset(message, { playlistKey: message.job_id, result: { of: message.job_id } }, within);
}

function readAsset(): Promise<Record<string, Json>> {
  return readJson(objects, ASSET);
}

it("does nothing for a message that comes again, also where others were completed since", async () => {
  await begin(A);
  await complete(A);
  await begin(B);
  await complete(B);
  const asset = await readAsset();
  expect(asset).toMatchObject({ state: "complete", jobId: "b", playlistKey: "b" });
  expect(await begin(A)).toEqual({ of: "a" });
  expect(await markTranscoded(A, context)).toEqual({ of: "a" });
  expect(await begin(B)).toEqual({ of: "b" });
  expect(await readAsset()).toEqual(asset);
});

it("stays with the later message where an earlier one begins again or is completed after it", async () => {
  await begin(A);
  await begin(B);
  expect(await begin(A)).toBeNull();
  expect(await readAsset()).toMatchObject({ state: "transcoding", jobId: "b" });
  await complete(A);
  expect(await readAsset()).toMatchObject({ state: "transcoding", jobId: "b", playlistKey: null });
  expect(await begin(A)).toEqual({ of: "a" });
  await complete(B);
  expect(await readAsset()).toMatchObject({ state: "complete", jobId: "b", playlistKey: "b" });
});

it("loses no completion to an attempt that read the asset before and writes after it", async () => {
  await begin(A);
  const slow: StageContext = {
    ...context,
    objects: {
      ...objects,
      put: async (key, content) => {
        if ((await objects.head("outputs/media/o/m/messages/a/complete.json")) === undefined) await complete(A);
        return await objects.put(key, content);
      },
    },
  };
  await markTranscoded(A, slow);
  expect(await begin(A)).toEqual({ of: "a" });
  expect(await readAsset()).toMatchObject({ state: "complete", playlistKey: "a" });
});

it("keeps what was completed where the asset's record could not be written, and writes it with the next attempt", async () => {
  await begin(A);
  const failing: StageContext = {
    ...context,
    objects: {
      ...objects,
      put: async (key, content) => {
        if (key === ASSET && (await objects.head("outputs/media/o/m/messages/a/complete.json")) !== undefined) {
          throw new Error("The disk is gone.");
        }
        return await objects.put(key, content);
      },
    },
  };
  await expect(complete(A, failing)).rejects.toThrow("The disk is gone.");
  expect(await readAsset()).toMatchObject({ state: "transcoded" });
  await completeAsset(A, { playlistKey: "a", result: { of: "a" } }, context);
  expect(await readAsset()).toMatchObject({ state: "complete", playlistKey: "a" });
});
