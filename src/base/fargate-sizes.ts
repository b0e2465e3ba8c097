import { ReelmillError } from "./errors.ts";

/** What a task on Fargate can be given. */
export interface FargateSize {
  /** Whole ones. */
  readonly vcpu: number;
  /** In MiB, which AWS calls MB. */
  readonly memoryMb: number;
}

/** The most that Fargate has. */
export const LARGEST_FARGATE_SIZE: FargateSize = { vcpu: 16, memoryMb: 120 * 1024 };

/** In GB, ascending: the disks that job definitions of AWS Batch are made for, because a single job cannot name its own. Those of the contract's sizes. */
export const BATCH_DISKS_GB = [30, 60, 120, 175, 200] as const;

const GB = 1024;

/** Least, greatest and step of the memory in GB for each number of whole vCPUs, as the documentation of Amazon ECS lists them. */
const MEMORY_GB: Readonly<Record<number, readonly [min: number, max: number, step: number]>> = {
  1: [2, 8, 1],
  2: [4, 16, 1],
  4: [8, 30, 1],
  8: [16, 60, 4],
  16: [32, 120, 8],
};

/**
 * The smallest size that Fargate accepts and that has no less of either; 30 GB with 8 vCPUs becomes 32 GB. Throws CONFIG_INVALID where
 * there is none: above 16 vCPUs or 120 GB.
 */
export function fitFargateSize(wanted: FargateSize): FargateSize {
  for (const [vcpu, [min, max, step]] of Object.entries(MEMORY_GB)) {
    if (Number(vcpu) < wanted.vcpu || max * GB < wanted.memoryMb) continue;
    const steps = Math.max(0, Math.ceil((wanted.memoryMb / GB - min) / step));
    return { vcpu: Number(vcpu), memoryMb: (min + steps * step) * GB };
  }
  throw new ReelmillError(
    "CONFIG_INVALID",
    `Fargate has no size of ${wanted.vcpu} vCPUs and ${wanted.memoryMb} MB: at most 16 and 122880.`,
  );
}
