import { parentPort, workerData } from "node:worker_threads";
import { installAllocationGuard } from "./allocation-guard.ts";
import type { Fault } from "./fault.ts";
import { makeMutant } from "./iteration.ts";
import { runInput } from "./run-input.ts";
import type { Seed } from "./seeds.ts";
import { FUZZ_TARGETS } from "./targets.ts";

/** What a worker is started with. */
export interface WorkerTask {
  readonly target: string;
  readonly randomSeed: number;
  readonly seeds: readonly Seed[];
  /** Iterations are taken from `[0]` of this counter until `iterations` is reached; `[1 + slot]` is the current one. */
  readonly counters: SharedArrayBuffer;
  readonly slot: number;
  readonly iterations: number;
}

/** What a worker reports; `done` once it finds no more iterations. */
export type WorkerMessage =
  | { readonly kind: "fault"; readonly iteration: number; readonly fault: Fault }
  | { readonly kind: "done" };

const task = workerData as WorkerTask;
const allocations = installAllocationGuard();
const counters = new Int32Array(task.counters);

async function work(): Promise<void> {
  const target = FUZZ_TARGETS.find(({ name }) => name === task.target);
  if (target === undefined) throw new RangeError(`No target is named ${task.target}.`);
  const run = await target.load();
  for (;;) {
    const iteration = Atomics.add(counters, 0, 1);
    if (iteration >= task.iterations) break;
    Atomics.store(counters, 1 + task.slot, iteration);
    const { seed, mutant } = makeMutant(task.seeds, task.randomSeed, iteration);
    allocations.takeExcessBytes();
    const fault = await runInput(run, { bytes: mutant.bytes, reference: seed.reference }, allocations);
    if (fault !== undefined) send({ kind: "fault", iteration, fault });
  }
  Atomics.store(counters, 1 + task.slot, -1);
  send({ kind: "done" });
}

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

await work();
