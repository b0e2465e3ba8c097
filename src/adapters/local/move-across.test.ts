import { existsSync, readdirSync, readFileSync } from "node:fs";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLocalObjectStore, type LocalObjectStore } from "./object-store.ts";

const disk = vi.hoisted(() => ({
  /** What happens to the source and the copy once it is made. */
  afterCopy: async (_from: string, _to: string): Promise<void> => {},
  refusesUnlink: false,
}));

// Files called "upload" lie on another disk, as far as renaming goes.
vi.mock("node:fs/promises", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs/promises")>();
  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  const rename = async (from: string, to: string): Promise<void> =>
    from.endsWith("/upload") ? fail("EXDEV") : await fs.rename(from, to);
  const unlink = async (path: string): Promise<void> =>
    disk.refusesUnlink && path.endsWith("/upload") ? fail("EACCES") : await fs.unlink(path);
  const copyFile = async (from: string, to: string, mode?: number): Promise<void> => {
    await fs.copyFile(from, to, mode);
    await disk.afterCopy(from, to);
  };
  return { ...fs, rename, unlink, copyFile };
});

let folder: string;
let upload: string;
let store: LocalObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-across-"));
  upload = join(folder, "upload");
  await writeFile(upload, "content");
  store = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });
});

afterEach(async () => {
  disk.afterCopy = async () => {};
  disk.refusesUnlink = false;
  await rm(folder, { recursive: true });
});

const leftovers = (): readonly string[] => readdirSync(join(folder, "objects", ".reelmill-tmp"));

describe("moving a file in from another disk", () => {
  it("copies it, under its name only when it is whole, and then removes it", async () => {
    disk.afterCopy = async () => {
      expect(await store.head("a/k")).toBeUndefined();
      expect(existsSync(upload)).toBe(true);
    };
    expect(await store.putFile("a/k", upload)).toMatchObject({ key: "a/k", bytes: 7 });
    expect(readFileSync(join(folder, "objects", "a", "k"), "utf8")).toBe("content");
    expect(existsSync(upload)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it.each([
    ["the copy is short", (_from: string, to: string) => writeFile(to, "cont")],
    ["the file grows meanwhile", (from: string) => appendFile(from, "more")],
    ["the file goes meanwhile", (from: string) => rm(from)],
  ])("publishes nothing where %s", async (_, afterCopy) => {
    disk.afterCopy = afterCopy;
    const code = expect.stringMatching(/^INPUT_(UNREADABLE|NOT_FOUND)$/);
    await expect(store.putFile("a/k", upload)).rejects.toThrow(expect.objectContaining({ code }));
    expect(await store.head("a/k")).toBeUndefined();
    expect(leftovers()).toEqual([]);
  });

  it("says where the file could not be removed, which lies at both places then", async () => {
    disk.refusesUnlink = true;
    await expect(store.putFile("k", upload)).rejects.toThrow(expect.objectContaining({ code: "OUTPUT_UNWRITABLE" }));
    expect(await store.head("k")).toMatchObject({ bytes: 7 });
    expect(readFileSync(upload, "utf8")).toBe("content");
    expect(leftovers()).toEqual([]);
  });
});
