import { ERROR_CODES } from "../base/errors.ts";
import type { Delivery, DeliveryNext, SendResult } from "./deliveries.ts";

/** How long a delivery is tried at least, from when it was created or redelivered: a day. */
export const RETRY_FOR_MS = 24 * 3_600_000;

/** The longest wait before another attempt, and the most that a receiver's `Retry-After` is heeded: 3 hours. */
export const MAX_RETRY_DELAY_MS = 3 * 3_600_000;

const MIN_RETRY_DELAY_MS = 1000;
const FIRST_RETRY_DELAY_MS = 5000;
const RETRY_FACTOR = 3;
/** Gone (RFC 9110 §15.5.11): the receiver does not want to hear of it again, as Standard Webhooks has it. */
const GONE = 410;

/**
 * The longest wait after the given number of failures, ≥ 1, in milliseconds: 5 s, 15 s, 45 s, 2 min 15 s, 6 min 45 s, 20 min 15 s,
 * 1 h 45 s, then 3 h.
 */
export function maxRetryDelayMs(failures: number): number {
  return Math.min(MAX_RETRY_DELAY_MS, FIRST_RETRY_DELAY_MS * RETRY_FACTOR ** (failures - 1));
}

/**
 * What follows from an attempt that ended at `nowMs`. The wait is anything from 1 s to the longest, at random, so that a receiver
 * that comes back does not get everything at once; `Retry-After` can only make it longer. `random` gives numbers ≥ 0 and < 1.
 */
export function planNextAttempt(
  delivery: Pick<Delivery, "failures" | "retryUntilMs">,
  result: SendResult,
  nowMs: number,
  random: () => number,
): DeliveryNext {
  if (result.error === null) return { state: "delivered" };
  const isFinal = result.status === GONE || !ERROR_CODES[result.error.code].retryable;
  if (isFinal || nowMs >= delivery.retryUntilMs) return { state: "failed" };
  const jitteredMs = Math.round(random() * maxRetryDelayMs(delivery.failures + 1));
  const askedMs = Math.min(result.retryAfterMs ?? 0, MAX_RETRY_DELAY_MS);
  return { state: "pending", nextAttemptAtMs: nowMs + Math.max(MIN_RETRY_DELAY_MS, jitteredMs, askedMs) };
}
