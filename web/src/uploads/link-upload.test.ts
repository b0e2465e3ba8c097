import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFakeStorage } from "../../test-support/fake-storage.ts";
import { createFakeStore, type FakeStore } from "../../test-support/fake-store.ts";
import { ApiError } from "../api/api-error.ts";
import { createKeptUploads, type KeptUploads } from "./kept-uploads.ts";
import { createLinkUpload, keyNameFor, type LinkUploadApi } from "./link-upload.ts";

it.each([
  ["Hochzeit 1.MP4", "Hochzeit 1.MP4"],
  ["C:\\fakepath\\a.mp4", "C:_fakepath_a.mp4"],
  ["../../etc/passwd", "_.._.._etc_passwd"],
  [".hidden.mov", "_.hidden.mov"],
  ["\u200b.reelmill-x", "_.reelmill-x"],
  ["clip\u202e4pm.exe", "clip_4pm.exe"],
  ["\ud800.mp4", "\ufffd.mp4"],
  ["...", "upload"],
  ["", "upload"],
])("makes of the file name %j the end of a key", (name, expected) => {
  expect(keyNameFor(name)).toBe(expected);
});

it("keeps the end of a long name", () => {
  expect(keyNameFor(`${"ä".repeat(300)}.mp4`)).toBe(`${"ä".repeat(98)}.mp4`);
  expect(keyNameFor(`${"😀".repeat(300)}.mp4`)).toBe(`${"😀".repeat(49)}.mp4`);
});

describe("an upload in parts", () => {
  let store: FakeStore;
  /** What the API refuses next. */
  let failures: ApiError[];
  let asked: string[];
  let done: string[];
  let storage: Storage;
  const answer = async <T>(name: string, value: T): Promise<T> => {
    asked.push(name);
    const failure = name === "lend" ? failures.shift() : undefined;
    if (failure !== undefined) throw failure;
    return value;
  };
  const api: LinkUploadApi = {
    lendUpload: () => answer("begin", { upload_id: "u", part_bytes: 10 }),
    lendPart: ({ part_number }) => answer("lend", { url: `/${part_number}`, headers: {} }),
    completeUpload: () => answer("complete", undefined),
    abortUpload: () => answer("abort", undefined),
    removeObject: () => answer("remove", undefined),
  };
  /** Another one stands for the page after a reload. */
  let kept: KeptUploads;
  const create = () =>
    createLinkUpload(new File(["0123456789abcde"], "a.mp4", { lastModified: 7 }), api, kept, {
      onProgress: () => undefined,
      onDone: (key) => done.push(key),
      onError: () => undefined,
      onUnauthorized: () => undefined,
    });

  beforeEach(() => {
    store = createFakeStore();
    vi.stubGlobal("XMLHttpRequest", store.Request);
    vi.stubGlobal("window", { setTimeout: (wake: () => void) => setTimeout(wake, 0) });
    storage = createFakeStorage();
    kept = createKeptUploads(storage);
    failures = [];
    asked = [];
    done = [];
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("goes on by itself where store or server could not for a while", async () => {
    store.upset.set("/2", [0, 503]);
    failures = [new ApiError("NETWORK", 0, "Away."), new ApiError("HTTP_503", 503, "Busy.")];
    await create().start();
    expect([...store.stored.values()].sort()).toEqual(["0123456789", "abcde"]);
    expect(done).toEqual([expect.stringMatching(/^uploads\/[0-9a-f]{32}\/a\.mp4$/)]);
    expect(asked).not.toContain("abort");
  });

  it("keeps what is there where the server stays away, and goes on when it is resumed", async () => {
    store.upset.set("/2", [503, 503, 503, 503]);
    const upload = create();
    await expect(upload.start()).rejects.toThrow("503");
    expect(asked).not.toContain("abort");
    await upload.start();
    expect(asked.filter((name) => name === "begin")).toHaveLength(1);
    expect(done).toHaveLength(1);
  });

  it("begins anew where the store has forgotten it", async () => {
    store.upset.set("/2", [404]);
    const upload = create();
    await expect(upload.start()).rejects.toThrow("404");
    await upload.start();
    expect(asked.filter((name) => name === "begin" || name === "abort")).toEqual(["begin", "abort", "begin"]);
    expect(done).toHaveLength(1);
  });

  it("goes on after a reload with the same file, which is then forgotten", async () => {
    store.stuck.add("/2");
    void create().start();
    await vi.waitFor(() => expect(store.stored.size).toBe(1));
    await vi.waitFor(() => expect(storage.getItem(storage.key(0) ?? "")).toContain("tag /1"));
    expect(kept.list()).toEqual([]);
    store.stuck.clear();
    store.stored.clear();
    expect(createKeptUploads(storage).list()).toEqual([]);
    kept.leave();
    kept = createKeptUploads(storage);
    expect(kept.list()).toMatchObject([{ name: "a.mp4", bytes: 15 }]);
    await create().start();
    expect([...store.stored.keys()]).toEqual(["/2"]);
    expect(asked.filter((name) => name === "begin")).toHaveLength(1);
    expect([done.length, storage.length]).toEqual([1, 0]);
  });

  it("begins anew, by itself, where the store swept what was left", async () => {
    store.stuck.add("/2");
    void create().start();
    await vi.waitFor(() => expect(storage.getItem(storage.key(0) ?? "")).toContain("tag /1"));
    store.stuck.clear();
    store.upset.set("/2", [404]);
    kept.leave();
    kept = createKeptUploads(storage);
    await create().start();
    expect(asked.filter((name) => name === "begin")).toHaveLength(2);
    expect([done.length, storage.length]).toEqual([1, 0]);
  });

  it.each([
    ["another file", { name: "b.mp4" }],
    ["a file that was changed", { modifiedMs: 8 }],
    ["what this version did not write", { etags: [5] }],
  ])("begins anew for %s", async (_case, change) => {
    const left = {
      name: "a.mp4",
      bytes: 15,
      modifiedMs: 7,
      key: "k/a.mp4",
      upload_id: "u",
      part_bytes: 10,
      heldUntilMs: 0,
    };
    storage.setItem("reelmill.upload.1", JSON.stringify({ ...left, etags: ["tag /1", null], ...change }));
    await create().start();
    expect(asked.filter((name) => name === "begin")).toHaveLength(1);
    expect(store.stored.size).toBe(2);
  });

  it("needs no storage", async () => {
    const refuse = (): never => {
      throw new DOMException("Forbidden.", "SecurityError");
    };
    kept = createKeptUploads({
      ...storage,
      length: 0,
      key: refuse,
      getItem: refuse,
      setItem: refuse,
      removeItem: refuse,
    });
    await create().start();
    expect([done.length, kept.list()]).toEqual([1, []]);
  });
});
