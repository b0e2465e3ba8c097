import { createFaultLog } from "../base/fault-log.ts";
import { pause } from "../base/pause.ts";
import type { QueueBound } from "./ports.ts";
import { STORE_PAUSE_MS } from "./retry-policy.ts";
import { type Engine, runTask } from "./run-task.ts";
import { onStarted } from "./transitions.ts";

/** How a worker goes about its work. */
export interface WorkerLoopOptions {
  /** Who holds the leases. */
  readonly owner: string;
  readonly leaseMs: number;
  /** The pipelines whose tasks are taken. */
  readonly queues: readonly QueueBound[];
  /** Ends the loop, and the task under way goes back to its queue. */
  readonly signal: AbortSignal;
  /** The loop ends when there was nothing to do for so long. */
  readonly idleEndMs: number;
  /** Hears when a task begins and when there is nothing to do. */
  readonly onBusy: (isBusy: boolean) => void;
  /** Resolves when there may be something new; otherwise the queue is looked at every `pollMs`. */
  readonly waitForWork: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
  /** Default 250; longer where looking has its price and `waitForWork` hears of what comes. */
  readonly pollMs?: number;
}

const DEFAULT_POLL_MS = 250;

/** Takes tasks and runs them, one at a time, until it is told to stop or was idle for long enough. */
export async function runWorkerLoop(engine: Engine, options: WorkerLoopOptions): Promise<void> {
  const { store, log, clock } = engine;
  const { owner, leaseMs, queues, signal, idleEndMs, onBusy, waitForWork, pollMs = DEFAULT_POLL_MS } = options;
  const from = { owner, leaseMs, queues };
  const faults = createFaultLog({
    log,
    clock,
    level: "error",
    message: "The store or queue failed; trying again.",
    over: "The store and queue work again.",
  });
  let idleSinceMs = clock.monotonicMs();
  let isBusy = false;
  const turn = (isNowBusy: boolean): void => {
    if (isBusy !== isNowBusy) onBusy(isNowBusy);
    isBusy = isNowBusy;
  };
  while (!signal.aborted) {
    try {
      let taken = await store.takeTask(from, onStarted);
      faults.worked();
      turn(taken !== undefined);
      while (taken !== undefined) {
        taken = await runTask(engine, taken, { from, signal });
        idleSinceMs = clock.monotonicMs();
      }
      turn(false);
      if (clock.monotonicMs() - idleSinceMs >= idleEndMs) return;
      await waitForWork(pollMs, signal);
    } catch (error) {
      turn(false);
      faults.failed(error);
      await pause(STORE_PAUSE_MS, signal);
    }
  }
}
