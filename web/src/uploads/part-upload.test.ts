import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createFakeStore, type FakeStore } from "../../test-support/fake-store.ts";
import type { KeptUpload } from "./kept-uploads.ts";
import { beginParts, createPartUpload, type PartsApi } from "./part-upload.ts";

let store: FakeStore;
let asked: { readonly complete: unknown[]; readonly aborted: unknown[] };

const api: PartsApi = {
  lendPart: async ({ part_number }) => ({ url: `/${part_number}`, headers: {} }),
  completeUpload: async (body) => void asked.complete.push(body),
  abortUpload: async (body) => void asked.aborted.push(body),
};
const file = new File(["0123456789abcdefghijABCDE"], "a.mp4");
const begun = beginParts(file, "k/a.mp4", { upload_id: "u", part_bytes: 10 });
let standing: KeptUpload[];
const create = (upload: KeptUpload = begun) =>
  createPartUpload(
    file,
    upload,
    api,
    (attempt) => attempt(),
    (now) => standing.push(structuredClone(now)),
  );

beforeEach(() => {
  store = createFakeStore();
  vi.stubGlobal("XMLHttpRequest", store.Request);
  asked = { complete: [], aborted: [] };
  standing = [];
});
afterEach(() => {
  vi.unstubAllGlobals();
});

it("sends a file in parts, and has the object made of them in their order", async () => {
  const told: number[] = [];
  await create().send((bytes) => told.push(bytes), new AbortController().signal);
  expect(Object.fromEntries(store.stored)).toEqual({ "/1": "0123456789", "/2": "abcdefghij", "/3": "ABCDE" });
  expect(told.at(-1)).toBe(25);
  const etags = ["tag /1", "tag /2", "tag /3"];
  expect(asked.complete).toEqual([{ key: "k/a.mp4", upload_id: "u", size_bytes: 25, etags }]);
});

it("goes on with the parts that were missing when it was stopped", async () => {
  const upload = create();
  store.stuck.add("/2");
  const stopping = new AbortController();
  const stopped = upload.send(() => undefined, stopping.signal);
  await vi.waitFor(() => expect(store.stored.size).toBe(2));
  stopping.abort();
  await expect(stopped).rejects.toThrow("stopped");
  expect(asked.complete).toEqual([]);
  store.stored.clear();
  store.stuck.clear();
  await upload.send(() => undefined, new AbortController().signal);
  expect([...store.stored.keys()]).toEqual(["/2"]);
  expect(asked.complete).toHaveLength(1);
});

it("goes on from what another page was told of the parts", async () => {
  const told: number[] = [];
  await create({ ...begun, etags: ["tag /1", null, "tag /3"] }).send(
    (bytes) => told.push(bytes),
    new AbortController().signal,
  );
  expect([...store.stored.keys()]).toEqual(["/2"]);
  expect([told[0], told.at(-1)]).toEqual([15, 25]);
  expect(asked.complete).toMatchObject([{ etags: ["tag /1", "tag /2", "tag /3"] }]);
  expect(standing).toEqual([{ ...begun, etags: ["tag /1", "tag /2", "tag /3"] }]);
});

it("names the upload that is to be forgotten", async () => {
  await create().forget();
  expect(asked.aborted).toEqual([{ key: "k/a.mp4", upload_id: "u" }]);
});
