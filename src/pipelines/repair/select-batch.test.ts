import { describe, expect, it } from "vitest";
import { compareKeys } from "../../jobs/object-key.ts";
import type { ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";
import { type BatchQuestion, selectBatch } from "./select-batch.ts";

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

async function select(shelf: Shelf, question: Partial<BatchQuestion> = {}, examined: string[] = []) {
  const findHealthy = async (candidates: readonly ObjectInfo[]): Promise<ObjectInfo | undefined> => {
    examined.push(...candidates.map(({ key }) => key));
    return candidates.find(({ key }) => key.includes("good"));
  };
  const asked = {
    prefix: "in",
    referenceKey: undefined,
    strategy: "smallest",
    keptPrefix: "kept",
    ...question,
  } as const;
  const { signal } = new AbortController();
  const { reference, files, kept } = await selectBatch(asked, { objects: shelve(shelf), findHealthy, signal });
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
