import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { compareKeys } from "../../jobs/object-key.ts";
import type { ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";
import { type BatchQuestion, type BatchSources, selectBatch } from "./select-batch.ts";

/** Keys, each with its size and its time. */
type Shelf = Readonly<Record<string, readonly [bytes: number, modifiedAtMs: number]>>;

function shelve(shelf: Shelf): ObjectStore {
  const found: readonly ObjectInfo[] = Object.entries(shelf)
    .map(([key, [bytes, modifiedAtMs]]) => ({ key, bytes, modifiedAtMs, tag: key }))
    .sort((a, b) => compareKeys(a.key, b.key));
  const store: Pick<ObjectStore, "head" | "list"> = {
    head: async (key) => found.find((info) => info.key === key),
    list: async (prefix, { limit, afterKey = "" }) =>
      found.filter(({ key }) => key.startsWith(prefix) && compareKeys(key, afterKey) > 0).slice(0, limit),
  };
  return store as ObjectStore;
}

const none = (): void => undefined;
const LOG: Logger = { debug: none, info: none, warn: none, error: none, child: () => LOG };
const QUESTION: BatchQuestion = { prefix: "in", referenceKey: undefined, strategy: "smallest", keptPrefix: "kept" };

async function select(shelf: Shelf, question: Partial<BatchQuestion> = {}, examined: string[] = []) {
  const findHealthy = async (candidates: readonly ObjectInfo[]): Promise<ObjectInfo | undefined> => {
    examined.push(...candidates.map(({ key }) => key));
    return candidates.find(({ key }) => key.includes("good"));
  };
  const { signal } = new AbortController();
  const sources = { objects: shelve(shelf), findHealthy, signal, log: LOG };
  const { reference, files, kept } = await selectBatch({ ...QUESTION, ...question }, sources);
  return { reference: reference?.key, files: files.map(({ key }) => key), kept };
}

const SHELF: Shelf = {
  "in/bad.mp4": [1, 9],
  "in/empty.mp4": [0, 8],
  "in/good large.mp4": [5, 7],
  "in/good small.mp4": [3, 5],
  "in/old good.mp4": [3, 1],
  "inside/good.mp4": [1, 99],
};

describe("selectBatch", () => {
  it.each([
    ["smallest", "in/good small.mp4"],
    ["newest", "in/good large.mp4"],
  ] as const)("takes the %s recording that plays, and leaves it out of those to repair", async (strategy, key) => {
    const { reference, files } = await select(SHELF, { strategy });
    expect(reference).toBe(key);
    expect(files).toEqual(Object.keys(SHELF).filter((other) => other.startsWith("in/") && other !== key));
  });

  it("examines none where one is named, wherever it lies", async () => {
    const examined: string[] = [];
    const chosen = await select({ ...SHELF, "far/away.mp4": [1, 1] }, { referenceKey: "far/away.mp4" }, examined);
    expect([chosen.reference, chosen.files.length, examined]).toEqual(["far/away.mp4", 5, []]);
  });

  it("lists what is kept in the order of the strategy, a few dozen of them", async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`kept/${at}.mp4`, [100 - at, at] as const]));
    const { kept } = await select({ "in/bad.mp4": [1, 1], ...many });
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([32, "kept/39.mp4", "kept/8.mp4"]);
  });

  it("looks at some dozens for one that plays, and refuses more files than a job takes", async () => {
    const shelfOf = (count: number): Shelf =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`in/${String(at).padStart(4, "0")}.mp4`, [at, at]]));
    const examined: string[] = [];
    const { reference, files } = await select(shelfOf(1000), {}, examined);
    expect([reference, files.length, examined.length]).toEqual([undefined, 1000, 50]);
    await expect(select(shelfOf(1001))).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    const besides = Object.fromEntries(Array.from({ length: 1500 }, (_, at) => [`in/${at}.txt`, [1, 1] as const]));
    expect((await select({ ...besides, "in/z.mp4": [1, 1] })).files).toEqual(["in/z.mp4"]);
  });
});

describe("the patience of selectBatch", () => {
  /** Reads until it is told to stop, as from a store that does not answer. */
  const searchInVain: BatchSources["findHealthy"] = (_candidates, signal) =>
    new Promise((_resolve, reject) => {
      const stop = (): void => reject(new ReelmillError("ABORTED", "Cancelled."));
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop);
    });
  const choose = async (sources: Partial<BatchSources>) => {
    const warnings: unknown[] = [];
    const log: Logger = { ...LOG, warn: (...told) => warnings.push(told) };
    const { signal } = new AbortController();
    const ports = { objects: shelve(SHELF), findHealthy: searchInVain, signal, log, ...sources };
    const { reference, files } = await selectBatch(QUESTION, ports);
    return { reference: reference?.key, count: files.length, warnings };
  };
  const toldOf = [[expect.stringContaining("took too long"), { prefix: "in", candidates: 5 }]];

  it("ends a search that takes too long, and the batch goes on without a reference", async () => {
    const ending = new AbortController();
    const choosing = choose({ patience: ending.signal });
    ending.abort();
    expect(await choosing).toEqual({ reference: undefined, count: 5, warnings: toldOf });
    expect(await choose({ patience: AbortSignal.abort() })).toMatchObject({ reference: undefined, count: 5 });
  });

  it("says so too where what could not be read in the end passed as what does not play", async () => {
    const findHealthy = async (): Promise<undefined> => undefined;
    expect((await choose({ findHealthy, patience: AbortSignal.abort() })).warnings).toEqual(toldOf);
    expect((await choose({ findHealthy, patience: new AbortController().signal })).warnings).toEqual([]);
  });

  it("takes what was found at the last moment", async () => {
    const findHealthy: BatchSources["findHealthy"] = async ([first]) => first;
    const chosen = await choose({ findHealthy, patience: AbortSignal.abort() });
    expect(chosen).toEqual({ reference: "in/empty.mp4", count: 4, warnings: [] });
  });

  it("hides neither that the server ends nor that the store is away", async () => {
    const aborted = AbortSignal.abort();
    await expect(choose({ signal: aborted, patience: aborted })).rejects.toMatchObject({ code: "ABORTED" });
    const findHealthy = () => Promise.reject(new ReelmillError("STORE_UNAVAILABLE", "Away."));
    await expect(choose({ findHealthy, patience: aborted })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});
