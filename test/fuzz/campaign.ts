import { Worker } from "node:worker_threads";
import { type Fault, signatureOf } from "./fault.ts";
import { makeMutant } from "./iteration.ts";
import type { Seed } from "./seeds.ts";
import type { WorkerMessage, WorkerTask } from "./worker.ts";

/** What to run. */
export interface CampaignOptions {
  readonly target: string;
  readonly iterations: number;
  readonly randomSeed: number;
  readonly seeds: readonly Seed[];
  readonly workerCount: number;
}

/** The first fault of a cause, and how often the cause was met. */
export interface FoundFault {
  readonly signature: string;
  readonly fault: Fault;
  readonly iteration: number;
  count: number;
}

/** How a campaign ended. */
export interface CampaignResult {
  readonly iterations: number;
  readonly faults: readonly FoundFault[];
}

const POLL_MS = 500;
/** Wall time after which a worker that shows no progress is ended; CPU time is judged by the worker itself. */
const HANG_MS = 30_000;
const HEAP_LIMIT_MIB = 320;

/**
 * Runs one target over mutants in worker threads. A worker that hangs or runs out of memory is ended, the input it
 * was at is reported, and another one goes on with the next.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const counters = new SharedArrayBuffer(4 * (1 + options.workerCount));
  new Int32Array(counters).fill(-1, 1);
  const found = new Map<string, FoundFault>();
  const note = (iteration: number, fault: Fault) => {
    const signature = signatureOf(options.target, fault);
    const known = found.get(signature);
    if (known === undefined) found.set(signature, { signature, fault, iteration, count: 1 });
    else known.count++;
  };
  const slots = Array.from({ length: options.workerCount }, (_, slot) => runSlot(options, counters, slot, note));
  await Promise.all(slots);
  return { iterations: options.iterations, faults: [...found.values()] };
}

/** Makes the input of a found fault again. */
export function reproduce(options: CampaignOptions, found: FoundFault) {
  return makeMutant(options.seeds, options.randomSeed, found.iteration);
}

async function runSlot(
  options: CampaignOptions,
  counters: SharedArrayBuffer,
  slot: number,
  note: (iteration: number, fault: Fault) => void,
): Promise<void> {
  const state = new Int32Array(counters);
  for (;;) {
    const end = await runWorker(options, counters, slot, note);
    if (end === "done") return;
    const iteration = Atomics.load(state, 1 + slot);
    if (iteration < 0) throw new Error(`A worker failed before its first input: ${end.message}\n${end.stack}`);
    note(iteration, end);
    Atomics.store(state, 1 + slot, -1);
  }
}

function runWorker(
  options: CampaignOptions,
  counters: SharedArrayBuffer,
  slot: number,
  note: (iteration: number, fault: Fault) => void,
): Promise<"done" | Fault> {
  const { target, randomSeed, seeds, iterations } = options;
  const workerData: WorkerTask = { target, randomSeed, seeds, counters, slot, iterations };
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_LIMIT_MIB };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData, resourceLimits });
  return new Promise((resolve) => {
    const watch = watchProgress(new Int32Array(counters), slot, () => {
      end({ kind: "hang", message: `No end within ${HANG_MS / 1000} s.`, stack: "" });
    });
    const end = (result: "done" | Fault) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(result);
    };
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "fault") note(message.iteration, message.fault);
      else end("done");
    });
    worker.on("error", (error: Error & { readonly code?: string }) => {
      const isMemory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      end({
        kind: isMemory ? "memory" : "crash",
        message: `${error.name}: ${error.message}`,
        stack: error.stack ?? "",
      });
    });
  });
}

function watchProgress(state: Int32Array, slot: number, onHang: () => void): NodeJS.Timeout {
  let lastIteration = -1;
  let sinceMs = performance.now();
  return setInterval(() => {
    const iteration = Atomics.load(state, 1 + slot);
    if (iteration !== lastIteration || iteration < 0) {
      lastIteration = iteration;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs > HANG_MS) onHang();
  }, POLL_MS);
}
