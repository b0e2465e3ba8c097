/** What a task on Fargate can be given. */
export interface FargateSize {
  /** Whole ones. */
  readonly vcpu: number;
  /** MiB. */
  readonly memoryMb: number;
}

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
 * The smallest size that Fargate accepts and that has no less of either; 30 GB with 8 vCPUs becomes 32 GB. Throws RangeError where there
 * is none: above 16 vCPUs or 120 GB.
 */
export function fitFargateSize(wanted: FargateSize): FargateSize {
  for (const [vcpu, [min, max, step]] of Object.entries(MEMORY_GB)) {
    if (Number(vcpu) < wanted.vcpu || max * GB < wanted.memoryMb) continue;
    const steps = Math.max(0, Math.ceil((wanted.memoryMb / GB - min) / step));
    return { vcpu: Number(vcpu), memoryMb: (min + steps * step) * GB };
  }
  throw new RangeError(`Fargate has no size of ${wanted.vcpu} vCPUs and ${wanted.memoryMb} MB: at most 16 and 122880.`);
}
