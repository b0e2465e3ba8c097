import { setTimeout as delay } from "node:timers/promises";
import { type Engine, runTask } from "./run-task.ts";

/** How a worker goes about its work. */
export interface WorkerLoopOptions {
  /** Who holds the leases. */
  readonly owner: string;
  readonly leaseMs: number;
  /** How many tasks of each pipeline may run at a time over all workers; others as their pipeline says. */
  readonly maxConcurrentTasks: Readonly<Record<string, number>>;
  /** Ends the loop, and the task under way goes back to its queue. */
  readonly signal: AbortSignal;
  /** The loop ends when there was nothing to do for so long. */
  readonly idleEndMs: number;
  /** Hears when a task begins and when there is nothing to do. */
  readonly onBusy: (isBusy: boolean) => void;
  /** Resolves when there may be something new; otherwise the queue is looked at every `POLL_MS`. */
  readonly waitForWork: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
}

const POLL_MS = 250;
/** After the store failed; long enough not to press on it, short enough to be back with it. */
const STORE_PAUSE_MS = 1000;

/** Takes messages and runs their tasks, one at a time, until it is told to stop or was idle for long enough. */
export async function runWorkerLoop(engine: Engine, options: WorkerLoopOptions): Promise<void> {
  const { queue, pipelines, log, clock } = engine;
  const { owner, leaseMs, maxConcurrentTasks, signal, idleEndMs, onBusy, waitForWork } = options;
  const lease = { owner, leaseMs };
  const queues = pipelines.all.map((pipeline) => ({
    name: pipeline.name,
    maxInFlight: maxConcurrentTasks[pipeline.name] ?? pipeline.maxConcurrentTasks,
  }));
  let idleSinceMs = clock.monotonicMs();
  while (!signal.aborted) {
    try {
      let message = await queue.receive({ ...lease, queues });
      if (message !== undefined) onBusy(true);
      while (message !== undefined) {
        message = await runTask(engine, message, { lease, signal });
        idleSinceMs = clock.monotonicMs();
        // A message taken along is not begun any more; it goes back untouched.
        if (signal.aborted && message !== undefined) {
          await queue.release(message, 0);
          message = undefined;
        } else {
          message ??= await queue.receive({ ...lease, queues });
        }
      }
      onBusy(false);
      if (clock.monotonicMs() - idleSinceMs >= idleEndMs) return;
      await waitForWork(POLL_MS, signal);
    } catch (error) {
      log.error("The store or queue failed; trying again.", { error });
      await delay(STORE_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
