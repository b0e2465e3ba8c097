import type { Logger } from "../../base/log.ts";
import { untilAborted } from "../../base/until-aborted.ts";
import { type WorkerContext, withOpenWorker } from "./open-worker.ts";
import { startWorkers } from "./start-workers.ts";

/** Works at what a cloud's queues hold until the signal is given; what is under way then goes back. Throws as `withOpenWorker`. */
export async function stay(context: WorkerContext): Promise<void> {
  await withOpenWorker(context, async ({ config, home, parts, log, takes }) => {
    const { environment, clock, signal } = context;
    const protection = await createProtection(environment["ECS_AGENT_URI"], log);
    const onBusy = (busy: number): void => protection?.setBusy(busy > 0);
    const pool = await startWorkers({ home, parts, config, environment, clock, log, takes, onBusy });
    try {
      log.info("Waiting for work.", { bucket: home.bucket, table: home.table, pipelines: takes ?? "all" });
      await untilAborted(signal);
      log.info("Ending: what is being worked at goes back to its queue.", { reason: String(signal.reason) });
    } finally {
      await pool.stop();
      await protection?.close();
    }
  });
}

/** None outside of Amazon ECS. */
async function createProtection(agentUri: string | undefined, log: Logger) {
  if (!agentUri) return undefined;
  const { createTaskProtection } = await import("../../adapters/aws/task-protection.ts");
  return createTaskProtection({ agentUri, log });
}
