import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { runBoth } from "./run-both.ts";

const NEVER = new AbortController().signal;

/** Works until it is told to end, and needs a moment for that. */
async function workUntilAborted(signal: AbortSignal, onEnd: () => void): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
  await new Promise((settle) => setTimeout(settle, 5));
  onEnd();
  throw new Error("ended");
}

describe("runBoth", () => {
  it("gives what both gave", async () => {
    const both = runBoth(
      NEVER,
      () => Promise.resolve(1),
      () => Promise.resolve("b"),
    );
    expect(await both).toEqual([1, "b"]);
  });

  it("ends the other with the first failure, waits for it, and throws the first", async () => {
    let ended = 0;
    const fail = (): Promise<never> => Promise.reject(new Error("full"));
    const other = (signal: AbortSignal): Promise<void> => workUntilAborted(signal, () => ended++);
    await expect(runBoth(NEVER, fail, other)).rejects.toThrow("full");
    await expect(runBoth(NEVER, other, fail)).rejects.toThrow("full");
    expect(ended).toBe(2);
  });

  it("ends both when aborted from outside", async () => {
    let ended = 0;
    const outside = new AbortController();
    const work = (signal: AbortSignal): Promise<void> => workUntilAborted(signal, () => ended++);
    const both = runBoth(outside.signal, work, work);
    outside.abort();
    await expect(both).rejects.toThrow("ended");
    expect(ended).toBe(2);
  });
});
