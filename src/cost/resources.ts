import { fitFargateSize } from "../base/fargate-sizes.ts";
import { inputBytes, type Workload } from "./workload.ts";

/** What a job runs on. */
export type Resources =
  /** One container for the whole job, in AWS Batch. */
  | { readonly kind: "fargate"; readonly vcpu: number; readonly memoryMb: number; readonly storageGb: number }
  /** A worker that has a machine with a GPU to itself. */
  | { readonly kind: "machine"; readonly machine: "g4dn.xlarge"; readonly vcpu: number; readonly storageGb: number };

const GB = 1024 ** 3;
const GB_OF_MB = 1024;

/** The variant of repairs by that program. */
export const UNTRUNC = "untrunc";

/** The contract's sizes of repairs, each with the total bytes up to which it is taken. */
const REPAIR_SIZES = [
  { maxGb: 5, vcpu: 1, memoryGb: 2, storageGb: 30 },
  { maxGb: 20, vcpu: 2, memoryGb: 4, storageGb: 60 },
  { maxGb: 50, vcpu: 4, memoryGb: 8, storageGb: 120 },
  { maxGb: 100, vcpu: 4, memoryGb: 16, storageGb: 175 },
] as const;
const LARGEST_REPAIR = { vcpu: 8, memoryGb: 30, storageGb: 200 };
const MAX_STORAGE_GB = 200;
const MAX_MEMORY_GB = 120;
/** Besides three times the largest file. */
const SPARE_STORAGE_GB = 10;

/** `convert_vcpu`, `convert_memory_mb` and `job_ephemeral_storage_gb` of the stacks. */
const CONVERT = { vcpu: 2, memoryMb: 4096, storageGb: 100 };

/** What the stacks run a pipeline's jobs on; undefined where they have nothing for it. */
export function resourcesFor(workload: Pick<Workload, "pipeline" | "variant" | "files">): Resources | undefined {
  switch (workload.pipeline) {
    case "repair":
      return sizeRepair(workload);
    case "convert":
      return { kind: "fargate", ...CONVERT };
    case "hls":
      return { kind: "machine", machine: "g4dn.xlarge", vcpu: 4, storageGb: 200 };
    default:
      return undefined;
  }
}

/** By the rules of the contract, rounded up to what Fargate accepts. */
function sizeRepair({ files, variant }: Pick<Workload, "variant" | "files">): Resources {
  const totalGb = inputBytes({ files }) / GB;
  const largestGb = files.reduce((most, { bytes }) => Math.max(most, bytes), 0) / GB;
  const { vcpu, memoryGb, storageGb } = REPAIR_SIZES.find(({ maxGb }) => totalGb <= maxGb) ?? LARGEST_REPAIR;
  // Our own engine streams, that one holds files in memory.
  const neededGb = Math.max(memoryGb, variant === UNTRUNC ? Math.ceil(2 * largestGb) : 0);
  const needed = Math.max(storageGb, Math.ceil(3 * largestGb + SPARE_STORAGE_GB));
  return {
    kind: "fargate",
    ...fitFargateSize({ vcpu, memoryMb: Math.min(MAX_MEMORY_GB, neededGb) * GB_OF_MB }),
    storageGb: Math.min(MAX_STORAGE_GB, needed),
  };
}

/** For people, such as `Fargate with 2 vCPUs, 4 GB of memory, 100 GB of disk`. */
export function describeResources(resources: Resources): string {
  const { vcpu, storageGb } = resources;
  if (resources.kind === "machine")
    return `a ${resources.machine} (${vcpu} vCPUs, one GPU) with ${storageGb} GB of disk`;
  const cores = vcpu === 1 ? "1 vCPU" : `${vcpu} vCPUs`;
  return `Fargate with ${cores}, ${resources.memoryMb / GB_OF_MB} GB of memory, ${storageGb} GB of disk`;
}
