import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Loan, ObjectLender } from "../../src/jobs/object-lender.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";

/** A lender to be tested, and the store that its loans are of. */
export interface ObjectLenderFixture {
  readonly store: ObjectStore;
  readonly lender: ObjectLender;
  /** What paths are relative to. */
  readonly base: string;
  /** Whether whoever answers checks what was signed; emulators do not. */
  readonly isChecked: boolean;
  stop(): Promise<void>;
}

const FOR_MS = 60_000;
const TEXT = "0123456789";

/** What every lender has to keep to, whoever answers its loans. */
export function describeObjectLender(name: string, create: () => Promise<ObjectLenderFixture>): void {
  describe(`${name} as a lender of objects`, () => {
    let fixture: ObjectLenderFixture;
    beforeAll(async () => {
      fixture = await create();
    });
    afterAll(() => fixture.stop());

    const lend = async (loan: Loan): Promise<{ readonly url: URL; readonly headers: Record<string, string> }> => {
      const { url, headers } = await fixture.lender.lend(loan);
      return { url: new URL(url, fixture.base), headers: { ...headers } };
    };
    const write = async (key: string, body: string, bytes = body.length): Promise<number> => {
      const { url, headers } = await lend({ method: "PUT", key, bytes, forMs: FOR_MS });
      return (await fetch(url, { method: "PUT", body, headers })).status;
    };

    it.each(["a/b.mp4", "ü/日本 👩‍👩‍👧 %2e.mov", "a b/#?&=+;:@!$'()*,.mp4"])("writes and reads %j", async (key) => {
      expect(await write(key, TEXT)).toBe(200);
      expect(await fixture.store.head(key)).toMatchObject({ bytes: 10 });
      const { url, headers } = await lend({ method: "GET", key, forMs: FOR_MS });
      expect(await (await fetch(url, { headers })).text()).toBe(TEXT);
      const part = await fetch(url, { headers: { ...headers, range: "bytes=2-4" } });
      expect([part.status, await part.text()]).toEqual([206, "234"]);
    });

    it("replaces what is there, by nothing too", async () => {
      await write("again", TEXT);
      expect(await write("again", "")).toBe(200);
      expect(await fixture.store.head("again")).toMatchObject({ bytes: 0 });
    });

    it("says 404 of what is not there", async () => {
      const { url, headers } = await lend({ method: "GET", key: "none", forMs: FOR_MS });
      expect((await fetch(url, { headers })).status).toBe(404);
    });

    it.each(["", "../a", "a//b", "a\nb"])("lends nothing by the name %j", async (key) => {
      await expect(fixture.lender.lend({ method: "GET", key, forMs: FOR_MS })).rejects.toMatchObject({
        code: "OBJECT_KEY_INVALID",
      });
    });

    it("writes longer objects in parts, in any order, which appear once they are completed", async ({ skip }) => {
      const { multipart } = fixture.lender;
      skip(multipart === undefined, "one loan is for any length");
      const key = "in parts ü.mp4";
      expect(await multipart?.begin(key, 1000)).toBeUndefined();
      const bytes = 12_000_000;
      const { uploadId = "", partBytes = 0 } = (await multipart?.begin(key, bytes)) ?? {};
      const count = Math.ceil(bytes / partBytes);
      expect(count).toBeGreaterThan(1);
      const upload = { key, uploadId, bytes };
      const etags: string[] = [];
      for (let number = count; number > 0; number--) {
        const lent = await multipart?.lendPart(upload, number, FOR_MS);
        const body = Buffer.alloc(Math.min(partBytes, bytes - (number - 1) * partBytes), number);
        const url = new URL(lent?.url ?? "", fixture.base);
        const answer = await fetch(url, { method: "PUT", body, headers: { ...lent?.headers } });
        etags[number - 1] = answer.headers.get("etag") ?? "";
      }
      await expect(multipart?.lendPart(upload, count + 1, FOR_MS)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
      await expect(multipart?.complete(upload, etags.slice(1))).rejects.toMatchObject({ code: "REQUEST_INVALID" });
      const others = etags.map(() => '"00000000000000000000000000000000"');
      await expect(multipart?.complete(upload, others)).rejects.toMatchObject({ code: "UPLOAD_REFUSED" });
      expect(await fixture.store.head(key)).toBeUndefined();
      await multipart?.complete(upload, etags);
      const pieces: Uint8Array[] = [];
      for await (const piece of await fixture.store.read(key)) pieces.push(piece);
      const whole = Buffer.concat(pieces);
      expect([whole.length, whole[0], whole[partBytes - 1], whole[partBytes], whole.at(-1)]).toEqual([
        bytes,
        1,
        1,
        2,
        count,
      ]);
      // The answer may have been lost.
      await multipart?.complete(upload, etags);
    });

    it("keeps nothing of parts that are given up, and knows no other uploads", async ({ skip }) => {
      const { multipart } = fixture.lender;
      skip(multipart === undefined, "one loan is for any length");
      const bytes = 12_000_000;
      const { uploadId = "" } = (await multipart?.begin("given up", bytes)) ?? {};
      await multipart?.abort({ key: "given up", uploadId });
      await multipart?.abort({ key: "given up", uploadId });
      const complete = multipart?.complete({ key: "given up", uploadId, bytes }, ["a", "b", "c"]);
      await expect(complete).rejects.toMatchObject({ code: "UPLOAD_NOT_FOUND" });
      expect(await fixture.store.head("given up")).toBeUndefined();
      await expect(multipart?.begin("../given up", bytes)).rejects.toMatchObject({ code: "OBJECT_KEY_INVALID" });
    });

    it("lends for one length, one key and one way alone", async ({ skip }) => {
      skip(!fixture.isChecked, "whoever answers does not check it");
      expect(await write("long", TEXT, 9)).not.toBe(200);
      await write("mine", TEXT);
      const { url } = await lend({ method: "GET", key: "mine", forMs: FOR_MS });
      expect((await fetch(url, { method: "PUT", body: TEXT })).ok).toBe(false);
      expect((await fetch(url.href.replace("mine", "long"))).ok).toBe(false);
      expect(await fixture.store.head("long")).toBeUndefined();
    });
  });
}
