import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SendResult, SendWebhook } from "../../src/jobs/deliveries.ts";

/** What a receiver of news does with the next of them. */
export type Reception = "takes" | "is busy" | "refuses" | "is silent";

/** A sender to be tested, and what hears it on loopback. */
export interface NewsSenderFixture {
  readonly send: SendWebhook;
  /** Where news go to. */
  readonly url: string;
  /** A place of the kind that nobody listens at. */
  readonly nowhere: () => Promise<{ readonly send: SendWebhook; readonly url: string }>;
  /** What was heard since it was last asked for, refused ones included: ids and bodies. */
  readonly hear: () => Promise<readonly { readonly id: string; readonly body: string }[]>;
  /** Has the receiver do that from now on. */
  readonly behave: (reception: Reception) => void;
  /** The most bytes that one piece of news may have; undefined: nothing bounds them. */
  readonly maxBytes: number | undefined;
  /** Whether a receiver that refuses may change its mind: then news are worth another try. */
  readonly mayChangeItsMind: boolean;
  stop(): Promise<void>;
}

const BODY = JSON.stringify({ job_id: "untrunc-0123456789ab", status: "COMPLETED", name: "größer 日本" });
const LONG_MS = 30_000;

/** What every sender of news has to keep to, whatever they travel by. */
export function describeNewsSender(name: string, create: () => Promise<NewsSenderFixture>): void {
  describe(`${name} as a sender of news`, () => {
    let fixture: NewsSenderFixture;
    beforeAll(async () => {
      fixture = await create();
    });
    afterAll(() => fixture.stop());

    const send = async (
      id: string,
      { body = BODY, timeoutMs = LONG_MS, signal = new AbortController().signal } = {},
    ): Promise<SendResult> => await fixture.send({ id, url: fixture.url, body }, { timeoutMs, signal });

    it("delivers id and body as they are, each time it is told to", async () => {
      fixture.behave("takes");
      for (const _time of [1, 2]) {
        const { status, ...rest } = await send("d1");
        expect([Math.floor((status ?? 0) / 100), rest]).toEqual([2, { error: null, retryAfterMs: null }]);
      }
      expect(await fixture.hear()).toEqual([
        { id: "d1", body: BODY },
        { id: "d1", body: BODY },
      ]);
    });

    it("says that another try may help where the receiver is busy, or not there", async () => {
      fixture.behave("is busy");
      expect(await send("d2")).toMatchObject({ status: 503, error: { code: "WEBHOOK_FAILED" } });
      const { send: sendThere, url } = await fixture.nowhere();
      const options = { timeoutMs: LONG_MS, signal: new AbortController().signal };
      const lost = await sendThere({ id: "d3", url, body: BODY }, options);
      expect(lost).toMatchObject({ status: null, error: { code: "WEBHOOK_FAILED" }, retryAfterMs: null });
    });

    it("tells what the receiver answered that refuses, and whether it may change its mind", async () => {
      fixture.behave("refuses");
      const code = fixture.mayChangeItsMind ? "WEBHOOK_FAILED" : "WEBHOOK_REFUSED";
      expect(await send("d4")).toMatchObject({ status: 404, error: { code } });
    });

    it("sends large news, and none that are larger than may be: no try would help", async () => {
      fixture.behave("takes");
      await fixture.hear();
      const { maxBytes } = fixture;
      const large = "x".repeat((maxBytes ?? 1_000_000) - 2);
      expect(await send("d5", { body: JSON.stringify(large) })).toMatchObject({ error: null });
      expect((await fixture.hear()).map(({ body }) => body.length)).toEqual([large.length + 2]);
      if (maxBytes === undefined) return;
      const refused = await send("d6", { body: JSON.stringify(`${large}x`) });
      const message = expect.stringContaining(String(maxBytes + 1));
      expect(refused).toMatchObject({ status: null, error: { code: "WEBHOOK_REFUSED", message } });
      expect(await fixture.hear()).toEqual([]);
    });

    it("leaves a receiver that says nothing, in time", async () => {
      fixture.behave("is silent");
      const error = { code: "WEBHOOK_FAILED", message: "No whole answer came within 200 ms." };
      expect(await send("d7", { timeoutMs: 200 })).toEqual({ status: null, error, retryAfterMs: null });
    });

    it("stops when it is told to, and sends nothing where it was told before", async () => {
      fixture.behave("is silent");
      const ending = new AbortController();
      const sending = send("d8", { signal: ending.signal });
      setTimeout(() => ending.abort(), 200);
      await expect(sending).rejects.toMatchObject({ code: "ABORTED" });
      await fixture.hear();
      await expect(send("d9", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
      expect((await fixture.hear()).filter(({ id }) => id === "d9")).toEqual([]);
    });
  });
}
