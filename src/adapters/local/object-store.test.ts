import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLocalObjectStore, type LocalObjectStore } from "./object-store.ts";

let folder: string;
let root: string;
let share: string;
let store: LocalObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-local-"));
  root = join(folder, "data", "objects");
  share = join(folder, "share");
  await mkdir(join(share, "ready"), { recursive: true });
  store = createLocalObjectStore({ root, mounts: { watch: share } });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const withCode = (code: string): unknown => expect.objectContaining({ code });

async function* stream(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function text(key: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await store.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const keys = async (prefix = ""): Promise<readonly string[]> =>
  (await store.list(prefix, { limit: 100 })).map((info) => info.key);

describe("createLocalObjectStore", () => {
  it("makes its root, and says where it cannot", async () => {
    expect(statSync(root).isDirectory()).toBe(true);
    await writeFile(join(folder, "file"), "x");
    const mounts = {};
    expect(() => createLocalObjectStore({ root: join(folder, "file", "below"), mounts })).toThrow();
    expect(() => createLocalObjectStore({ root: "relative", mounts })).toThrow(withCode("CONFIG_INVALID"));
  });

  it("refuses mounts that no key could lead to", () => {
    const create = (name: string, path: string) => () => createLocalObjectStore({ root, mounts: { [name]: path } });
    expect(create("watch", "share")).toThrow(withCode("CONFIG_INVALID"));
    expect(create("a/b", share)).toThrow(withCode("CONFIG_INVALID"));
    expect(create("..", share)).toThrow(withCode("OBJECT_KEY_INVALID"));
  });

  it("takes a root that is itself a link", async () => {
    await symlink(root, join(folder, "link"));
    store = createLocalObjectStore({ root: join(folder, "link"), mounts: {} });
    await store.put("a/b", stream("x"));
    expect(readFileSync(join(root, "a", "b"), "utf8")).toBe("x");
    expect(await keys()).toEqual(["a/b"]);
  });
});

describe("files", () => {
  it("are moved in and lent without a copy", async () => {
    const path = join(folder, "upload");
    await writeFile(path, "content");
    const { ino } = statSync(path);
    await store.putFile("a/k", path);
    expect(statSync(join(root, "a", "k")).ino).toBe(ino);
    await store.withLocalFile("a/k", async (lent) => expect(statSync(lent).ino).toBe(ino));
    await store.putFile("watch/export/k", join(root, "a", "k"));
    expect(statSync(join(share, "export", "k")).ino).toBe(ino);
  });

  it("cannot have the name of a folder, nor lie below a file", async () => {
    await store.put("a/b", stream("x"));
    const path = join(folder, "upload");
    await writeFile(path, "content");
    for (const key of ["a", "a/b/c", "a/b/c/d", "watch"]) {
      await expect(store.put(key, stream("y")), key).rejects.toThrow(withCode("OBJECT_KEY_CONFLICT"));
      await expect(store.putFile(key, path), key).rejects.toThrow(withCode("OBJECT_KEY_CONFLICT"));
    }
    expect(existsSync(path)).toBe(true);
    expect(await text("a/b")).toBe("x");
    expect(readdirSync(join(root, ".reelmill-tmp"))).toEqual([]);
  });

  it("go with the folders that are empty then, but not on a share", async () => {
    for (const key of ["a/b/c/d", "a/e", "watch/ready/f"]) {
      await store.put(key, stream("x"));
    }
    for (const key of ["a/b/c/d", "watch/ready/f"]) await store.delete(key);
    expect(readdirSync(join(root, "a"))).toEqual(["e"]);
    expect(existsSync(join(share, "ready"))).toBe(true);
  });

  it("that are no files are no objects, and nobody waits for a pipe", async () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    expect(await store.head("pipe")).toBeUndefined();
    await expect(store.read("pipe")).rejects.toThrow(withCode("OBJECT_NOT_FOUND"));
    await expect(store.put("pipe", stream("x"))).rejects.toThrow(withCode("OBJECT_KEY_CONFLICT"));
    expect(await keys()).toEqual([]);
  });

  it("whose names are no keys are not listed", async () => {
    await mkdir(join(root, ".reelmill-mine"));
    for (const name of ["good", "back\\slash", "line\nfeed", ".reelmill-x", ".reelmill-mine/x"]) {
      await writeFile(join(root, name), "x");
    }
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), "no UTF-8");
    expect(await keys()).toEqual(["good"]);
  });

  it("are listed from folders of any size", async () => {
    const names = Array.from({ length: 12_000 }, (_, index) => `${index}`).sort();
    await mkdir(join(root, "5000"));
    for (const name of names) writeFileSync(join(root, name === "5000" ? "5000/x" : name), "");
    const expected = names.map((name) => (name === "5000" ? "5000/x" : name)).sort();
    expect((await store.list("", { limit: 20_000 })).map((info) => info.key)).toEqual(expected);
    const page = await store.list("", { limit: 3, afterKey: "8999" });
    expect(page.map((info) => info.key)).toEqual(["9", "90", "900"]);
  });
});

describe("readers", () => {
  it("keep the content that was there when they began", async () => {
    await store.put("k", stream("old ".repeat(200_000)));
    const reading = await store.read("k");
    await store.put("k", stream("new"));
    const chunks: Uint8Array[] = [];
    for await (const chunk of reading) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("old ".repeat(200_000));
  });

  it("are told where a file is cut while they read it", async () => {
    await store.put("watch/k", stream("x".repeat(600_000)));
    const reading = (await store.read("watch/k"))[Symbol.asyncIterator]();
    await reading.next();
    truncateSync(join(share, "k"), 100_000);
    await expect(reading.next()).rejects.toThrow(withCode("STORE_UNAVAILABLE"));
    expect(await reading.next()).toEqual({ done: true, value: undefined });
  });

  it("and writers leave no file open", async ({ skip }) => {
    if (!existsSync("/proc/self/fd")) return skip("open files cannot be counted here");
    const count = (): number => readdirSync("/proc/self/fd").length;
    symlinkSync("/etc", join(root, "link"));
    await store.put("a/k", stream("x".repeat(600_000)));
    const before = count();
    for (let round = 0; round < 20; round++) {
      await store.head("a/none");
      await store.head("none/none");
      await expect(store.head("link/passwd")).rejects.toThrow();
      await expect(store.read("a")).rejects.toThrow();
      await expect(store.put("a", stream("x"))).rejects.toThrow();
      await expect(store.put("link/k", stream("x"))).rejects.toThrow();
      for await (const _ of await store.read("a/k")) break;
      await (await store.read("a/k"))[Symbol.asyncIterator]().return?.();
      await store.copy("a/k", "b/k");
      await store.list("", { limit: 1 });
      await store.delete("b/k");
    }
    expect(count()).toBeLessThanOrEqual(before + 2);
  });
});

describe("links that appear while a key is being used", () => {
  it("lead nobody out of the store", async ({ skip }) => {
    if (process.platform !== "linux") return skip("open folders cannot be named here");
    const outside = join(folder, "outside");
    const away = join(folder, "away");
    await mkdir(outside);
    await writeFile(join(outside, "k"), "secret");
    await store.put("d/k", stream("inner"));
    await symlink(outside, join(folder, "link"));
    let isDone = false;
    // The store makes the folder anew meanwhile, so that any of it may fail.
    const attempt = (work: Promise<unknown>): Promise<boolean> =>
      work.then(
        () => true,
        () => false,
      );
    const attack = async (): Promise<number> => {
      let swaps = 0;
      while (!isDone) {
        await attempt(rename(join(root, "d"), away));
        if (await attempt(rename(join(folder, "link"), join(root, "d")))) {
          swaps += 1;
          await attempt(rename(join(root, "d"), join(folder, "link")));
        }
        await attempt(rename(away, join(root, "d")));
        await rm(away, { recursive: true, force: true });
        await attempt(symlink(outside, join(folder, "link")));
      }
      return swaps;
    };
    const swapping = attack();
    const seen = new Set<string>();
    let written = 0;
    for (let round = 0; round < 150; round++) {
      if (await attempt(store.put("d/k", stream("inner")))) written += 1;
      await attempt(text("d/k").then((content) => seen.add(content)));
      await attempt(store.put(`d/${round}`, stream("x")));
      await attempt(store.delete("d/k"));
    }
    isDone = true;
    expect(await swapping).toBeGreaterThan(0);
    expect(written).toBeGreaterThan(0);
    expect([...seen].filter((content) => content !== "inner")).toEqual([]);
    expect(readdirSync(outside)).toEqual(["k"]);
    expect(await readFile(join(outside, "k"), "utf8")).toBe("secret");
  });
});

describe("mounts", () => {
  it("are folders of the store, and hide what the root has of that name", async () => {
    await mkdir(join(root, "watch"));
    await writeFile(join(root, "watch", "hidden"), "x");
    await store.put("watch/ready/a.mp4", stream("a"));
    await store.put("vacation/b.mp4", stream("b"));
    await store.put("x", stream("x"));
    expect(readFileSync(join(share, "ready", "a.mp4"), "utf8")).toBe("a");
    expect(await keys()).toEqual(["vacation/b.mp4", "watch/ready/a.mp4", "x"]);
    expect(await keys("watch/")).toEqual(["watch/ready/a.mp4"]);
    expect(await keys("watch/ready/a")).toEqual(["watch/ready/a.mp4"]);
    expect(await keys("wat")).toEqual(["watch/ready/a.mp4"]);
    expect(await store.list("", { limit: 1, afterKey: "vacation/b.mp4" })).toMatchObject([
      { key: "watch/ready/a.mp4" },
    ]);
    await store.copy("watch/ready/a.mp4", "copied");
    expect(await text("copied")).toBe("a");
    expect(await store.head("watch/hidden")).toBeUndefined();
  });

  it("that are away are not empty, and are not made", async () => {
    await store.put("watch/ready/a.mp4", stream("a"));
    await rename(share, `${share}-away`);
    const away = withCode("STORE_UNAVAILABLE");
    await expect(store.list("watch/", { limit: 10 })).rejects.toThrow(away);
    await expect(store.list("watch/ready/", { limit: 10 })).rejects.toThrow(away);
    await expect(store.list("", { limit: 10 })).rejects.toThrow(away);
    await expect(store.head("watch/ready/a.mp4")).rejects.toThrow(away);
    await expect(store.read("watch/ready/a.mp4")).rejects.toThrow(away);
    await expect(store.delete("watch/ready/a.mp4")).rejects.toThrow(away);
    await expect(store.put("watch/ready/b.mp4", stream("b"))).rejects.toThrow(away);
    await expect(store.withLocalOutput("watch/b", () => Promise.resolve())).rejects.toThrow(away);
    await expect(store.sweepTemporary()).rejects.toThrow(away);
    expect(existsSync(share)).toBe(false);
    await store.put("elsewhere", stream("x"));
    await rename(`${share}-away`, share);
    expect(await keys()).toEqual(["elsewhere", "watch/ready/a.mp4"]);
  });
});

/** Mounts a small disk; false where that is not permitted. */
function mountDisk(path: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("a disk of its own", () => {
  let isMounted = false;
  const unmount = (): void => {
    if (isMounted) execFileSync("umount", [share]);
    isMounted = false;
  };

  beforeEach(() => {
    isMounted = mountDisk(share);
  });

  afterEach(unmount);

  it("that is unmounted is not an empty folder, and is taken again once it is back", async ({ skip }) => {
    if (!isMounted) return skip("mounting is not permitted here");
    await store.put("watch/a", stream("x"));
    unmount();
    expect(readdirSync(share)).toEqual(["ready"]);
    await expect(store.list("watch/", { limit: 10 })).rejects.toThrow(withCode("STORE_UNAVAILABLE"));
    await expect(store.put("watch/a", stream("x"))).rejects.toThrow(withCode("STORE_UNAVAILABLE"));
    expect(readdirSync(share)).toEqual(["ready"]);
    isMounted = mountDisk(share);
    await store.put("watch/b", stream("x"));
    expect(await keys("watch/")).toEqual(["watch/b"]);
  });

  it("that is full takes nothing, and keeps nothing of it", async ({ skip }) => {
    if (!isMounted) return skip("mounting is not permitted here");
    await store.put("watch/k", stream("old"));
    await store.put("large", stream("x".repeat(400_000)));
    const upload = join(folder, "upload");
    await writeFile(upload, Buffer.alloc(400_000));
    const full = withCode("NO_SPACE");
    await expect(store.put("watch/k", stream("x".repeat(200_000), "x".repeat(200_000)))).rejects.toThrow(full);
    await expect(store.putFile("watch/k", upload)).rejects.toThrow(full);
    await expect(store.copy("large", "watch/new/k")).rejects.toThrow(full);
    expect(await text("watch/k")).toBe("old");
    expect(await keys("watch/")).toEqual(["watch/k"]);
    expect(readdirSync(join(share, ".reelmill-tmp"))).toEqual([]);
    expect(statSync(upload).size).toBe(400_000);
    await store.put("watch/k", stream("x".repeat(100_000)));
  });

  it("inside the share is told as what it is", async ({ skip }) => {
    if (!isMounted) return skip("mounting is not permitted here");
    const nested = createLocalObjectStore({ root, mounts: { all: folder } });
    await expect(nested.put("all/share/k", stream("x"))).rejects.toThrow(withCode("OUTPUT_UNWRITABLE"));
    expect(readdirSync(join(folder, ".reelmill-tmp"))).toEqual([]);
  });
});

describe("putFile from another file system", () => {
  let elsewhere: string | undefined;

  beforeEach(async () => {
    const isOther = existsSync("/dev/shm") && statSync("/dev/shm").dev !== statSync(folder).dev;
    elsewhere = isOther ? await mkdtemp("/dev/shm/reelmill-") : undefined;
  });

  afterEach(async () => {
    if (elsewhere !== undefined) await rm(elsewhere, { recursive: true });
  });

  it("copies, and then removes the source", async ({ skip }) => {
    if (elsewhere === undefined) return skip("there is no other file system");
    const path = join(elsewhere, "upload");
    await writeFile(path, "content".repeat(100_000));
    expect(await store.putFile("watch/ready/k", path)).toMatchObject({ key: "watch/ready/k", bytes: 700_000 });
    expect(await text("watch/ready/k")).toBe("content".repeat(100_000));
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(join(share, ".reelmill-tmp"))).toEqual([]);
  });

  it("keeps the source where it cannot be published", async ({ skip }) => {
    if (elsewhere === undefined) return skip("there is no other file system");
    const path = join(elsewhere, "upload");
    await writeFile(path, "content");
    await expect(store.putFile("watch/ready", path)).rejects.toThrow(withCode("OBJECT_KEY_CONFLICT"));
    expect(await readFile(path, "utf8")).toBe("content");
    await unlink(path);
    await expect(store.putFile("watch/ready/k", path)).rejects.toThrow(withCode("INPUT_NOT_FOUND"));
  });
});
