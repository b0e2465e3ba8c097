import { describe, expect, it } from "vitest";
import type { DeliveryNext, SendResult } from "./deliveries.ts";
import { MAX_RETRY_DELAY_MS, maxRetryDelayMs, planNextAttempt, RETRY_FOR_MS } from "./delivery-schedule.ts";

const UNAVAILABLE: SendResult = {
  status: 503,
  error: { code: "WEBHOOK_FAILED", message: "The receiver answered with status 503." },
  retryAfterMs: null,
};

const delayOf = (next: DeliveryNext, nowMs: number): number =>
  next.state === "pending" ? next.nextAttemptAtMs - nowMs : Number.NaN;

describe("maxRetryDelayMs", () => {
  it("is the table of the guide", () => {
    const seconds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 400].map((failures) => maxRetryDelayMs(failures) / 1000);
    expect(seconds).toEqual([5, 15, 45, 135, 405, 1215, 3645, 10_800, 10_800, 10_800]);
  });
});

describe("planNextAttempt", () => {
  it("waits at random between a second and the longest", () => {
    const at = (failures: number, random: number): number =>
      delayOf(
        planNextAttempt({ failures, retryUntilMs: 1e9 }, UNAVAILABLE, 1000, () => random),
        1000,
      );
    expect(at(0, 0)).toBe(1000);
    expect(at(0, 0.5)).toBe(2500);
    expect(at(3, 0.5)).toBe(67_500);
    expect(at(40, 0.999_999)).toBeLessThanOrEqual(MAX_RETRY_DELAY_MS);
  });

  it.each([0, 0.3, 0.999])("goes on for a day at least, and ends soon after, with jitter of %d", (jitter) => {
    let nowMs = 0;
    for (let failures = 0; ; failures++) {
      const next = planNextAttempt({ failures, retryUntilMs: RETRY_FOR_MS }, UNAVAILABLE, nowMs, () => jitter);
      if (next.state !== "pending") break;
      nowMs = next.nextAttemptAtMs;
    }
    expect(nowMs).toBeGreaterThanOrEqual(RETRY_FOR_MS);
    expect(nowMs).toBeLessThanOrEqual(RETRY_FOR_MS + MAX_RETRY_DELAY_MS);
  });

  it("waits as long as the receiver asks, up to 3 hours, and never less than by itself", () => {
    const at = (retryAfterMs: number): number => {
      const result = { ...UNAVAILABLE, retryAfterMs };
      return delayOf(
        planNextAttempt({ failures: 1, retryUntilMs: 1e9 }, result, 0, () => 0.5),
        0,
      );
    };
    expect(at(120_000)).toBe(120_000);
    expect(at(0)).toBe(7500);
    expect(at(1e12)).toBe(MAX_RETRY_DELAY_MS);
  });

  it("ends with success, with Gone, and with an address that is refused", () => {
    const plan = (result: SendResult): DeliveryNext =>
      planNextAttempt({ failures: 0, retryUntilMs: 1e9 }, result, 0, () => 0);
    expect(plan({ status: 204, error: null, retryAfterMs: null })).toEqual({ state: "delivered" });
    expect(plan({ ...UNAVAILABLE, status: 410 })).toEqual({ state: "failed" });
    const refused = { code: "WEBHOOK_REFUSED", message: "no" } as const;
    expect(plan({ status: null, error: refused, retryAfterMs: null })).toEqual({ state: "failed" });
    expect(plan({ ...UNAVAILABLE, status: 404 }).state).toBe("pending");
  });
});
