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
