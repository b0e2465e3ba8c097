import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { runPool } from "./run-pool.ts";

const never = new AbortController().signal;

it("works through all items, in their order, so many at a time", async () => {
  const begun: number[] = [];
  let atATime = 0;
  let most = 0;
  await runPool([1, 2, 3, 4, 5], 2, never, async (item) => {
    begun.push(item);
    most = Math.max(most, ++atATime);
    await setTimeout(1);
    atATime--;
  });
  expect(begun).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it("ends the others when one fails, and throws when they have ended", async () => {
  let hasEnded = false;
  const pool = runPool(["fails", "waits", "never begun"], 2, never, async (item, signal) => {
    expect(item).not.toBe("never begun");
    if (item === "fails") throw new Error("no");
    await new Promise((settle) => signal.addEventListener("abort", settle, { once: true }));
    hasEnded = true;
    throw new Error("aborted");
  });
  await expect(pool).rejects.toThrow("no");
  expect(hasEnded).toBe(true);
});
