import type { AllocationWatch } from "./allocation-guard.ts";
import { crashOf, type Fault, MAX_CPU_SECONDS } from "./fault.ts";
import { type FuzzInput, type FuzzRun, isAllowedError } from "./fuzz-input.ts";

/** Runs one target on one input; undefined where it answers as it should. */
export async function runInput(
  run: FuzzRun,
  input: FuzzInput,
  allocations?: AllocationWatch,
): Promise<Fault | undefined> {
  const before = process.threadCpuUsage();
  let fault: Fault | undefined;
  try {
    await run(input);
  } catch (error) {
    if (!isAllowedError(error)) fault = crashOf(error);
  }
  const used = process.threadCpuUsage(before);
  const cpuSeconds = (used.user + used.system) / 1e6;
  const excessBytes = allocations?.takeExcessBytes() ?? 0;
  if (excessBytes > 0) {
    const stack = fault?.stack ?? "";
    return { kind: "memory", message: `One array of ${excessBytes} bytes was asked for.`, stack };
  }
  if (fault === undefined && cpuSeconds > MAX_CPU_SECONDS) {
    return { kind: "slow", message: `It took ${cpuSeconds.toFixed(1)} s of CPU time.`, stack: "" };
  }
  return fault;
}
