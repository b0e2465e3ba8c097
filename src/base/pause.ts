import { setTimeout as delay } from "node:timers/promises";

/** Resolves after so many milliseconds, or when the signal is given; never rejects. */
export async function pause(forMs: number, signal: AbortSignal): Promise<void> {
  await delay(forMs, undefined, { signal }).catch(() => undefined);
}
