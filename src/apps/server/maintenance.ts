import type { JobLogs } from "../../adapters/local/job-logs.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { DeliveryStore } from "../../jobs/deliveries.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import type { JobStore } from "../../jobs/ports.ts";

/** What maintenance stands on. */
export interface MaintenancePorts {
  readonly store: JobStore;
  readonly objects: ObjectStore;
  readonly logs: JobLogs;
  readonly deliveries: DeliveryStore;
  readonly clock: Clock;
  readonly log: Logger;
}

const INTERVAL_MS = 3600_000;
const PAGE = 1000;

/** Forgets old jobs with their outputs and logs, and old uploads, now and every hour; returns a function that ends it. */
export function startMaintenance(ports: MaintenancePorts, retentionMs: number): () => void {
  const run = (): void => {
    sweepOld(ports, retentionMs).catch((error: unknown) => ports.log.error("Old jobs could not be swept.", { error }));
  };
  const timer = setInterval(run, INTERVAL_MS);
  run();
  return () => clearInterval(timer);
}

/** Removes what ended, or was uploaded, longer ago than `retentionMs`. */
export async function sweepOld(
  { store, objects, logs, deliveries, clock }: MaintenancePorts,
  retentionMs: number,
): Promise<void> {
  const beforeMs = clock.nowMs() - retentionMs;
  for (let ids = await store.sweep(beforeMs); ids.length > 0; ids = await store.sweep(beforeMs)) {
    for (const id of ids) {
      logs.remove(id);
      await deleteOlder(objects, `outputs/${id}/`, Number.POSITIVE_INFINITY);
    }
  }
  await deliveries.sweep(beforeMs);
  await deleteOlder(objects, "uploads/", beforeMs);
}

async function deleteOlder(objects: ObjectStore, prefix: string, beforeMs: number): Promise<void> {
  let afterKey = "";
  for (;;) {
    const page = await objects.list(prefix, { limit: PAGE, afterKey });
    for (const { key, modifiedAtMs } of page) if (modifiedAtMs < beforeMs) await objects.delete(key);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    afterKey = last.key;
  }
}
