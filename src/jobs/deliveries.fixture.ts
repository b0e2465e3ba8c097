import { createUuid } from "../base/ids.ts";
import type { ClaimedDelivery, DeliveryAttempt, DeliveryStore, NewDelivery } from "./deliveries.ts";

/** For how long a delivery is claimed. */
export const LEASE_MS = 30_000;

/** How the receiver answered. */
export const FAILED: DeliveryAttempt = {
  atMs: 5,
  durationMs: 6,
  status: 500,
  error: { code: "WEBHOOK_FAILED", message: "The receiver answered with status 500." },
};
/** As `FAILED`. */
export const TAKEN: DeliveryAttempt = { atMs: 7, durationMs: 8, status: 200, error: null };

/** Makes deliveries whose ids rise, whatever the clock does. */
export function createDeliveryMaker(nowMs: () => number): (given?: Partial<NewDelivery>) => NewDelivery {
  let count = 0;
  return (given = {}) => ({
    id: createUuid(nowMs() + count++),
    jobId: "a-job",
    jobAttempt: 1,
    url: "https://example.com/hook",
    format: "standard",
    payload: { type: "job.succeeded", names: ["grüße", "\u0000"] },
    ...given,
  });
}

/** Claims a delivery for `LEASE_MS`. Throws where none is due. */
export async function claimOne(store: DeliveryStore): Promise<ClaimedDelivery> {
  const claimed = await store.claim({ leaseMs: LEASE_MS, exceptUrls: [] });
  if (claimed === undefined) throw new Error("Nothing was due.");
  return claimed;
}
