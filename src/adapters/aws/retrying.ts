import { setTimeout as delay } from "node:timers/promises";
import { ReelmillError } from "../../base/errors.ts";

const MAX_TRIES = 30;
const MAX_PAUSE_MS = 200;

/**
 * Tries what somebody else may have come before with: reads, decides and writes under a condition, and gives undefined where that did not
 * hold any more; it is told how often that was. Throws STORE_UNAVAILABLE where others are quicker again and again.
 */
export async function retrying<T>(what: string, attempt: (tries: number) => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const done = await attempt(tries);
    if (done !== undefined) return done;
    // Not together again with whoever else was late.
    await delay(Math.random() * Math.min(MAX_PAUSE_MS, 2 ** tries));
  }
  throw new ReelmillError("STORE_UNAVAILABLE", `${what} is being changed by too many others at once.`);
}
