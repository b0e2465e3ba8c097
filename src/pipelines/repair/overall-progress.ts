import type { WorkHooks } from "./hooks.ts";
import type { RepairPipelineOptions } from "./options.ts";

/** Where a phase begins and ends within the whole, from 0 to 1. */
type Extent = readonly [from: number, to: number];

/** Decoding every picture takes many times as long as reading and writing the file. */
const WITH_FULL_CHECK: ReadonlyMap<string, Extent> = new Map([
  ["reading", [0, 0.15]],
  ["writing", [0.15, 0.25]],
  ["copying", [0, 0.25]],
  ["checking", [0.25, 1]],
]);

/** The first pictures are checked within a moment. */
const WITH_QUICK_CHECK: ReadonlyMap<string, Extent> = new Map([
  ["reading", [0, 0.6]],
  ["writing", [0.6, 0.95]],
  ["copying", [0, 0.95]],
  ["checking", [0.95, 1]],
]);

/**
 * Makes of the progress of each phase that of the whole repair; a phase without a share stands at the beginning. It goes back where
 * a file is read again, with another reference.
 */
export function createOverallProgress(
  verify: RepairPipelineOptions["verify"],
  onProgress: WorkHooks["onProgress"],
): WorkHooks["onProgress"] {
  const extents = verify === "full" ? WITH_FULL_CHECK : WITH_QUICK_CHECK;
  return (fraction, phase) => {
    const [from, to] = extents.get(phase) ?? [0, 0];
    onProgress(from + (to - from) * Math.min(1, Math.max(0, fraction)), phase);
  };
}
