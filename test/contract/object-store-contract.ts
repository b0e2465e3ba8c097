import { existsSync } from "node:fs";
import { lstat, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObjectPart, ObjectStore } from "../../src/jobs/object-store.ts";
import { bytesOf, collect, stream, withCode } from "./object-content.ts";
import { describeObjectParts } from "./object-parts-contract.ts";

/** A store to be tested, and what is needed around it. */
export interface ObjectStoreFixture {
  readonly store: ObjectStore;
  /** An empty local folder outside the store, on whatever file system. */
  readonly scratch: string;
  /** The folder whose files are the objects, where the store has one. */
  readonly root: string | undefined;
  /** What writing left behind that no key names: temporary files, parts. */
  leftovers(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const HOSTILE_KEYS = [
  "",
  "/",
  "/etc/passwd",
  "a/",
  "a//b",
  ".",
  "..",
  "../a",
  "a/../../b",
  "a/./b",
  "a/..",
  "..\\a",
  "C:\\a",
  "a\0.mp4",
  "a\r\nb",
  "a\u007f",
  "a\u0085",
  "\ud800",
  "x".repeat(256),
  "ü".repeat(128),
  "x/".repeat(600),
  ".reelmill-tmp/a",
  ".REELMILL-tmp/a",
  "a/.reelmill-x",
];

async function* failing(): AsyncGenerator<Uint8Array> {
  yield bytesOf("the first half");
  throw Object.assign(new Error("connection lost"), { code: "ENOENT" });
}

/** What every object store has to keep to, whatever is behind it. */
export function describeObjectStore(name: string, create: () => Promise<ObjectStoreFixture>): void {
  describe(`${name} as an object store`, () => {
    let fixture: ObjectStoreFixture;
    let store: ObjectStore;

    beforeEach(async () => {
      fixture = await create();
      store = fixture.store;
    });

    afterEach(async () => {
      try {
        expect(await fixture.leftovers()).toEqual([]);
      } finally {
        await fixture.stop();
      }
    });

    const text = async (key: string): Promise<string> => await collect(await store.read(key));
    const keys = async (prefix = ""): Promise<readonly string[]> =>
      (await store.list(prefix, { limit: 1000 })).map((info) => info.key);

    describe("put, head and read", () => {
      it("keeps what it is given", async () => {
        const before = Date.now();
        const info = await store.put("a/b/c.mp4", stream("one ", "", "two"));
        expect(info).toMatchObject({ key: "a/b/c.mp4", bytes: 7 });
        expect(Math.abs(info.modifiedAtMs - before)).toBeLessThan(24 * 3600 * 1000);
        expect(await store.head("a/b/c.mp4")).toEqual(info);
        expect(await text("a/b/c.mp4")).toBe("one two");
      });

      it("keeps nothing at all as an object too", async () => {
        expect(await store.put("empty", stream())).toMatchObject({ bytes: 0 });
        expect(await text("empty")).toBe("");
        expect(await collect(await store.read("empty", { start: 0, end: 10 }))).toBe("");
      });

      it.each(["ü/日本/👩‍👩‍👧 %2e%2e.mov", "a b/#?&=+;:@!$'()*,.mp4", "...", ".hidden", "x".repeat(255)])(
        "takes the key %j as it is",
        async (key) => {
          await store.put(key, stream("x"));
          expect(await keys()).toEqual([key]);
          expect(await text(key)).toBe("x");
        },
      );

      it("replaces the whole object", async () => {
        await store.put("k", stream("a long first content"));
        await store.put("k", stream("short"));
        expect(await text("k")).toBe("short");
        expect(await store.head("k")).toMatchObject({ bytes: 5 });
      });

      it("shows nothing before the last byte came", async () => {
        async function* watched(): AsyncGenerator<Uint8Array> {
          yield bytesOf("x".repeat(100_000));
          expect(await store.head("k")).toBeUndefined();
          expect(await keys()).toEqual([]);
          yield bytesOf("y");
        }
        expect(await store.put("k", watched())).toMatchObject({ bytes: 100_001 });
      });

      it("leaves no trace of a stream that fails, and throws its error", async () => {
        await expect(store.put("new", failing())).rejects.toThrow("connection lost");
        expect(await store.head("new")).toBeUndefined();
        await store.put("old", stream("what was there"));
        await expect(store.put("old", failing())).rejects.toThrow("connection lost");
        expect(await text("old")).toBe("what was there");
        expect(await keys()).toEqual(["old"]);
      });

      it("gives one of the contents, whole, when one key is written many times at once", async () => {
        const contents = Array.from({ length: 12 }, (_, index) =>
          String.fromCharCode(97 + index).repeat(50_000 + index),
        );
        await Promise.all(
          contents.map((content) => store.put("deep/er/k", stream(content.slice(0, 20_000), content.slice(20_000)))),
        );
        expect(contents).toContain(await text("deep/er/k"));
        expect(await keys()).toEqual(["deep/er/k"]);
      });

      it("survives one key being written and deleted at once", async () => {
        const works = Array.from({ length: 30 }, (_, index) =>
          index % 2 === 0 ? store.put("d/e/k", stream("content")) : store.delete("d/e/k"),
        );
        await Promise.all(works);
        await store.put("d/e/k", stream("content"));
        expect(await text("d/e/k")).toBe("content");
      });

      it("has no object where there is none", async () => {
        expect(await store.head("nothing/here")).toBeUndefined();
        await expect(store.read("nothing/here")).rejects.toThrow(withCode("OBJECT_NOT_FOUND"));
        await store.put("folder/k", stream("x"));
        expect(await store.head("folder")).toBeUndefined();
        await expect(store.read("folder")).rejects.toThrow(withCode("OBJECT_NOT_FOUND"));
        expect(await store.head("folder/k/below")).toBeUndefined();
        await expect(store.read("folder/k/below")).rejects.toThrow(withCode("OBJECT_NOT_FOUND"));
      });
    });

    describe("ranges", () => {
      it("gives exactly the bytes asked for, clipped to the object", async () => {
        const content = Array.from({ length: 700_000 }, (_, index) => String.fromCharCode(97 + (index % 26))).join("");
        await store.put("k", stream(content));
        const offset = fc.integer({ min: 0, max: 700_100 });
        await fc.assert(
          fc.asyncProperty(offset, offset, async (start, end) => {
            expect(
              (await collect(await store.read("k", { start, end }))) === content.slice(start, Math.max(start, end)),
            ).toBe(true);
          }),
          { numRuns: 30 },
        );
      });

      it.each([
        [0, 0, ""],
        [0, 1, "a"],
        [3, 5, "de"],
        [4, 100, "e"],
        [5, 6, ""],
        [100, 200, ""],
        [3, 2, ""],
      ])("%i to %i of abcde", async (start, end, expected) => {
        await store.put("k", stream("abcde"));
        expect(await collect(await store.read("k", { start, end }))).toBe(expected);
      });

      it("may be left off, before and after the first byte", async () => {
        await store.put("k", stream("x".repeat(2_000_000)));
        for await (const chunk of await store.read("k")) {
          expect(chunk.length).toBeGreaterThan(0);
          break;
        }
        await (await store.read("k"))[Symbol.asyncIterator]().return?.();
        await store.delete("k");
        expect(await store.head("k")).toBeUndefined();
      });
    });

    describe("hostile keys", () => {
      it.each(HOSTILE_KEYS)("refuses %j everywhere", async (key) => {
        const refused = withCode("OBJECT_KEY_INVALID");
        const path = join(fixture.scratch, "file");
        await writeFile(path, "x");
        await store.put("fine", stream("x"));
        await expect(store.head(key)).rejects.toThrow(refused);
        await expect(store.read(key)).rejects.toThrow(refused);
        await expect(store.put(key, stream("x"))).rejects.toThrow(refused);
        await expect(store.putFile(key, path)).rejects.toThrow(refused);
        await expect(store.copy(key, "to")).rejects.toThrow(refused);
        await expect(store.copy("fine", key)).rejects.toThrow(refused);
        await expect(store.compose(key, [])).rejects.toThrow(refused);
        const from = { key, bytes: 9, tag: "x" };
        const part: ObjectPart = { kind: "range", from, range: { start: 0, end: 1 } };
        await expect(store.compose("to", [part])).rejects.toThrow(refused);
        await expect(store.delete(key)).rejects.toThrow(refused);
        await expect(store.withLocalFile(key, () => Promise.resolve())).rejects.toThrow(refused);
        await expect(store.withLocalOutput(key, () => Promise.resolve())).rejects.toThrow(refused);
        expect(existsSync(path)).toBe(true);
        expect(await keys()).toEqual(["fine"]);
      });

      it.each(["../", "/", "a//", "./", "a\0", ".reelmill-tmp/", "\ud800"])(
        "lists nothing below %j",
        async (prefix) => {
          await expect(store.list(prefix, { limit: 10 })).rejects.toThrow(withCode("OBJECT_KEY_INVALID"));
        },
      );
    });

    describe("links", () => {
      it("are not followed, whether they are the file or a folder on the way to it", async ({ skip }) => {
        const { root, scratch } = fixture;
        if (root === undefined) return skip("the store has no files");
        await mkdir(join(scratch, "outside"));
        await writeFile(join(scratch, "outside", "secret"), "secret");
        await mkdir(join(root, "inside"));
        await writeFile(join(root, "inside", "secret"), "inner");
        await symlink(join(scratch, "outside"), join(root, "folder"));
        await symlink(join(root, "inside"), join(root, "inner"));
        await symlink(join(scratch, "outside", "secret"), join(root, "file"));
        await symlink(join(scratch, "outside", "made"), join(root, "dangling"));
        const refused = withCode("OBJECT_KEY_INVALID");
        for (const key of ["folder/secret", "file", "inner/secret", "inside/../file"]) {
          await expect(store.head(key), key).rejects.toThrow(refused);
          await expect(store.read(key), key).rejects.toThrow(refused);
          await expect(store.copy(key, "to"), key).rejects.toThrow(refused);
          await expect(store.delete(key), key).rejects.toThrow(refused);
          await expect(store.withLocalFile(key, readFile), key).rejects.toThrow(refused);
        }
        for (const key of ["folder/secret", "folder/new/deep", "file", "dangling", "dangling/new", "inner/new"]) {
          await expect(store.put(key, stream("x")), key).rejects.toThrow(refused);
          await expect(
            store.withLocalOutput(key, (path) => writeFile(path, "x")),
            key,
          ).rejects.toThrow(refused);
        }
        await expect(store.list("folder/", { limit: 10 })).rejects.toThrow(refused);
        expect(await keys()).toEqual(["inside/secret"]);
        expect(await readFile(join(scratch, "outside", "secret"), "utf8")).toBe("secret");
        expect(existsSync(join(scratch, "outside", "made"))).toBe(false);
        expect(existsSync(join(scratch, "outside", "new"))).toBe(false);
        expect((await lstat(join(root, "file"))).isSymbolicLink()).toBe(true);
      });
    });

    describe("putFile", () => {
      it("takes the file over", async () => {
        const path = join(fixture.scratch, "upload");
        await writeFile(path, "content");
        await store.put("a/k", stream("old"));
        const info = await store.putFile("a/k", path);
        expect(info).toMatchObject({ key: "a/k", bytes: 7 });
        expect(await store.head("a/k")).toMatchObject({ bytes: 7 });
        expect(await text("a/k")).toBe("content");
        expect(existsSync(path)).toBe(false);
      });

      it("wants a file", async () => {
        const link = join(fixture.scratch, "link");
        await symlink("/etc/passwd", link);
        await expect(store.putFile("k", join(fixture.scratch, "none"))).rejects.toThrow(withCode("INPUT_NOT_FOUND"));
        await expect(store.putFile("k", fixture.scratch)).rejects.toThrow(withCode("INPUT_IS_DIRECTORY"));
        await expect(store.putFile("k", link)).rejects.toThrow(withCode("INPUT_UNREADABLE"));
        expect(await store.head("k")).toBeUndefined();
        expect(existsSync(fixture.scratch)).toBe(true);
      });
    });

    describe("copy and delete", () => {
      it("copies, onto another key and onto itself", async () => {
        await store.put("a", stream("content"));
        await store.put("b/c", stream("something else"));
        expect(await store.copy("a", "b/c")).toMatchObject({ key: "b/c", bytes: 7 });
        expect(await store.copy("a", "a")).toMatchObject({ key: "a", bytes: 7 });
        expect([await text("a"), await text("b/c")]).toEqual(["content", "content"]);
        await store.put("a", stream("new"));
        expect(await text("b/c")).toBe("content");
      });

      it("cannot copy what is not there", async () => {
        await store.put("to", stream("kept"));
        await expect(store.copy("none", "to")).rejects.toThrow(withCode("OBJECT_NOT_FOUND"));
        expect(await text("to")).toBe("kept");
      });

      it("deletes that object and no other", async () => {
        for (const key of ["a", "b/c", "b/d/e", "b/d/f"]) await store.put(key, stream("x"));
        for (const key of ["a", "a", "b", "b/d", "b/c/x", "none/at/all", "b/d/e"]) await store.delete(key);
        expect(await keys()).toEqual(["b/c", "b/d/f"]);
      });
    });

    describeObjectParts(() => store);

    describe("list", () => {
      it("goes by the bytes of the keys, not folder by folder", async () => {
        const all = ["a-b", "a.b/c", "a/b.c", "a/b/c", "a0", "a b", "B", "b/é", "b/z", "b/👍", "b/\uffee"];
        for (const key of all) await store.put(key, stream(key));
        expect(await keys()).toEqual([...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
        const [first] = await store.list("", { limit: 1 });
        expect(first).toEqual(await store.head("B"));
      });

      it.each([
        ["", ["p-q/r", "p/q", "p/qr/s", "pp", "q"]],
        ["p", ["p-q/r", "p/q", "p/qr/s", "pp"]],
        ["p/", ["p/q", "p/qr/s"]],
        ["p/q", ["p/q", "p/qr/s"]],
        ["p/qr", ["p/qr/s"]],
        ["p/qr/s", ["p/qr/s"]],
        ["p/qr/s/", []],
        ["p/q/", []],
        ["none/", []],
        ["none", []],
        [".", []],
      ])("the prefix %j", async (prefix, expected) => {
        for (const key of ["q", "p/qr/s", "pp", "p/q", "p-q/r"]) await store.put(key, stream("x"));
        expect(await keys(prefix)).toEqual(expected);
      });

      it("goes on behind a key, which need not be there any more", async () => {
        for (const key of ["a", "b/c", "b/e", "b/g/h", "c"]) await store.put(key, stream("x"));
        const behind = async (afterKey: string): Promise<readonly string[]> =>
          (await store.list("", { limit: 2, afterKey })).map((info) => info.key);
        expect(await behind("a")).toEqual(["b/c", "b/e"]);
        expect(await behind("b/d")).toEqual(["b/e", "b/g/h"]);
        expect(await behind("b/g/h")).toEqual(["c"]);
        expect(await behind("b/g/")).toEqual(["b/g/h", "c"]);
        expect(await behind("b")).toEqual(["b/c", "b/e"]);
        expect(await behind("c")).toEqual([]);
        expect((await store.list("b/", { limit: 9, afterKey: "b/e" })).map((info) => info.key)).toEqual(["b/g/h"]);
      });

      it("gives every object once over many pages", async () => {
        const all = Array.from({ length: 1200 }, (_, index) => `many/${index % 7}/${index}.ts`).sort();
        for (let at = 0; at < all.length; at += 50) {
          await Promise.all(all.slice(at, at + 50).map((key) => store.put(key, stream("x"))));
        }
        const found: string[] = [];
        for (;;) {
          const page = await store.list("many/", { limit: 101, afterKey: found.at(-1) ?? "" });
          found.push(...page.map((info) => info.key));
          if (page.length < 101) break;
        }
        expect(found).toEqual(all);
        expect((await store.list("", { limit: 5000 })).map((info) => info.key)).toEqual(all);
      });
    });

    describe("withLocalFile", () => {
      it("lends a file with the content and the name", async () => {
        await store.put("a/b.mp4", stream("content"));
        const lent = await store.withLocalFile("a/b.mp4", async (path) => [
          basename(path),
          await readFile(path, "utf8"),
        ]);
        expect(lent).toEqual(["b.mp4", "content"]);
      });

      it("throws what its user throws, and keeps the object", async () => {
        await store.put("k", stream("content"));
        const error = Object.assign(new Error("mine"), { code: "ENOENT" });
        await expect(store.withLocalFile("k", () => Promise.reject(error))).rejects.toBe(error);
        expect(await text("k")).toBe("content");
        await expect(store.withLocalFile("none", () => Promise.resolve())).rejects.toThrow(
          withCode("OBJECT_NOT_FOUND"),
        );
      });
    });

    describe("withLocalOutput", () => {
      it("makes what is left at the path the object, and not before", async () => {
        await store.put("a/b.mp4", stream("old"));
        const result = await store.withLocalOutput("a/b.mp4", async (path) => {
          expect(basename(path)).toBe("b.mp4");
          expect(existsSync(path)).toBe(false);
          await writeFile(path, "new content");
          await writeFile(`${path}.log`, "beside it");
          expect(await text("a/b.mp4")).toBe("old");
          expect(await keys()).toEqual(["a/b.mp4"]);
          return 42;
        });
        expect(result).toBe(42);
        expect(await text("a/b.mp4")).toBe("new content");
        expect(await keys()).toEqual(["a/b.mp4"]);
      });

      it("leaves no trace where its user throws", async () => {
        await store.put("old", stream("old"));
        const error = Object.assign(new Error("mine"), { code: "ENOSPC" });
        for (const key of ["new/k", "old"]) {
          const use = async (path: string): Promise<never> => {
            await writeFile(path, "half");
            throw error;
          };
          await expect(store.withLocalOutput(key, use)).rejects.toBe(error);
        }
        expect(await keys()).toEqual(["old"]);
        expect(await text("old")).toBe("old");
      });

      it("changes nothing where nothing is left", async () => {
        await store.put("old", stream("old"));
        expect(await store.withLocalOutput("old", () => Promise.resolve("done"))).toBe("done");
        expect(await store.withLocalOutput("new", () => Promise.resolve("done"))).toBe("done");
        expect(await keys()).toEqual(["old"]);
        expect(await text("old")).toBe("old");
      });

      it("refuses a folder and a link", async () => {
        await store.put("k", stream("old"));
        const folder = async (path: string): Promise<void> => {
          await mkdir(path);
          await writeFile(join(path, "inner"), "x");
        };
        await expect(store.withLocalOutput("k", folder)).rejects.toThrow(withCode("INTERNAL"));
        const link = (path: string): Promise<void> => symlink("/etc/passwd", path);
        await expect(store.withLocalOutput("k", link)).rejects.toThrow(withCode("INTERNAL"));
        expect(await text("k")).toBe("old");
        expect(existsSync("/etc/passwd")).toBe(true);
      });
    });
  });
}
