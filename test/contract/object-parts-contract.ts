import { describe, expect, it } from "vitest";
import type { ObjectPart, ObjectStore } from "../../src/jobs/object-store.ts";
import { bytesOf, collect, stream, withCode } from "./object-content.ts";

/** What every object store has to keep to where objects are read by their tags and put together of others. */
export function describeObjectParts(store: () => ObjectStore): void {
  const textOf = async (key: string): Promise<string> => await collect(await store().read(key));

  describe("a tag", () => {
    it("names the content: reading with it takes no other", async () => {
      const first = await store().put("k", stream("abcde"));
      expect((await store().list("k", { limit: 1 }))[0]).toEqual(first);
      expect(await collect(await store().read("k", { start: 1, end: 3 }, first.tag))).toBe("bc");
      expect(await collect(await store().read("k", undefined, first.tag))).toBe("abcde");
      const second = await store().put("k", stream("fghij"));
      expect(second.tag).not.toBe(first.tag);
      const replaced = withCode("STORE_UNAVAILABLE");
      for (const range of [undefined, { start: 1, end: 2 }, { start: 0, end: 0 }]) {
        await expect(store().read("k", range, first.tag)).rejects.toThrow(replaced);
      }
      expect(await collect(await store().read("k", undefined, second.tag))).toBe("fghij");
    });
  });

  describe("compose", () => {
    const made = (content: string): ObjectPart => ({ kind: "bytes", bytes: bytesOf(content) });
    const partOf = async (key: string, start: number, end: number): Promise<ObjectPart> => {
      const from = await store().head(key);
      if (from === undefined) throw new Error(`There is no ${key}.`);
      return { kind: "range", from, range: { start, end } };
    };

    it("puts bytes and ranges one behind the other", async () => {
      await store().put("from/one", stream("0123456789"));
      await store().put("two", stream("abc"));
      await store().put("to/k", stream("what was there"));
      const parts = [made("<"), await partOf("from/one", 2, 5), made(""), await partOf("two", 0, 3), made(">")];
      const { moved, ...info } = await store().compose("to/k", [...parts, await partOf("two", 1, 1)]);
      expect(info).toEqual(await store().head("to/k"));
      expect(await textOf("to/k")).toBe("<234abc>");
      expect(moved.copiedBytes + moved.uploadedBytes).toBe(8);
      expect(await textOf("from/one")).toBe("0123456789");
    });

    it("makes an object of nothing, and of itself", async () => {
      expect(await store().compose("k", [])).toMatchObject({ bytes: 0 });
      await store().put("k", stream("abc"));
      await store().compose("k", [await partOf("k", 1, 3), await partOf("k", 0, 1)]);
      expect(await textOf("k")).toBe("bca");
    });

    it("has the store copy what is large", async () => {
      const MIB = 1024 * 1024;
      const content = Buffer.alloc(13 * MIB, "abcdefg");
      const whole = async function* (): AsyncGenerator<Uint8Array> {
        yield content;
      };
      await store().put("large", whole());
      const parts = [made("head"), await partOf("large", 7, 12 * MIB), made("mid"), await partOf("large", 0, 6 * MIB)];
      const { bytes, moved } = await store().compose("k", [...parts, made("tail")]);
      const pieces = ["head", content.subarray(7, 12 * MIB), "mid", content.subarray(0, 6 * MIB), "tail"];
      const expected = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
      expect(bytes).toBe(expected.length);
      expect((await textOf("k")) === expected.toString("latin1")).toBe(true);
      expect(moved.copiedBytes).toBeGreaterThanOrEqual(7 * MIB - 20);
      expect(moved.copiedBytes + moved.uploadedBytes).toBe(expected.length);
      expect(moved.downloadedBytes).toBe(moved.uploadedBytes - 11);
    });

    it("leaves no trace where a content is not there any more, or it is cancelled", async () => {
      await store().put("from", stream("0123456789"));
      await store().put("to", stream("kept"));
      const stale = await partOf("from", 0, 4);
      await store().put("from", stream("another content"));
      await expect(store().compose("to", [made("x"), stale])).rejects.toThrow(withCode("STORE_UNAVAILABLE"));
      await store().delete("from");
      await expect(store().compose("to", [made("x"), stale])).rejects.toThrow(withCode("OBJECT_NOT_FOUND"));
      const aborted = AbortSignal.abort();
      await expect(store().compose("to", [made("x")], aborted)).rejects.toThrow(withCode("ABORTED"));
      expect((await store().list("", { limit: 10 })).map(({ key }) => key)).toEqual(["to"]);
      expect(await textOf("to")).toBe("kept");
    });

    it("refuses ranges that do not lie in their object", async () => {
      await store().put("from", stream("0123456789"));
      for (const [start, end] of [
        [-1, 3],
        [3, 2],
        [5, 11],
      ] as const) {
        await expect(store().compose("to", [await partOf("from", start, end)])).rejects.toThrow(RangeError);
      }
      expect((await store().list("", { limit: 10 })).map(({ key }) => key)).toEqual(["from"]);
    });
  });
}
